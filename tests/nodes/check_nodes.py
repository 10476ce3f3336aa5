"""The nodes themselves: their power, identity, engines and storage."""

import json
import os
import re
import stat

from .machines.node import CommandFailed, NodeError
from .support import NodesTestCase, is_exclusive

MACHINE_ID, BOOT_ID = "/etc/machine-id", "/proc/sys/kernel/random/boot_id"


def identity(node):
    """:return: the machine id and the boot id of a node."""
    return tuple(node.run(["cat", path]).strip() for path in (MACHINE_ID, BOOT_ID))


class PowerTests(NodesTestCase):
    """A node's identity, and the ways in which it starts and ends."""

    def test_identities(self):
        """The machine, boot and instance ids and the names differ; the nodes reach one another."""
        first, second = self.nodes
        found = [
            (*identity(node), self.service.instance_id(node), node.run("hostname"))
            for node in (first, second)
        ]
        with open(BOOT_ID) as opened:
            here = ("", opened.read().strip(), "", "")
        for ids in zip(here, *found):
            self.assertEqual(3, len(set(ids)), ids)
        greeting = first.run("curl --silent --http0.9 --max-time 2 node-2:22", check=False)
        self.assertIn("OpenSSH", greeting.output)

    def test_reboot(self):
        """After a reboot the boot id differs, the machine id does not, and files are there."""
        node = self.nodes[2]
        node.put(b"kept\0", "/srv/some/file", 0o600)
        before, pid = identity(node), node.pid
        node.reboot()
        after = identity(node)
        self.assertEqual(before[0], after[0])
        self.assertNotEqual(before[1], after[1])
        self.assertNotEqual(pid, node.pid)
        self.assertEqual(b"kept\0", node.pull("/srv/some/file"))
        self.assertEqual("600\n", node.run("stat -c %a /srv/some/file"))

    def test_power_off(self):
        """A node that is shut down stops its services first; it is off, and starts again."""
        node = self.nodes[2]
        node.run("systemd-run --unit=last --property=ExecStop='/bin/touch /srv/stopped' sleep 999")
        node.power_off()
        self.assertFalse(node.is_up)
        self.assertIsNone(node.pid)
        with self.assertRaises(NodeError):
            node.run("true")
        node.start()
        self.assertTrue(node.is_up)
        self.assertEqual("0\n", node.run("stat -c %s /srv/stopped"))

    def test_sudden_death(self):
        """
        A node that dies stops nothing, writes nothing, and holds no device afterwards; its volume
        has what was written to disk before.
        """
        node, other = self.nodes[2], self.nodes[1]
        volume, device = self.attached(node)
        node.run(f"mkfs.ext4 -q {device} && mount {device} /mnt && echo x >/mnt/file && sync /mnt")
        node.run("systemd-run --unit=last --property=ExecStop='/bin/touch /srv/died' sleep 999")
        self.assertFalse(is_exclusive(device))
        node.die()
        self.assertIsNone(node.pid)
        self.assertTrue(is_exclusive(device))
        self.assertEqual("x\n", other.run(f"mount {device} /mnt && cat /mnt/file; umount /mnt"))
        node.start()
        self.assertNotEqual(0, node.run("test -e /srv/died", check=False).code)
        self.assertNotEqual(0, node.run("mountpoint -q /mnt", check=False).code)

    def test_failed_command(self):
        """A failed command is an error with its output."""
        with self.assertRaisesRegex(CommandFailed, r"(?s)node-1: .*exit code 3\nout\nerr"):
            self.nodes[1].run("echo out; echo err >&2; exit 3")

    def test_kernel_settings(self):
        """A node can change the settings of its own network, and none that all share."""
        node = self.nodes[1]
        shared = node.run("echo 1 >/proc/sys/vm/overcommit_memory", check=False)
        self.assertIn("Read-only file system", shared.errors)
        node.run("echo 1 >/proc/sys/net/ipv4/ip_forward")

    def test_control_group(self):
        """No process is in the node's own control group, so that systemd may divide it."""
        for node in self.nodes:
            self.assertEqual("", node.run("cat /sys/fs/cgroup/cgroup.procs"))
            self.assertIn("1\n", node.run("cat /sys/fs/cgroup/init.scope/cgroup.procs"))


