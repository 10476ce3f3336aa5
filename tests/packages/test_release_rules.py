"""
Tests for ``packaging/release_rules.py``, ``packaging/release_steps.py`` and
``packaging/repacking.py``.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import json
import os
import subprocess
import tarfile
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def loaded(name: str) -> Any:
    """Load a module of the directory ``packaging``, which is not a package."""
    path = os.path.join(ROOT, "packaging", name + ".py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


rules = loaded("release_rules")
repacking = loaded("repacking")
steps = loaded("release_steps")
VERSION = "1.2.0"


class VersionTests(SynchronousTestCase):
    """The version, its place and its tag."""

    def test_versions(self) -> None:
        """A version by PEP 440 in its normal form is accepted; one of development is not."""
        for good in ("1.2.0", "0.1.0", "1.2.0rc1", "1.2.0.post1"):
            self.assertEqual([], rules.version_problems(good, []))
        for bad, problem in (
            ("1.2.x", "is not a version"),
            ("1.2.0-rc1", "is written 1.2.0rc1"),
            ("v1.2.0", "is written 1.2.0"),
            ("1.2.0.dev1", "of development"),
            ("1.2.0+here", "of development"),
        ):
            [found] = rules.version_problems(bad, [])
            self.assertIn(problem, found)

    def test_newer(self) -> None:
        """The version is newer than all tags by the order of versions, not of texts."""
        self.assertEqual(
            [], rules.version_problems("1.10.0", ["v1.9.0", "v1.10.0", "nightly", "vx"])
        )
        [problem] = rules.version_problems("1.9.0", ["v1.10.0"])
        self.assertIn("v1.10.0", problem)

    def test_places(self) -> None:
        """One file has the version; a mention in a text is not another place."""
        own = {rules.VERSION_FILE: 'VERSION = u"1.2.0"\n'}
        mention = {"README.rst": "measured with txstorage 1.2.0", "a.py": 'VERSION = "11.2.0"'}
        self.assertEqual([], rules.place_problems(VERSION, {**own, **mention}))
        for text in ('version="1.2.0"', "{'version': '1.2.0'}", '__version__ = "1.2.0"'):
            [problem] = rules.place_problems(VERSION, {**own, "docs/conf.py": text})
            self.assertEqual("docs/conf.py has the version, too", problem)
        [problem] = rules.place_problems(VERSION, {})
        self.assertIn("_version.py does not have the version", problem)

    def test_tag(self) -> None:
        """The tag is free, or the commit's own."""
        self.assertEqual([], rules.tag_problems(VERSION, "a", {"v1.1.0": "b"}))
        self.assertEqual([], rules.tag_problems(VERSION, "a", {"v1.2.0": "a"}))
        [problem] = rules.tag_problems(VERSION, "a", {"v1.2.0": "b"})
        self.assertIn("v1.2.0 exists", problem)


class NewsTests(SynchronousTestCase):
    """The notes of the release."""

    def problems(self, fragments: dict[str, str], draft: str, changelog: str = "") -> list[str]:
        found: list[str] = rules.news_problems(fragments, draft, changelog, VERSION)
        return found

    def test_complete(self) -> None:
        """Each file's text is in the draft, wherever its lines are broken."""
        fragments = {"+one.added.rst": "One thing\nmore.\n"}
        self.assertEqual([], self.problems(fragments, "- One\n  thing more."))

    def test_missing(self) -> None:
        """A file that towncrier does not render is named, with the reason that can be known."""
        for name, text, problem in (
            ("+one.added.rst", "Another.", "are not in the draft"),
            ("one.added.rst", "One.", "is not named like"),
            ("+one.news.rst", "One.", "is not named like"),
            ("+one.added.txt", "One.", "is not named like"),
            ("+one.added.rst", " \n", "is empty"),
        ):
            [found] = self.problems({name: text}, "- One.")
            self.assertIn(name, found)
            self.assertIn(problem, found)
        self.assertEqual(["there is no file of changes"], self.problems({}, ""))

    def test_released(self) -> None:
        """Notes that the changelog has already are a problem; those of others are not."""
        fragments = {"+one.added.rst": "One."}
        other, own = (
            f"Changes\n\n{version} (2026-01-01)\n-----\n" for version in ("1.2.0.1", VERSION)
        )
        self.assertEqual([], self.problems(fragments, "One.", other))
        [problem] = self.problems(fragments, "One.", own)
        self.assertIn("changelog already", problem)
        # the release's own commit
        self.assertEqual([], self.problems({}, "", own))
        self.assertEqual(["there is no file of changes"], self.problems({}, "", other))

    def test_notes(self) -> None:
        """The notes of a version are its own part of the changelog."""
        first, second = (
            "1.2.0 (2026-02-02)\n----\n\n- One.\n",
            "1.1.0 (2026-01-01)\n---\n\n- Two.\n",
        )
        changelog = "Changes\n=======\n\n" + first + "\n\n" + second
        self.assertEqual(first, rules.notes_of("1.2.0", changelog))
        self.assertEqual(second, rules.notes_of("1.1.0", changelog))
        self.assertIsNone(rules.notes_of("1.1", changelog))


