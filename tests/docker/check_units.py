"""The plugin as systemd runs it, with the units of the ``.deb``, beside a real engine."""

from __future__ import annotations

import json

from ..nodes.support import NodesTestCase

SOCKET = "/run/docker/plugins/txstorage.sock"
AGENT = "/etc/txstorage/agent.yml"
#: Writes to its volume, ten times a second.
WRITER = "while date >>/data/log; do usleep 100000; done"
RUN = "docker run --network=none --volume-driver txstorage -v notes:/data"
#: Waits at most half a minute until a command succeeds.
UNTIL = "timeout 30 sh -c 'until {}; do sleep 0.2; done'"


class UnitsTestCase(NodesTestCase):
    """Base: a node with the socket's unit, and a container that writes to a volume."""

    def setUp(self):
        super().setUp()
        self.machines.load("busybox")
        self.node = self.nodes[1]
        self.addCleanup(self.clean)
        self.node.run("systemctl enable --now txstorage-docker.socket")

    def clean(self):
        """Remove the container and the volume, and stop the plugin."""
        self.machines.restore()
        node = self.node
        node.run("systemctl start txstorage-docker.socket")
        node.run("docker rm --force writer", check=False)
        node.run("docker volume rm notes", check=False)
        node.run("systemctl disable --now txstorage-docker.socket txstorage-docker.service")
        self.assertEqual([], self.txstorage(node, "volumes list")["volumes"])

    def begin(self, *options):
        """Start the container."""
        words = " ".join(options)
        self.node.run(f"{RUN} --detach --name writer {words} busybox sh -c '{WRITER}'")
        self.written()

    def written(self):
        """Wait until the container has written once more."""
        lines = "docker exec writer grep -c . /data/log"
        before = self.node.run(UNTIL.format(lines)).strip()
        self.node.run(UNTIL.format(f'test "$({lines})" -gt {before}'))

    def plugin(self):
        """:return: the id of the plugin's process, text; ``0`` when it does not run."""
        show = "systemctl show --value --property=MainPID txstorage-docker.service"
        return self.node.run(show).strip()

    def mounted(self):
        """:return: whether the volume is mounted on the node."""
        return self.node.run("grep -q ' /var/lib/txstorage/docker/mounts/notes ' /proc/mounts",
                             check=False).code == 0  # fmt: skip


class ActivationTests(UnitsTestCase):
    """The socket, and the plugin that it starts."""

    def test_started_by_engine(self):
        """The plugin starts when the engine asks, with no more capabilities than it needs."""
        self.assertEqual("600 root\n", self.node.run(f"stat -c '%a %U' {SOCKET}"))
        self.assertEqual("0", self.plugin())
        self.node.run("docker volume create --driver txstorage --opt size=1GiB notes")
        pid = self.plugin()
        self.assertNotEqual("0", pid)
        self.assertRegex(self.node.run(f"cat /proc/{pid}/status"), r"CapBnd:\t000000000028021f\n")
        same = self.node.run(f"readlink /proc/1/ns/mnt /proc/{pid}/ns/mnt").split()
        self.assertEqual(1, len(set(same)))
        self.assertEqual("700\n", self.node.run("stat -c %a /var/lib/txstorage/docker"))

    def test_stopped(self):
        """
        When the socket stops, the plugin stops, and no socket is left; the container keeps its
        volume.
        """
        self.begin()
        self.node.run("systemctl stop txstorage-docker.socket")
        self.assertEqual("0", self.plugin())
        self.assertNotEqual(0, self.node.run(f"test -e {SOCKET}", check=False).code)
        self.written()
        self.assertTrue(self.mounted())

    def test_restarted(self):
        """
        A new plugin, as after an upgrade or a kill, has the same socket, and finds the mount; the
        container writes meanwhile.
        """
        self.begin()
        for command in ("restart", "kill --signal=KILL"):
            before = self.plugin()
            self.node.run(f"systemctl {command} txstorage-docker.service")
            self.node.run("docker exec writer true")
            self.written()
            self.node.run(UNTIL.format("docker volume inspect notes >/dev/null"))
            self.assertNotIn(self.plugin(), (before, "0"))
            self.assertTrue(self.mounted())
        self.node.run("docker rm --force writer")
        self.assertFalse(self.mounted())

    def test_configuration(self):
        """With a configuration that is wrong, the plugin is tried again until it is right."""
        self.node.run(f"mv {AGENT} {AGENT}.away")
        self.addCleanup(self.node.run, f"mv {AGENT}.away {AGENT}", check=False)
        # an engine's request may have started it before
        self.node.run("systemctl restart --no-block txstorage-docker.service")
        self.node.run(UNTIL.format(
            'test "$(systemctl show --value --property=NRestarts txstorage-docker.service)" -gt 1'
        ))  # fmt: skip
        self.assertIn("no file is named", self.node.run("journalctl --unit=txstorage-docker"))
        self.node.run(f"mv {AGENT}.away {AGENT}")
        self.node.run("docker volume create --driver txstorage --opt size=1GiB notes")


