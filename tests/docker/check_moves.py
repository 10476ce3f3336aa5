"""Volumes that move between nodes, of which one may be dead."""

from .engines import GIVEN_BACK, EngineTestCase


class MoveTests(EngineTestCase):
    """A volume with a file, in use on the second node."""

    def setUp(self):
        super().setUp()
        self.create("moving")
        self.begin(self.second, "moving", "one")
        self.second.run("docker exec one sh -c 'echo x >/d/f; sync'")

    def refused(self):
        """:return: the error of a container on the first node."""
        failed = self.first.run(
            "docker run --network=none --rm -v moving:/d busybox cat /d/f", check=False
        )
        self.assertNotEqual(0, failed.code)
        return failed.errors

    def test_alive(self):
        """A node that is alive keeps its volume, and the error names it."""
        self.assertIn(self.service.instance_id(self.second), self.refused())
        self.assertEqual("x\n", self.second.run("docker exec one cat /d/f"))

    def test_moved(self):
        """When the container has ended, the other node gets the volume at once."""
        self.second.run("docker rm --force one")
        self.assertEqual("x\n", self.shell(self.first, "moving", "cat /d/f"))

    def test_dead(self):
        """A node that died keeps its volume until the cloud reports it as off."""
        self.second.die()
        self.assertIn("which is alive", self.refused())
        self.service.stop_server(self.second)
        self.assertEqual("x\n", self.shell(self.first, "moving", "cat /d/f"))

    def test_rebooted(self):
        """A node that reboots has its volume again, also when it died before."""
        for end in (self.second.reboot, self.second.die):
            end()
            if self.second.pid is None:
                self.second.start()
            self.second.run("docker start one")
            self.assertEqual("x\n", self.second.run("docker exec one cat /d/f"))
            self.assertIn("which is alive", self.refused())

    def test_rebooted_without(self):
        """The volume of a container that is not started again after a reboot is given back."""
        self.second.die()
        self.second.start()
        self.second.run("systemctl start txstorage-docker.service")
        self.wait(self.free, GIVEN_BACK)
        self.assertEqual("x\n", self.shell(self.first, "moving", "cat /d/f"))