class EngineTests(NodesTestCase):
    """The nodes' Docker Engines."""

    def test_container(self):
        """Each engine runs containers of images that no registry has."""
        self.machines.load("busybox", "postgres")
        for node in self.nodes:
            network = node.run("docker run --rm --network=none busybox ip link")
            self.assertEqual(["lo"], re.findall(r"^\d+: (\w+)", network, re.MULTILINE))
            version = node.run("docker run --rm --network=none postgres postgres --version")
            self.assertIn("(PostgreSQL)", version)

    def test_engines_are_separate(self):
        """A container of one node is not the other's, and ends with its node."""
        self.machines.load("busybox")
        first, second = self.nodes
        second.run("docker run --detach --network=none --name lonely busybox sleep 999")
        self.assertEqual("", first.run("docker ps --all --quiet"))
        second.die()
        second.start()
        state = second.run("docker inspect --format '{{.State.Running}}' lonely")
        self.assertEqual("false\n", state)
        second.run("docker rm lonely")


class ServiceTests(NodesTestCase):
    """The embedded service, as the nodes see it."""

    def test_volumes(self):
        """
        The installed command lists volumes, attaches one to its node, and finds the device; the
        other node sees by which one the volume is used.
        """
        other, node = self.nodes
        volume, device = self.attached(node)
        mode = os.stat(device).st_mode
        self.assertTrue(stat.S_ISBLK(mode))
        [listed] = self.txstorage(other, "volumes list")["volumes"]
        self.assertEqual(volume, listed["volume_id"])
        self.assertEqual([self.service.instance_id(node)], listed["attached_to"])
        self.assertEqual(str(2**30), node.run(f"blockdev --getsize64 {device}").strip())

    def test_move_over_ssh(self):
        """A volume with a file moves to the other node, with commands of one node over ssh."""
        first, second = self.nodes
        volume, device = self.attached(first)
        first.run(f"mkfs.ext4 -q {device} && mount {device} /mnt && echo x >/mnt/file; umount /mnt")
        first.run("test -e ~/.ssh/id_rsa || ssh-keygen -q -N '' -f ~/.ssh/id_rsa -t rsa")
        second.put(first.pull("/root/.ssh/id_rsa.pub"), "/root/.ssh/authorized_keys", 0o600)
        ssh = "ssh -o BatchMode=yes -o StrictHostKeyChecking=no node-2"
        self.assertEqual("node-2\n", first.run(f"{ssh} hostname"))
        first.run(f"txstorage volumes detach {volume}")
        attached = first.run(f"{ssh} txstorage --json volumes attach {volume}")
        device = json.loads(attached)["device_path"]
        read = f"'mount {device} /mnt && cat /mnt/file; umount /mnt'"
        self.assertEqual("x\n", first.run(f"{ssh} {read}"))
        [listed] = self.txstorage(first, "volumes list")["volumes"]
        self.assertEqual([self.service.instance_id(second)], listed["attached_to"])

    def test_power(self):
        """The server of a node that died is ``SHUTOFF`` once it is stopped, until it is started."""
        node = self.nodes[2]
        node.die()
        self.assertEqual("SHUTOFF", self.service.stop_server(node))
        self.addCleanup(self.service.start_server, node)
        self.assertEqual("ACTIVE", self.service.server_status(self.nodes[1]))
        self.doCleanups()
        self.assertEqual("ACTIVE", self.service.server_status(node))

    def test_killed(self):
        """A service that is killed can't be reached; started again, it has the same volumes."""
        node = self.nodes[1]
        volume, device = self.attached(node)
        self.service.kill()
        self.assertIsNone(self.service.pid)
        failed = node.run("txstorage volumes list", check=False)
        self.assertNotEqual(0, failed.code)
        self.service.start()
        self.assertEqual(device, self.txstorage(node, f"volumes show {volume}")["device_path"])
