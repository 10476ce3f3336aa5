"""The ``.rpm``: its metadata and its scriptlets."""

import os
import shutil
import subprocess

from .support import PackagesTestCase

#: The scriptlets and their argument: the number of versions installed afterwards.
CALLS = [
    ("postin", 1, ["daemon-reload"]),
    ("postin", 2, ["daemon-reload"]),
    ("preun", 1, []),
    ("preun", 0, ["disable --now txstorage-docker.socket txstorage.service"]),
    ("postun", 1, ["daemon-reload", "try-restart txstorage.service txstorage-docker.service"]),
    ("postun", 0, ["daemon-reload"]),
]


class RpmTests(PackagesTestCase):
    """The package."""

    def setUp(self):
        super().setUp()
        # not the packages that this machine has installed with rpm: none
        self.database = os.path.abspath(self.mktemp())

    def query(self, *arguments):
        command = ["rpm", "--dbpath", self.database, "--query", "--package", *arguments]
        return subprocess.run(
            [*command, self.package("rpm")],
            stdout=subprocess.PIPE,
            check=True,
            universal_newlines=True,
        ).stdout

    def test_needs(self):
        """The package requires its environment's interpreter, and losetup."""
        needs = [each for each in self.query("--requires").split("\n") if "rpmlib" not in each]
        self.assertIn("util-linux", needs)
        [python] = [each for each in needs if "python" in each]
        files = self.query("--dump").splitlines()
        [link] = [line for line in files if line.startswith("/opt/txstorage/bin/python3.")]
        self.assertTrue(link.endswith(" " + python), link)

    def test_files(self):
        """
        Root owns all files; files that the operator may edit are not replaced; no data is owned.
        """
        fields = "[%{FILENAMES} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEFLAGS:fflags}\n]"
        # Some names contain spaces.
        files = [line.rsplit(" ", 3) for line in self.query("--queryformat", fields).splitlines()]
        self.assertGreater(len(files), 1000)
        self.assertEqual({("root", "root")}, {(user, group) for _, user, group, _ in files})
        for example in ("agent", "docker-plugin", "serve"):
            path = f"/etc/txstorage/{example}.yml.example"
            self.assertIn([path, "root", "root", "cn"], files)
        names = [name for name, *_ in files]
        for name in ("/opt/txstorage/bin/txstorage", "/usr/bin/txstorage"):
            self.assertIn(name, names)
        for shared in ("/opt", "/usr/bin", "/var/lib/txstorage"):
            self.assertNotIn(shared, names)

    def test_signature(self):
        """The package's digests match its files."""
        command = ["rpm", "--dbpath", self.database, "--checksig", self.package("rpm")]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    def test_scriptlets(self):
        """
        Each scriptlet calls systemd as its moment requires, touches no data, and succeeds without
        systemd.
        """
        root = self.root()
        os.makedirs(root.within("/var/lib/txstorage/volumes"))
        for name, left, expected in CALLS:
            script = self.query("--queryformat", f"%{{{name.upper()}}}")
            with open(root.within("root/scriptlet"), "w", encoding="utf-8") as opened:
                opened.write(script)
            root.run(f"sh -e /root/scriptlet {left}")
            self.assertEqual(expected, root.systemctl_calls(), (name, left))
        shutil.rmtree(root.within("run/systemd"))
        os.unlink(root.within("usr/bin/systemctl"))
        for name, left, _ in CALLS:
            script = self.query("--queryformat", f"%{{{name.upper()}}}")
            root.run(["sh", "-e", "-c", script, "sh", str(left)])
        self.assertTrue(os.path.isdir(root.within("/var/lib/txstorage/volumes")))
