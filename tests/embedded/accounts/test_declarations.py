"""Tests of users as the operator declares them."""

from __future__ import annotations

import os
import shlex
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.documents.blocks import of_suite
from txstorage.embedded.accounts.declarations import (
    Account,
    Declaration,
    InvalidAccounts,
    merged,
    parse_option,
)
from txstorage.embedded.accounts.files import read_file
from txstorage.embedded.accounts.passwords import with_passwords
from txstorage.embedded.state_directory import ServeError, StateDirectory

from ..support import temporary_directory

FILE = """
users:
  alice:
    projects:
      one: member
      two: [reader, service]
  bob:
    password_file: secrets/bob
    projects: {one: admin}
"""


class OptionTests(SynchronousTestCase):
    """Tests of ``--user``."""

    def test_parsed(self) -> None:
        """An option has a name, a project and roles."""
        found = parse_option("alice:one:member,reader")
        self.assertEqual(found, Declaration("alice", {"one": ("member", "reader")}))

    def test_wrong(self) -> None:
        """Anything else is refused; the message names the problem and the nearest role."""
        for text, part in (
            ("alice", "form NAME:PROJECT:ROLES"),
            ("alice:one", "form NAME:PROJECT:ROLES"),
            ("a:b:member:c", "form NAME:PROJECT:ROLES"),
            ("../x:one:member", "'../x' can't be a user's name"),
            (":one:member", "'' can't be a user's name: names begin with a letter or a digit"),
            ("alice:o/e:member", "'o/e' can't be a project's name"),
            ("alice\n:one:member", "can't be a user's name"),
            ("alice:one:membr", "no role 'membr'; did you mean 'member'?"),
            ("alice:one:", "no role ''; use one of: admin, manager, member, reader, service"),
        ):
            error = self.assertRaises(InvalidAccounts, parse_option, text)
            self.assertIn(part, str(error))

    def test_merged(self) -> None:
        """Several declarations of a user add up; the first project stays the first."""
        one, two = parse_option("alice:one:member"), parse_option("alice:two:reader")
        more = Declaration("alice", {"one": ("reader", "member")}, "/file")
        (found,) = merged([one, two, more])
        self.assertEqual(list(found.roles), ["one", "two"])
        self.assertEqual(found.roles["one"], ("member", "reader"))
        self.assertEqual(found.password_file, "/file")
        other = Declaration("alice", {}, "/other")
        error = self.assertRaises(InvalidAccounts, merged, [more, other])
        self.assertIn("alice has two files", str(error))


class FileTests(SynchronousTestCase):
    """Tests of ``--accounts``."""

    def setUp(self) -> None:
        self.directory = temporary_directory(self)
        self.path = os.path.join(self.directory, "accounts.yml")

    def read(self, text: str) -> list[Declaration]:
        """Read a file with a text."""
        with open(self.path, "w", encoding="utf-8") as opened:
            opened.write(text)
        return read_file(self.path)

    def test_read(self) -> None:
        """A file has users with roles in projects, and paths relative to itself."""
        secret = os.path.join(self.directory, "secrets/bob")
        self.assertEqual(
            self.read(FILE),
            [
                Declaration("alice", {"one": ("member",), "two": ("reader", "service")}),
                Declaration("bob", {"one": ("admin",)}, secret),
            ],
        )

    def test_wrong(self) -> None:
        """A wrong file is refused, with its path, the place and the nearest name."""
        user = "users: {alice: {projects: {one: member}, %s}}"
        for text, part in (
            ("", "expected a mapping, found nothing"),
            ("users: [alice]", "users: expected a mapping, found a list"),
            ("users: {alice: secret}", "users.alice: expected a mapping, found text"),
            ("users: {a: {projects: {one: 2}}}", "expected text or a list, found a number"),
            ("users: {a: {projects: {one: [no]}}}", "one.0: expected text, found true or false"),
            ("users: {12: {projects: {one: member}}}", "put the name 12 in quotation marks"),
            ("users: {a: {projects: {yes: member}}}", "put the name True in quotation marks"),
            ("users:\n  a: {}\n  a: {}\n", "line 3 repeats the key 'a'"),
            ("user: {}", "no key 'user'; did you mean 'users'?"),
            ("users: {alice: {}}", "users.alice: the key 'projects' is missing"),
            ("users: {alice: {projcts: {}}}", "no key 'projcts'; did you mean 'projects'?"),
            (user % "pasword_file: x", "no key 'pasword_file'; did you mean 'password_file'?"),
            (user % "password: secret", "no key 'password'; did you mean 'password_file'?"),
            ("users: {a/b: {projects: {one: member}}}", "users: 'a/b' can't be a name"),
            ("users: {a: {projects: {}}}", "users.a.projects is empty"),
            ("users: {a: {projects: {one: [membr]}}}", "did you mean 'member'?"),
            ("users: {a: {projects: {one: membr}}}", "projects.one: there is no role 'membr'; did"),
            ("users: {a: {projects: {one: []}}}", "users.a.projects.one is empty"),
            ("users: [", "can't read"),
        ):
            error = self.assertRaises(InvalidAccounts, self.read, text)
            self.assertIn(part, str(error), text)
            self.assertIn(self.path, str(error))
            self.assertNotIn("secret", str(error))
        missing = self.path + ".no"
        error = self.assertRaises(InvalidAccounts, read_file, missing)
        self.assertEqual(str(error), f"can't read {missing}: No such file or directory")


