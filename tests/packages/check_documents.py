"""
docs/install.rst, followed from its top to its end: each command prints the shown output.

The page leads from the checkout, where packages are made, to a Debian and to a system with dnf; a
block that installs something moves the test there.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess

from ..documents.blocks import Block, of_suite
from ..documents.output import Learned
from ..roots.root import Root
from ..run import ROOT
from .support import PackagesTestCase

PAGE = "docs/install.rst"
#: The paths of the distribution's own packages, where dnf is the package manager.
DISTRIBUTION = """\
Name: distribution
Version: 1
Release: 1
Summary: What is there before
License: Apache-2.0
BuildArch: noarch
Provides: /bin/sh
Provides: /usr/bin/@PYTHON@
Provides: util-linux
Provides: system-release = 1
%description
Stands in for the packages of a distribution.
%files
"""


class Checkout:
    """
    The shell of a person who makes packages in a clone.

    :param home: the person's directory.
    :param said: the path of the output of `make packages`.
    """

    def __init__(self, home: str, said: str) -> None:
        self._environment = {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8"}
        pip = {name: v for name, v in os.environ.items() if name.startswith("PIP_")}
        self._environment.update(pip)
        self._said = said

    def run(self, command: str) -> tuple[int, str]:
        """:return: the exit code and the output."""
        if command == "make packages":
            with open(self._said, encoding="utf-8") as said:
                return 0, said.read()
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        return done.returncode, done.stdout


class Machine:
    """The shell of root on a machine; exported variables are kept from command to command."""

    def __init__(self, root: Root) -> None:
        self._root = root

    def run(self, command: str) -> tuple[int, str]:
        """:return: the exit code and the output."""
        with open(self._root.within("root", ".command"), "w", encoding="utf-8") as opened:
            opened.write(command + "\n")
        kept = "exec 2>&1; cd; touch .kept; . ./.kept; . ./.command; code=$?; export -p >.kept"
        return self._root.run(["bash", "-c", kept + "; exit $code"], check=False)


class PageTests(PackagesTestCase):
    """The page."""

    def copied(self, kind: str, root: Root) -> None:
        """Put both revisions of a package where they are installed from."""
        for which in ("current", "next"):
            shutil.copy(self.package(kind, which), root.within("root"))

    def debian(self) -> Machine:
        root = self.root()
        self.copied("deb", root)
        return Machine(root)

    def with_dnf(self) -> Machine:
        root = self.root("dnf")
        self.copied("rpm", root)
        [python] = glob.glob(root.within("usr/bin/python3.*[0-9]"))
        spec = os.path.abspath(self.mktemp())
        with open(spec, "w", encoding="utf-8") as opened:
            opened.write(DISTRIBUTION.replace("@PYTHON@", os.path.basename(python)))
        top = root.within("root", "rpmbuild")
        define = ["--define", "_topdir " + top, "--define", "_rpmdir " + top]
        subprocess.run(["rpmbuild", "--quiet", "-bb", *define, spec], check=True)
        install = "dnf install --quiet --assumeyes --releasever=1 "
        root.run(install + "/root/rpmbuild/noarch/distribution-1-1.noarch.rpm")
        return Machine(root)

    def place_of(self, block: Block) -> None:
        """Move to the place that a block belongs to."""
        for manager, machine in (("apt-get", self.debian), ("dnf", self.with_dnf)):
            if manager + " install" in block.text and manager not in self.visited:
                self.visited.append(manager)
                self.place = machine()
                self.learned = Learned()

    def follow(self, block: Block) -> None:
        """Type the commands of a block."""
        for command, shown in block.commands:
            code, came = self.place.run(self.learned.typed(command))
            where = f"{PAGE}, line {block.line}: $ {command}\n"
            self.assertEqual(0, code, where + came)
            self.assertTrue(self.learned.matches(shown, came), where + came)

    def test_followed(self) -> None:
        """Each command succeeds and prints the shown output, from the clone to the removal."""
        [page] = of_suite("packages")
        self.assertEqual(PAGE, page)
        self.visited: list[str] = []
        self.learned = Learned()
        home = os.path.abspath(self.mktemp())
        os.makedirs(home)
        self.place: Checkout | Machine = Checkout(home, self.made["said"])
        for block in of_suite("packages")[page]:
            self.place_of(block)
            self.follow(block)
        self.assertEqual(["apt-get", "dnf"], self.visited)
