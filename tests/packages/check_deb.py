"""The ``.deb`` in a clean root: installed, used, upgraded, and removed without the data."""

import hashlib
import os
import shutil
import subprocess

from ..helpers.loops import loops_below
from .root import CONFIGURATION
from .support import PackagesTestCase

EXAMPLE = "/etc/txstorage/agent.yml.example"
STATE = "/var/lib/txstorage"


def digest(content):
    return hashlib.sha256(content).hexdigest()


class LifeTests(PackagesTestCase):
    """From the installation to the purge."""

    def setUp(self):
        super().setUp()
        self.machine = self.root()
        self.install(self.machine)
        self.calls = self.machine.systemctl_calls()

    def process(self):
        """:return: the id, inside, of the service's process; ``None`` when none runs."""
        code, pid = self.machine.run("cat /run/txstorage.pid", check=False)
        if code or self.machine.run("test -d /proc/" + pid, check=False)[0]:
            return None
        return int(pid)

    def attached(self):
        """:return: a new volume's id and device, with a file system and a file on it, mounted."""
        volume = self.machine.txstorage("volumes create 1GiB")["volume_id"]
        device = self.machine.txstorage("volumes attach " + volume)["device_path"]
        subprocess.run(["mkfs.ext4", "-q", device], check=True)
        self.machine.run(["mount", device, "/mnt"])
        self.content = digest(os.urandom(64)).encode()
        self.machine.run(["sh", "-c", f"printf %s {self.content.decode()} >/mnt/file"])
        self.machine.run("sync /mnt/file")
        return volume, device

    def read(self):
        return self.machine.run("cat /mnt/file").encode()

    def test_installed(self):
        """
        The command is there and only root can change it; nothing is started, and no package is
        broken.
        """
        self.assertIn("serve", self.machine.run("txstorage --help"))
        self.assertEqual(["daemon-reload"], self.calls)
        self.assertIsNone(self.process())
        self.assertFalse(os.path.exists(self.machine.within(STATE)))
        self.assertEqual("", self.machine.run("dpkg --audit"))
        self.assertEqual("", self.machine.run("dpkg --verify txstorage"))
        writable = "find /opt/txstorage /etc/txstorage ( -perm /022 ! -type l ) -o ! -user root"
        self.assertEqual("", self.machine.run(writable))

    def test_imports_nothing_else(self):
        """Every import is the package's own or the interpreter's."""
        paths = self.machine.run(
            [
                "/opt/txstorage/bin/python",
                "-c",
                "import sys, txstorage.cli.main, txstorage.embedded.service\n"
                "for each in list(sys.modules.values()):\n"
                "    path = getattr(each, '__file__', None)\n"
                "    if path: print(path)",
            ]
        ).splitlines()
        self.assertTrue(any(path.startswith("/opt/txstorage/lib/") for path in paths))
        other = [
            path for path in paths if not path.startswith(("/opt/txstorage/", "/usr/lib/python3"))
        ]
        self.assertEqual([], other)
        self.assertEqual([], [path for path in paths if "/dist-packages/" in path])

    def test_clouds(self):
        """The package contains the extra ``clouds``: a configuration may name a cloud."""
        self.machine.run(["/opt/txstorage/bin/python", "-c", "import openstack.config"])

    def test_ec2(self):
        """
        The package contains the extra ``ec2``: the driver's codec and the addresses of Amazon's
        services load from it, and the descriptions of other services are left out.
        """
        self.machine.run(
            [
                "/opt/txstorage/bin/python",
                "-c",
                "from txstorage.clouds.ec2.codec import ServiceCodec, endpoint_of\n"
                "for name in ('ec2', 'sts'):\n"
                "    ServiceCodec.load(name)\n"
                "    assert endpoint_of(name, 'eu-west-1').endswith('eu-west-1.amazonaws.com')",
            ]
        )
        data = "ls -d /opt/txstorage/lib/python3*/site-packages/botocore/data/*/"
        found = self.machine.run(["sh", "-c", data]).split()
        self.assertEqual(["ec2", "sts"], [path.split("/")[-2] for path in found])

    def test_example(self):
        """The example is a valid configuration, except for the secret's file, which it names."""
        code, output = self.machine.run(f"txstorage --config {EXAMPLE} doctor", check=False)
        self.assertEqual(1, code, output)
        self.assertIn("/etc/txstorage/secret", output)

    def test_used(self):
        """
        Started as the unit defines, with only the unit's capabilities, the service has real
        volumes, from
        creation to destruction.
        """
        self.start(self.machine)
        self.assertIsNotNone(self.process())
        self.assertEqual(0o700, os.stat(self.machine.within(STATE)).st_mode & 0o777)
        status = self.machine.run(f"cat /proc/{self.process()}/status")
        self.assertRegex(status, r"CapBnd:\t0000000000200000\n")
        self.assertRegex(status, r"NoNewPrivs:\t1\n")
        volume, device = self.attached()
        self.assertRegex(device, r"^/dev/loop\d+$")
        self.assertEqual(self.content, self.read())
        self.machine.run("umount /mnt")
        self.machine.txstorage("volumes detach " + volume)
        self.assertEqual({}, loops_below(self.machine.path))
        self.machine.txstorage("volumes destroy --yes " + volume)
        self.assertEqual([], self.machine.txstorage("volumes list")["volumes"])
        self.machine.run(f"txstorage --config {CONFIGURATION} doctor")

    def test_upgraded(self):
        """
        An upgrade with a mounted volume restarts the service, and the volume remains usable
        throughout.
        """
        self.start(self.machine)
        volume, device = self.attached()
        before = self.process()
        self.install(self.machine, "next")
        self.assertEqual(
            ["daemon-reload", "try-restart txstorage.service txstorage-docker.service"],
            [call for call in self.machine.systemctl_calls() if not call.startswith("enable")],
        )
        self.assertNotIn(self.process(), (None, before))
        self.assertIn("-2", self.machine.run("dpkg-query -W -f ${Version} txstorage"))
        self.assertEqual(self.content, self.read())
        path = self.machine.txstorage("volumes path " + volume)["device_path"]
        self.assertEqual(device, path)
        self.machine.run("umount /mnt")
        self.machine.txstorage("volumes detach " + volume)
        self.assertEqual({}, loops_below(self.machine.path))

    def test_upgraded_while_stopped(self):
        """An upgrade does not start a service that did not run."""
        self.install(self.machine, "next")
        self.assertIsNone(self.process())

    def test_removed_and_purged(self):
        """
        Removing and purging the package with a mounted volume removes the service and the files;
        the data stays, and the next installation finds it.
        """
        self.start(self.machine)
        volume, device = self.attached()
        self.machine.systemctl_calls()
        self.machine.run("apt-get remove --yes --quiet txstorage")
        self.assertEqual(
            ["disable --now txstorage-docker.socket txstorage.service", "daemon-reload"],
            self.machine.systemctl_calls(),
        )
        self.assertIsNone(self.process())
        self.assertFalse(os.path.exists(self.machine.within("/opt/txstorage")))
        self.assertFalse(os.path.lexists(self.machine.within("/usr/bin/txstorage")))
        self.assertTrue(os.path.exists(self.machine.within(EXAMPLE)))
        self.assertEqual(self.content, self.read())

        purge = ["sh", "-c", "apt-get purge --yes --quiet txstorage 2>&1"]
        self.assertIn("The volumes remain in /var/lib/txstorage.", self.machine.run(purge))
        self.assertFalse(os.path.exists(self.machine.within("/etc/txstorage")))
        self.assertEqual(self.content, self.read())
        self.assertEqual([device], list(loops_below(self.machine.path)))

        self.install(self.machine)
        self.start(self.machine)
        shown = self.machine.txstorage("volumes show " + volume)
        self.assertEqual(device, shown["device_path"])
        self.assertEqual(self.content, self.read())

    def test_settings(self):
        """The settings' example changes nothing; a setting counts after a restart."""
        own = self.machine.within("/etc/txstorage/serve.yml")
        shutil.copy(self.machine.within("/etc/txstorage/serve.yml.example"), own)
        self.start(self.machine)
        agents = ["sh", "-c", "cd /var/lib/txstorage; echo agent-*.yml"]
        self.assertEqual("agent-node-1.yml agent-node-2.yml\n", self.machine.run(agents))
        with open(own, "a", encoding="utf-8") as opened:
            opened.write("node: third\n")
        self.machine.run("systemctl restart txstorage.service")
        self.assertIn("agent-third.yml", self.machine.run(agents))

    def test_own_configuration_stays(self):
        """The operator's files beside the examples survive the purge."""
        own = self.machine.within("/etc/txstorage/agent.yml")
        with open(own, "w", encoding="utf-8") as opened:
            opened.write("version: 1\n")
        self.machine.run("apt-get purge --yes --quiet txstorage")
        self.assertEqual(["agent.yml"], os.listdir(os.path.dirname(own)))
