"""Tests of the files of variables for OpenStack's clients."""

from __future__ import annotations

import os
import subprocess

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.accounts.declarations import Declaration, parse_option
from txstorage.embedded.accounts.openrc import Login, first_login, login, openrc

from ..support import temporary_directory

URL = "https://127.0.0.1:8780/identity/v3"


def sourced(text: str, **environment: str) -> dict[str, str]:
    """:return: OpenStack's variables of a shell, after it has read a file with a text."""
    path = environment.pop("PATH", os.environ["PATH"])
    done = subprocess.run(
        ["sh", "-euc", text + "\nenv"],
        env={"PATH": path, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    pairs = (line.split("=", 1) for line in done.stdout.splitlines())
    return {name: value for name, value in pairs if name.startswith("OS_")}


class OpenrcTests(SynchronousTestCase):
    """Tests of :func:`openrc` and of logins."""

    def setUp(self) -> None:
        # A path that a shell would split.
        self.password_file = os.path.join(temporary_directory(self), "it's $HOME")
        with open(self.password_file, "w") as opened:
            opened.write("pass 'word' $x\n")

    def test_variables(self) -> None:
        """A shell gets the variables of one user, with the password from its file."""
        text = openrc(Login("alice", "web", self.password_file), URL, "/a b.pem")
        self.assertNotIn("pass 'word'", text)
        self.assertEqual(
            sourced(text),
            {
                "OS_AUTH_URL": URL,
                "OS_IDENTITY_API_VERSION": "3",
                "OS_REGION_NAME": "txstorage",
                "OS_USERNAME": "alice",
                "OS_USER_DOMAIN_NAME": "Default",
                "OS_PROJECT_NAME": "web",
                "OS_PROJECT_DOMAIN_NAME": "Default",
                "OS_CACERT": "/a b.pem",
                "OS_PASSWORD": "pass 'word' $x",
            },
        )

    def test_another_cloud(self) -> None:
        """Variables that the shell has from another cloud are gone; without TLS none is needed."""
        text = openrc(first_login(self.password_file), URL)
        left = sourced(text, OS_CLOUD="prod", OS_PROJECT_ID="p", OS_CACERT="/c", MY_OS_X="x")
        self.assertEqual(left["OS_USERNAME"], "txstorage")
        self.assertFalse({"OS_CLOUD", "OS_PROJECT_ID", "OS_CACERT"} & set(left))

    def test_logins(self) -> None:
        """A login has the first project, and a file of its own; a declared password file counts."""
        user = parse_option("alice:web:member")
        self.assertEqual(login(user, "/p"), Login("alice", "web", "/p"))
        own = Declaration("bob", {"shop": ("reader",), "web": ("member",)}, "/own")
        self.assertEqual(login(own, "/p"), Login("bob", "shop", "/own"))
        self.assertEqual(login(own, "/p").file_name, "openrc-bob")
        self.assertEqual(first_login("/p").file_name, "openrc")