class BootTests(UnitsTestCase):
    """The order of the plugin and the engine."""

    def test_reboot(self):
        """After a reboot, a container that always restarts has its volume and its data."""
        self.begin("--restart=always")
        first = self.node.run("docker exec writer head -n 1 /data/log")
        self.node.reboot()
        self.node.run(UNTIL.format("docker exec writer true"))
        self.written()
        self.assertEqual(first, self.node.run("docker exec writer head -n 1 /data/log"))
        self.assertTrue(self.mounted())


class CheckTests(UnitsTestCase):
    """``txstorage docker-plugin --check`` and the doctor, beside real engines."""

    def check(self, node, code):
        """:return: the findings on a node, by name, each an outcome and a remedy."""
        done = node.run("txstorage --json docker-plugin --check", check=False)
        self.assertEqual(code, done.code, done.output + done.errors)
        steps = json.loads(done.output)["steps"]
        return {step["name"]: (step["outcome"], step["remedy"]) for step in steps}

    def test_well(self):
        """A node on which all is well, with a container that uses a volume."""
        self.begin()
        found = self.check(self.node, 0)
        # no volume is encrypted
        self.assertEqual("skipped", found.pop("encryption")[0])
        self.assertEqual({"ok"}, {outcome for outcome, _ in found.values()}, found)
        self.assertEqual("ok", self.docker_step(self.node)["outcome"])
        shown = self.txstorage(self.node, "volumes show notes")
        self.assertEqual("notes", shown["docker_name"])
        self.assertIn("/data", [each["place"] for each in shown["holders"]])

    def docker_step(self, node):
        """:return: the doctor's finding about Docker."""
        steps = json.loads(node.run("txstorage --json doctor", check=False).output)["steps"]
        [step] = [each for each in steps if each["name"] == "docker"]
        return step

    def test_problems(self):
        """A local volume in the place of the plugin's, and a dead socket, are found."""
        self.node.run("docker volume create --driver txstorage --opt size=1GiB notes")
        other = self.nodes[2]
        dead = "/run/docker/plugins/dead.sock"
        bind = f"import socket; socket.socket(socket.AF_UNIX).bind('{dead}')"
        self.addCleanup(other.run, f"rm -f {dead}; docker volume rm notes")
        other.run("docker volume create notes")
        other.run(["python3", "-c", bind])
        found = self.check(other, 1)
        self.assertEqual("fail", found["local volumes"][0])
        self.assertIn("docker volume rm notes", found["local volumes"][1])
        self.assertEqual("fail", found["sockets"][0])
        self.assertIn(f"remove {dead}", found["sockets"][1])
        self.assertEqual("fail", self.docker_step(other)["outcome"])

    def test_namespace(self):
        """A plugin whose mounts the engine does not see is found."""
        folder = "/run/systemd/system/txstorage-docker.service.d"
        self.addCleanup(self.node.run, f"rm -rf {folder}; systemctl daemon-reload")
        self.node.put(b"[Service]\nPrivateTmp=yes\n", f"{folder}/private.conf")
        self.node.run("systemctl daemon-reload")
        self.node.run("docker volume create --driver txstorage --opt size=1GiB notes")
        outcome, remedy = self.check(self.node, 1)["mounts"]
        self.assertEqual("fail", outcome)
        self.assertIn("PrivateTmp=", remedy)
        refused = self.node.run(f"{RUN} --rm busybox true", check=False)
        self.assertIn("PrivateTmp", refused.errors)