class FilesTests(SynchronousTestCase):
    """The files of the release."""

    names = (
        "txstorage-1.2.0-py2-none-any.whl",
        "txstorage-1.2.0-py3-none-any.whl",
        "txstorage-1.2.0.tar.gz",
        "txstorage_1.2.0-1_amd64.deb",
        "txstorage-1.2.0-1.x86_64.rpm",
    )

    def test_all(self) -> None:
        """Each kind exists with the version; a package that can't be built may be missing."""
        self.assertEqual([], rules.file_problems(VERSION, self.names))
        self.assertEqual([], rules.file_problems(VERSION, self.names[:4], [".rpm"]))
        for number, kind in enumerate(rules.KINDS):
            some = self.names[:number] + self.names[number + 1 :]
            self.assertEqual(
                [f"there is no {kind.lstrip('-.')}"], rules.file_problems(VERSION, some)
            )
        self.assertEqual(5, len(rules.file_problems("1.2", self.names)))

    def test_differences(self) -> None:
        """A file that differs, and one of only one build, are named."""
        same = {"a": "1", "b": "2"}
        self.assertEqual([], rules.difference_problems(same, dict(same)))
        self.assertEqual(
            ["b differs between two builds", "c is in one of two builds"],
            rules.difference_problems(same, {"a": "1", "b": "3", "c": "4"}),
        )

    def test_bill(self) -> None:
        """The bill of materials names txstorage with its version, and each library with one."""
        components = [
            {"name": "txstorage", "version": VERSION},
            {"name": "Twisted", "version": "26.4.0"},
            {"name": "zope.interface", "version": "8.1"},
        ]
        bill = json.dumps({"bomFormat": "CycloneDX", "components": components})
        self.assertEqual([], rules.bill_problems(bill, VERSION, ["twisted", "zope_interface"]))
        self.assertEqual(
            ["the bill of materials lacks attrs"],
            rules.bill_problems(bill, VERSION, ["Twisted", "attrs"]),
        )
        [problem] = rules.bill_problems(bill, "1.3.0", [])
        self.assertIn("txstorage 1.2.0, not 1.3.0", problem)
        for other in ("{}", "no JSON"):
            [problem] = rules.bill_problems(other, VERSION, [])
            self.assertIn("not CycloneDX's", problem)

    def test_path_in_bill(self) -> None:
        """The bill of materials has no path of the machine that made it."""
        reference = {"url": "file:///home/someone/txstorage.whl"}
        component = {"name": "txstorage", "version": VERSION, "externalReferences": [reference]}
        bill = json.dumps({"bomFormat": "CycloneDX", "components": [component]})
        [problem] = rules.bill_problems(bill, VERSION, [])
        self.assertIn("a path of this machine", problem)

    def test_checksums(self) -> None:
        """The lines are those of ``sha256sum``, in the order of the names."""
        digest = hashlib.sha256(b"").hexdigest()
        self.assertEqual(f"{digest}  a\n{digest}  b\n", rules.checksums({"b": digest, "a": digest}))


