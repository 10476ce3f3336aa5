"""The commands of Docker, with a real engine: the table of docs.docker.com's users' daily work."""

import os
import subprocess
import tarfile
import tempfile

from .engines import EngineTestCase


class CommandTests(EngineTestCase):
    """The commands that use volumes."""

    def test_life(self):
        """A volume is created, used by containers on both nodes, and removed."""
        self.create("life")
        self.wait(lambda: self.volumes(self.second) == ["life"])
        self.shell(self.first, "life", "echo one >/d/file")
        self.assertTrue(self.free())
        self.assertEqual("one\n", self.shell(self.second, "life", "cat /d/file"))
        self.assertTrue(self.free())
        self.second.run("docker volume rm life")
        self.wait(lambda: self.volumes(self.first) == [])

    def test_implicit(self):
        """A volume that does not exist is made by ``docker run`` with the driver's name."""
        self.shell(self.first, "made", "echo one >/d/file", "--volume-driver", "txstorage")
        self.assertEqual((["made"], []), (self.volumes(self.first), self.local_volumes(self.first)))
        output = self.first.run(
            "docker run --network=none --rm --mount "
            "type=volume,src=made,dst=/d,volume-driver=txstorage busybox cat /d/file"
        )
        self.assertEqual("one\n", output)

    def test_copied_up(self):
        """The image's files fill a new volume, with owner and mode, and only a new one."""
        self.load_seed()
        self.create("filled", mode="0777")
        listed = self.first.run(
            "docker run --network=none --rm -v filled:/seed seed "
            "stat -c '%u %g %a %n' /seed/file /seed"
        )
        self.assertEqual(["12 34 640 /seed/file", "12 34 750 /seed"], listed.splitlines())
        self.shell(self.first, "filled", "echo mine >/d/file; ls /d")
        output = self.second.run(
            "docker run --network=none --rm -v filled:/seed seed cat /seed/file"
        )
        self.assertEqual("mine\n", output)

    def load_seed(self):
        """Load an image that has a file where the volume comes."""
        with tempfile.TemporaryDirectory() as directory:
            tree = os.path.join(directory, "seed.tar")
            with tarfile.open(self.machines.images["busybox"].path) as base:
                base.extractall(directory + "/tree")
            os.mkdir(directory + "/tree/seed", 0o750)
            with open(directory + "/tree/seed/file", "w") as opened:
                opened.write("theirs\n")
            os.chmod(directory + "/tree/seed/file", 0o640)
            for path in ("/tree/seed", "/tree/seed/file"):
                os.chown(directory + path, 12, 34)
            subprocess.run(
                ["tar", "--numeric-owner", "-cf", tree, "-C", directory + "/tree", "."], check=True
            )
            for node in self.nodes:
                with open(tree, "rb") as opened:
                    process = node.spawn(["docker", "import", "-", "seed"], stdin=opened)
                    process.communicate()

    def test_twice_in_one_container(self):
        """One volume at two places of a container is one file system, and is given back."""
        self.create("twice")
        output = self.shell(self.first, "twice", "echo x >/d/f; cat /e/f", "-v", "twice:/e")
        self.assertEqual("x\n", output)
        self.assertTrue(self.free())

    def test_two_containers(self):
        """Two containers of a node share a volume, until the last has ended."""
        self.create("shared")
        self.begin(self.first, "shared", "one")
        self.begin(self.first, "shared", "two")
        self.first.run("docker exec one sh -c 'echo x >/d/f'")
        self.assertEqual("x\n", self.first.run("docker exec two cat /d/f"))
        self.first.run("docker stop --time 5 one")
        self.assertFalse(self.free())
        self.assertEqual("x\n", self.first.run("docker exec two cat /d/f"))
        self.first.run("docker stop --time 5 two")
        self.assertTrue(self.free())

    def test_restart(self):
        """A restarted container has its volume."""
        self.create("again")
        self.begin(self.first, "again", "one")
        self.first.run("docker exec one sh -c 'echo x >/d/f'; docker restart --time 5 one")
        self.assertEqual("x\n", self.first.run("docker exec one cat /d/f"))

    def test_copy(self):
        """``docker cp`` works with a stopped container, and a running one keeps its volume."""
        self.create("copied")
        self.begin(self.first, "copied", "one")
        self.first.run("docker cp /etc/hostname one:/d/there")
        self.assertEqual("node-1\n", self.first.run("docker exec one cat /d/there"))
        self.first.run("docker exec one sh -c 'echo x >/d/f && sync'")
        self.assertFalse(self.free())
        self.first.run("docker stop --time 5 one")
        self.assertTrue(self.free())
        self.first.run("docker cp /etc/machine-id one:/d/later && docker cp one:/d/f /tmp/f")
        self.assertEqual("x\n", self.first.run("cat /tmp/f"))
        self.assertTrue(self.free())

    def test_remove(self):
        """A volume in use is not removed; ``prune`` removes none."""
        self.create("kept")
        self.begin(self.first, "kept", "one")
        for node in self.nodes:
            self.assertNotEqual(0, node.run("docker volume rm kept", check=False).code)
        for node in self.nodes:
            node.run("docker volume prune --force")
        self.assertEqual(["kept"], self.volumes(self.first))
        self.first.run("docker exec one true")

    def test_errors(self):
        """A wrong option, and other options than the volume's, are errors with their reason."""
        for option, reason in (("Size=1", "did you mean size?"), ("fs=zfs", "use one of ext4")):
            failed = self.first.run(
                f"docker volume create -d txstorage -o {option} wrong", check=False
            )
            self.assertIn(reason, failed.errors)
        self.create("right")
        failed = self.second.run(
            "docker volume create -d txstorage -o size=2GiB right", check=False
        )
        # An engine that knows the name does not ask the plugin.
        if failed.code:
            self.assertIn("size is 1 GiB, not 2 GiB", failed.errors)
        self.assertEqual(["right"], self.volumes(self.first))

    def test_both_at_once(self):
        """Both nodes create one name at once: both use one volume, whatever else was made."""
        command = "docker volume create -d txstorage -o size=1GiB common"
        started = [node.spawn(command) for node in self.nodes]
        self.assertEqual([("common\n", "")] * 2, [each.communicate() for each in started])
        show = "docker volume inspect --format '{{.Status.id}}' common"
        self.assertEqual(1, len({node.run(show) for node in self.nodes}))
        run = "docker run --rm --network=none --volume-driver txstorage -v common:/d busybox"
        self.first.run(f"{run} sh -c 'echo x >/d/f'")
        self.assertEqual("x\n", self.second.run(f"{run} cat /d/f"))


