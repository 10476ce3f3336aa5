"""The contents of the packages, and the settings of their unit."""

import os
import re
import subprocess

from ..run import ROOT
from .support import PackagesTestCase

UNIT = "usr/lib/systemd/system/txstorage.service"
PLUGIN = "usr/lib/systemd/system/txstorage-docker.service"
SOCKET = "usr/lib/systemd/system/txstorage-docker.socket"
#: The settings of the plugin's unit, none of which makes a mount namespace.
HARMLESS = """\
ExecStart Type Restart RestartSec KillMode StateDirectory StateDirectoryMode UMask OOMScoreAdjust
CapabilityBoundingSet NoNewPrivileges LockPersonality RestrictAddressFamilies RestrictNamespaces
RestrictRealtime SystemCallArchitectures KeyringMode
""".split()
#: systemd's exposure level, in tenths: at most "OK".
EXPOSURE = 30


def output_of(*command):
    """:return: a command's output, standard error too."""
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
        universal_newlines=True,
    ).stdout


def listed(directory):
    """:return: the relative paths of all files and links below a directory."""
    return sorted(
        os.path.relpath(os.path.join(place, name), directory)
        for place, directories, files in os.walk(directory)
        for name in files + [d for d in directories if os.path.islink(os.path.join(place, d))]
    )


class FilesTestCase(PackagesTestCase):
    """Base: the ``.deb``, unpacked."""

    def setUp(self):
        super().setUp()
        self.place = os.path.abspath(self.mktemp())
        os.makedirs(self.place)
        self.tree = os.path.join(self.place, "deb")
        subprocess.run(["dpkg-deb", "-x", self.package("deb"), self.tree], check=True)


class ContentsTests(FilesTestCase):
    """The files."""

    def test_names(self):
        """Each kind of package exists once, under the name that its tools expect."""
        names = sorted(os.listdir(self.made["current"]))
        kinds = r"py2-none-any\.whl|py3-none-any\.whl|tar\.gz|deb|rpm"
        self.assertEqual(5, len(names), names)
        self.assertEqual(5, len({re.search(f"({kinds})$", n).group() for n in names}))

    def test_wheel_for_python_2(self):
        """The wheel for Python 2 has the driver, and no Python 3 wing."""
        names = output_of("python3", "-m", "zipfile", "-l", self.package("py2-none-any.whl"))
        for name in ("txstorage/driver/operations.py", "txstorage/py.typed"):
            self.assertIn(name, names)
        for part in ("txstorage/embedded/", "txstorage/cli/", "tests/"):
            self.assertNotIn(part, names)

    def test_same(self):
        """The ``.rpm`` holds the files of the ``.deb``, byte for byte."""
        other = os.path.join(self.place, "rpm")
        os.mkdir(other)
        unpack = 'cd "$1" && rpm2cpio "$2" | cpio --extract --make-directories --quiet'
        subprocess.run(["sh", "-c", unpack, "sh", other, self.package("rpm")], check=True)
        self.assertEqual(listed(self.tree), listed(other))
        subprocess.run(["diff", "--recursive", "--no-dereference", self.tree, other], check=True)

    def test_maintainer(self):
        """Both packages name the authors, as the wheel does, and no address."""
        command = ["rpm", "--query", "--queryformat", "%{PACKAGER}", "--package"]
        said = [
            output_of("dpkg-deb", "--field", self.package("deb"), "Maintainer").rstrip("\n"),
            output_of(*command, "--dbpath", self.place, self.package("rpm")),
        ]
        self.assertEqual(["The txstorage developers"] * 2, said)

    def test_places(self):
        """Beside the environment there are the command, its unit and the files of the shells."""
        beside = [
            path
            for path in listed(self.tree)
            if not path.startswith(("opt/txstorage/", "usr/share/man/man1/"))
        ]
        self.assertEqual(
            [
                "etc/txstorage/agent.yml.example",
                "etc/txstorage/docker-plugin.yml.example",
                "etc/txstorage/serve.yml.example",
                "usr/bin/txstorage",
                PLUGIN,
                SOCKET,
                UNIT,
                "usr/share/bash-completion/completions/txstorage",
                "usr/share/doc/txstorage/copyright",
                "usr/share/fish/vendor_completions.d/txstorage.fish",
                "usr/share/zsh/site-functions/_txstorage",
                "usr/share/zsh/vendor-completions/_txstorage",
            ],
            beside,
        )

    def test_man_pages(self):
        """Each command has a man page; the tests of the shell files check their contents."""
        pages = os.listdir(os.path.join(self.tree, "usr/share/man/man1"))
        for name in ("txstorage", "txstorage-serve", "txstorage-volumes-list"):
            self.assertIn(name + ".1", pages)

    def test_origins(self):
        """No file reveals the directory in which the package was made."""
        for path in listed(self.tree):
            path = os.path.join(self.tree, path)
            if os.path.islink(path):
                self.assertNotIn(ROOT, os.readlink(path))
                continue
            with open(path, "rb") as opened:
                content = opened.read()
            for place in ((ROOT + os.sep).encode(), b"tmp/tmp", self.made["current"].encode()):
                self.assertNotIn(place, content, path)