class PageTests(SynchronousTestCase):
    """Tests of the examples in the documentation."""

    def test_examples(self) -> None:
        """Users can be declared as the documentation does, with options and in a file."""
        (examples,) = of_suite("accounts").values()
        kinds = [block.language for block in examples]
        self.assertEqual(kinds, ["console", "yaml"])
        words = shlex.split(examples[0].text)
        given = [words[n + 1] for n, word in enumerate(words) if word == "--user"]
        found = merged(map(parse_option, given))
        self.assertEqual([each.name for each in found], ["alice", "root"])
        path = os.path.join(temporary_directory(self), "accounts.yml")
        with open(path, "w", encoding="utf-8") as opened:
            opened.write(examples[1].text)
        self.assertEqual([each.name for each in read_file(path)], ["alice", "root"])


class PasswordTests(SynchronousTestCase):
    """Tests of the passwords of declared users."""

    def setUp(self) -> None:
        self.directory = os.path.join(temporary_directory(self), "state")
        self.state = StateDirectory(self.directory)
        self.addCleanup(self.state.close)

    def accounts(self, *users: Declaration) -> tuple[tuple[Account, ...], list[str]]:
        """Complete users."""
        return with_passwords(users, self.state)

    def test_generated(self) -> None:
        """A password is generated once, in a file for its owner only; a remark has the path."""
        users = [parse_option("alice:one:member"), parse_option("bob:one:reader")]
        accounts, remarks = self.accounts(*users)
        again, _ = self.accounts(*users)
        self.assertEqual(accounts, again)
        self.assertNotEqual(accounts[0].password, accounts[1].password)
        path = os.path.join(self.directory, "password-alice")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(remarks[0], f"user alice: one (member); password in {path}")
        self.assertNotIn(accounts[0].password, f"{remarks} {accounts}")

    def test_own_file(self) -> None:
        """An operator's file is read, unless it is empty, missing or open to other users."""
        path = os.path.join(self.directory, "own")

        def wrong(content: Any, mode: int) -> str:
            if content is not None:
                with open(path, "wb") as opened:
                    opened.write(content)
                os.chmod(path, mode)
            user = Declaration("alice", {"one": ("member",)}, path)
            try:
                accounts, _ = self.accounts(user)
            except ServeError as error:
                return str(error)
            self.assertEqual(accounts[0].password, "secret")
            return ""

        self.assertIn("No such file", wrong(None, 0))
        self.assertEqual(wrong(b"secret\n", 0o600), "")
        self.assertIn("other users can use", wrong(b"secret\n", 0o644))
        self.assertIn("is empty", wrong(b"\n", 0o600))
        self.assertIn("not UTF-8", wrong(b"\xff", 0o600))

    def test_undeclared(self) -> None:
        """Users of earlier starts that are not declared are named, with what to do about them."""
        self.accounts(parse_option("alice:one:member"), parse_option("bob:one:reader"))
        accounts, remarks = self.accounts(parse_option("bob:one:reader"))
        self.assertEqual([each.name for each in accounts], ["bob"])
        self.assertEqual(len(remarks), 2)
        self.assertIn("user alice of an earlier start can't sign in: repeat its --user", remarks[1])
        self.assertIn(f"remove {self.directory}/password-alice", remarks[1])

    def test_first(self) -> None:
        """The first user has its own file already; the remark names what it gets besides."""
        accounts, remarks = self.accounts(parse_option("txstorage:two:admin"))
        self.assertEqual(accounts, (Account("txstorage", "", {"two": ("admin",)}),))
        self.assertEqual(remarks, ["user txstorage: also two (admin)"])
        self.assertFalse(os.path.exists(os.path.join(self.directory, "password-txstorage")))
