"""Tests of the settings that a fresh machine gets."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from tests.fresh import settings
from tests.roots import debootstrap
from tests.roots.debootstrap import Source

#: The sources of a machine of bookworm, as apt reports them.
SOURCES = [
    Source("bookworm", "main", "http://mirror.invalid/debian/"),
    Source("bookworm-updates", "main", "http://mirror.invalid/debian/"),
    Source("bookworm-security", "main", "http://mirror.invalid/debian-security/"),
    Source("sid", "main", "http://other.invalid/debian/"),
]


class Directory:
    """
    A root that only has files.

    :param path: its path.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.bound: list[tuple[str, str]] = []
        os.makedirs(self.within("etc"))

    def within(self, *path: str) -> str:
        return os.path.join(self.path, *(part.lstrip("/") for part in path))

    def bind(self, directory: str, path: str) -> None:
        self.bound.append((directory, path))

    def read(self, path: str) -> str:
        with open(self.within(path)) as opened:
            return opened.read()


class AptTests(SynchronousTestCase):
    """apt's settings."""

    def setUp(self) -> None:
        self.updates: list[str] = []
        self.patch(debootstrap, "this_release", lambda: "bookworm")
        self.patch(debootstrap, "found_sources", lambda: SOURCES)
        self.patch(debootstrap.debian, "apt_get", self.updates.append)

    def test_own_release(self) -> None:
        """The sources of the machine's release, and no others."""
        self.assertEqual(
            "deb http://mirror.invalid/debian/ bookworm main\n"
            "deb http://mirror.invalid/debian/ bookworm-updates main\n"
            "deb http://mirror.invalid/debian-security/ bookworm-security main\n",
            settings.apt_sources("bookworm"),
        )
        self.assertEqual([], self.updates)

    def test_other_release(self) -> None:
        """Another release comes from the same mirrors."""
        own = settings.apt_sources("bookworm")
        self.assertEqual(own.replace("bookworm", "trixie"), settings.apt_sources("trixie"))
        self.assertEqual("http://mirror.invalid/debian/", debootstrap.mirror("trixie"))

    def test_no_sources(self) -> None:
        """Without lists, apt fetches them once; without a source of the release, it is named."""
        self.patch(debootstrap, "found_sources", lambda: SOURCES[-1:])
        error = self.assertRaises(OSError, settings.apt_sources, "trixie")
        self.assertIn("bookworm", str(error))
        self.assertEqual(["update"], self.updates)

    def test_options(self) -> None:
        """Only the options for fetching are taken."""
        dumped = 'APT "";\nAcquire::Retries "3";\nAcquire::http::Proxy "http://p/";\nDir "/";\n'
        wanted = 'Acquire::Retries "3";\nAcquire::http::Proxy "http://p/";\n'
        self.assertEqual(wanted, settings.apt_options(dumped))


class PipTests(SynchronousTestCase):
    """pip's settings."""

    def setUp(self) -> None:
        self.root = Directory(os.path.abspath(self.mktemp()))

    def test_variables_win(self) -> None:
        """A variable of the environment overrides a file's setting; other settings are left out."""
        settings.configure_pip(
            self.root,
            ":env:.index-url='https://variable.invalid/simple'\n"
            ":env:.no-color='1'\n"
            "global.index-url='https://file.invalid/simple'\n"
            "install.find-links='https://a.invalid/ https://b.invalid/'\n"
            "install.user='true'\n",
        )
        self.assertEqual(
            "[global]\nindex-url = https://variable.invalid/simple\n\n"
            "[install]\nfind-links = https://a.invalid/\n\thttps://b.invalid/\n\n",
            self.root.read("etc/pip.conf"),
        )
        self.assertEqual([], self.root.bound)

    def test_local(self) -> None:
        """
        Files of the machine are copied, and its directories appear, where the settings say; an
        index appears with the files beside it.
        """
        wheels, certificate = os.path.abspath(self.mktemp()), os.path.abspath(self.mktemp())
        index = os.path.join(os.path.abspath(self.mktemp()), "simple")
        os.makedirs(wheels)
        os.makedirs(index)
        with open(certificate, "w") as opened:
            opened.write("one")
        settings.configure_pip(
            self.root,
            f"global.cert={certificate!r}\n"
            f"global.extra-index-url='file://{index} file:///no/such/directory'\n"
            f"global.find-links='{wheels}'\n",
        )
        self.assertEqual(
            f"[global]\ncert = /machine{certificate}\n"
            f"extra-index-url = file:///machine{index}\n\tfile:///no/such/directory\n"
            f"find-links = /machine{wheels}\n\n",
            self.root.read("etc/pip.conf"),
        )
        self.assertEqual("one", self.root.read("/machine" + certificate))
        bound = [os.path.dirname(index), wheels]
        self.assertEqual([(path, "/machine" + path) for path in bound], self.root.bound)