class UnitTests(FilesTestCase):
    """The unit, as systemd reads it."""

    def setUp(self):
        super().setUp()
        with open(os.path.join(self.tree, UNIT), encoding="utf-8") as opened:
            self.unit = opened.read()

    def verified(self, unit):
        """:return: systemd's complaints; the command's path is the unpacked one."""
        path = os.path.join(self.place, "txstorage.service")
        with open(path, "w", encoding="utf-8") as opened:
            opened.write(unit.replace("=/opt/", f"={self.tree}/opt/"))
        return output_of("systemd-analyze", "verify", "--man=no", path)

    def test_verified(self):
        """systemd knows each setting; an unknown setting is found."""
        self.assertEqual("", self.verified(self.unit))
        self.assertIn(
            "ProtectHomes", self.verified(self.unit.replace("ProtectHome=", "ProtectHomes="))
        )

    def test_security(self):
        """systemd's own exposure level is good."""
        path = os.path.join(self.tree, UNIT)
        command = ["systemd-analyze", "security", "--offline=true"]
        output_of(*command, f"--threshold={EXPOSURE}", path)
        self.assertIn("NoNewPrivileges=yes\n", self.unit)
        self.assertIn("CapabilityBoundingSet=CAP_SYS_ADMIN\n", self.unit)


class PluginUnitsTests(FilesTestCase):
    """The socket and the service of the Docker volume plugin, as systemd reads them."""

    def unit(self, name):
        """:return: the sections of a unit, whose settings are lists."""
        sections = {}
        with open(os.path.join(self.tree, name), encoding="utf-8") as opened:
            for line in opened:
                if line.startswith("["):
                    section = sections.setdefault(line.strip()[1:-1], {})
                elif "=" in line and not line.startswith("#"):
                    key, value = line.strip().split("=", 1)
                    section.setdefault(key, []).append(value)
        return sections

    def test_verified(self):
        """systemd knows each setting of both; an unknown setting is found."""
        paths = []
        for name in (PLUGIN, SOCKET):
            with open(os.path.join(self.tree, name), encoding="utf-8") as opened:
                text = opened.read().replace("=/opt/", f"={self.tree}/opt/")
            paths.append(os.path.join(self.place, os.path.basename(name)))
            with open(paths[-1], "w", encoding="utf-8") as target:
                target.write(text)
        verify = ["systemd-analyze", "verify", "--man=no", *paths]
        self.assertEqual("", output_of(*verify))
        with open(paths[-1], "a", encoding="utf-8") as target:
            target.write("[Socket]\nRemoveOnStopp=yes\n")
        self.assertIn("RemoveOnStopp", output_of(*verify))

    def test_no_mount_namespace(self):
        """No setting makes a mount namespace, in which engines would not see the mounts."""
        self.assertEqual(set(), set(self.unit(PLUGIN)["Service"]) - set(HARMLESS))

    def test_socket(self):
        """Only root can connect to the socket, which leaves no file when it stops."""
        socket = self.unit(SOCKET)["Socket"]
        self.assertEqual(["/run/docker/plugins/txstorage.sock"], socket["ListenStream"])
        self.assertEqual((["0600"], ["yes"]), (socket["SocketMode"], socket["RemoveOnStop"]))

    def test_order(self):
        """The socket is there before engines start, and the plugin until they have stopped."""
        for name in (PLUGIN, SOCKET):
            [before] = self.unit(name)["Unit"]["Before"]
            self.assertIn("docker.service", before.split())
        self.assertEqual(["sockets.target"], self.unit(SOCKET)["Install"]["WantedBy"])
        self.assertNotIn("Install", self.unit(PLUGIN))