class StepsTests(SynchronousTestCase):
    """The run of the steps."""

    def run_steps(self, *outcomes: tuple[str, BaseException | None, bool]) -> dict[str, int]:
        """Run steps with these names, failures, and needs."""
        self.said: list[str] = []
        self.ran: list[str] = []

        def made(name: str, error: BaseException | None) -> Any:
            def check(release: str) -> None:
                self.ran.append(f"{release}: {name}")
                if error is not None:
                    raise error

            return check

        table = [(name, made(name, error), needed) for name, error, needed in outcomes]
        counts: dict[str, int] = steps.run_steps("it", table, self.said.append)
        return counts

    def test_passed(self) -> None:
        """Each step is run with the release, and printed at its beginning and its end."""
        counts = self.run_steps(("one", None, True), ("two", None, False))
        self.assertEqual({"passed": 2, "failed": 0, "skipped": 0}, counts)
        self.assertEqual(["it: one", "it: two"], self.ran)
        self.assertEqual(["one", "one: done in 0 s", "two", "two: done in 0 s"], self.said)

    def test_failed(self) -> None:
        """A failure is printed with its remedy; the next step runs if it does not need it."""
        error = steps.NotReady(["a is wrong", "b too"], "correct both")
        counts = self.run_steps(("one", error, False), ("two", None, False))
        self.assertEqual({"passed": 1, "failed": 1, "skipped": 0}, counts)
        reason = "failed: one: a is wrong; b too. What to do: correct both"
        self.assertEqual(["one", "one: failed after 0 s", reason], self.said[:3])

    def test_needed(self) -> None:
        """Steps that need the result of a failed one are skipped, and the output says so."""
        for error in (
            steps.NotReady(["a"], "b"),
            OSError("no such file"),
            subprocess.CalledProcessError(2, ["make", "it"]),
        ):
            counts = self.run_steps(("one", error, True), ("two", None, True))
            self.assertEqual({"passed": 0, "failed": 1, "skipped": 1}, counts)
            self.assertEqual(["it: one"], self.ran)
            self.assertEqual("skipped: two: because of one", self.said[-1])

    def test_fault(self) -> None:
        """A fault of the program itself is not taken for a problem of the release."""
        self.assertRaises(KeyError, self.run_steps, ("one", KeyError("x"), False))


class RepackTests(SynchronousTestCase):
    """The source distribution."""

    def packed(self, name: str, mtime: int, mode: int, members: list[str]) -> str:
        """Write an archive as a build at some time would; return its path."""
        path = self.mktemp() + name
        with tarfile.open(path, "w:gz") as opened:
            for each in members:
                member = tarfile.TarInfo(each)
                member.size, member.mtime, member.mode = len(each), mtime, mode
                member.uid, member.uname = mtime, f"user-{mtime}"
                opened.addfile(member, io.BytesIO(each.encode()))
        return path

    def content(self, path: str) -> bytes:
        with open(path, "rb") as opened:
            return opened.read()

    def test_same(self) -> None:
        """Time, owner, umask, order and name of the file make no difference; contents do."""
        paths = [
            self.packed("a.tar.gz", 1, 0o644, ["x/a", "x/b"]),
            self.packed("b.tar.gz", 2, 0o600, ["x/b", "x/a"]),
            self.packed("c.tar.gz", 2, 0o600, ["x/b", "x/c"]),
        ]
        for path in paths:
            repacking.repack(path, 1_700_000_000)
        first, second, third = map(self.content, paths)
        self.assertEqual(first, second)
        self.assertNotEqual(first, third)

    def test_contents(self) -> None:
        """The files keep their contents and their right to be executed; all have the time."""
        path = self.packed("a.tar.gz", 1, 0o700, ["x/run"])
        repacking.repack(path, 1_700_000_000)
        with tarfile.open(path) as opened:
            [member] = opened.getmembers()
            found = opened.extractfile(member)
            assert found is not None
            self.assertEqual(b"x/run", found.read())
        self.assertEqual((0o755, 1_700_000_000, 0), (member.mode, member.mtime, member.uid))
        with gzip.open(path) as opened_gzip:
            opened_gzip.read()
            self.assertEqual(1_700_000_000, opened_gzip.mtime)
        self.assertFalse(os.path.exists(path + ".new"))