class ComposeTests(EngineTestCase):
    """Compose, and a Swarm of one node."""

    FILE = """\
services:
  one:
    image: busybox
    network_mode: none
    command: ["sh", "-c", "echo x >/d/f; sync; trap exit TERM; while :; do sleep 1 & wait; done"]
    volumes: ["data:/d"]
volumes:
  data:
    driver: txstorage
    driver_opts: {size: 1GiB}
"""

    def compose(self, node, words):
        """Run Compose."""
        node.put(self.FILE.encode(), "/srv/app/docker-compose.yml")
        return node.run(f"cd /srv/app && docker-compose {words}")

    def test_compose(self):
        """Compose brings a volume up, again, and down, and removes it."""
        for _ in range(2):
            self.compose(self.first, "up -d")
        self.wait(
            lambda: (
                "x"
                in self.first.run(
                    "docker exec app_one_1 cat /d/f || docker exec app-one-1 cat /d/f", check=False
                ).output
            )
        )
        self.compose(self.first, "down -t 5")
        self.assertEqual(["app_data"], self.volumes(self.first))
        self.assertTrue(self.free())
        self.compose(self.first, "up -d")
        self.compose(self.first, "down -t 5 -v")
        self.assertEqual([], self.volumes(self.first))

    def test_swarm(self):
        """A service of a Swarm has its volume."""
        self.first.run("docker swarm init --listen-addr 127.0.0.1:2377 --advertise-addr 127.0.0.1")
        self.addCleanup(self.first.run, "docker swarm leave --force")
        self.first.run(
            "docker service create --detach --name web --network host --no-resolve-image "
            "--mount type=volume,src=swarmed,dst=/d,volume-driver=txstorage,volume-opt=size=1GiB "
            "busybox sh -c 'echo x >/d/f; trap exit TERM; while :; do sleep 1 & wait; done'"
        )
        running = "docker ps --quiet --filter label=com.docker.swarm.service.name=web"
        self.wait(lambda: self.first.run(running))
        self.assertEqual(["swarmed"], self.volumes(self.first))
        self.first.run("docker service rm web")
        self.wait(self.free)
        self.assertEqual("x\n", self.shell(self.second, "swarmed", "cat /d/f"))
