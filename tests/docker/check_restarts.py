"""Engines, plugins and nodes that end, and start again."""

import json

from .engines import GIVEN_BACK, UNIT, EngineTestCase

#: The containers of the engine with a given name that run.
RUNNING = "docker inspect --format '{{.State.Running}}' one"


class EngineRestartTests(EngineTestCase):
    """An engine that ends in order, or is killed."""

    def setUp(self):
        super().setUp()
        self.create("kept")
        self.addCleanup(self.live_restore, False)

    def live_restore(self, wanted):
        """Let containers survive the engine, or not."""
        path = "/etc/docker/daemon.json"
        settings = json.loads(self.first.pull(path))
        if settings.get("live-restore", False) != wanted:
            settings["live-restore"] = wanted
            self.first.put(json.dumps(settings).encode(), path)
            self.restart_engine()

    def restart_engine(self):
        """Restart the engine, which systemd allows a few times only."""
        self.first.run("systemctl reset-failed docker.service docker.socket")
        self.first.run("systemctl restart docker.service")

    def kill_engine(self):
        """Kill the engine; systemd starts it again."""
        self.first.run("systemctl reset-failed docker.service docker.socket")
        pid = self.first.run("systemctl show --property=MainPID --value docker.service").strip()
        self.first.run(f"kill -9 {pid}")
        self.wait(lambda: self.first.run("docker version", check=False).code == 0)

    def test_stopped(self):
        """An engine that is stopped gives its volumes back; it has them when it is started."""
        self.begin(self.first, "kept", "one", "--restart=always")
        self.first.run("docker exec one sh -c 'echo x >/d/f'")
        self.first.run("systemctl stop docker.service docker.socket")
        self.assertTrue(self.free())
        self.restart_engine()
        self.wait(lambda: "true" in self.first.run(RUNNING))
        self.assertEqual("x\n", self.first.run("docker exec one cat /d/f"))

    def test_killed(self):
        """The containers of a killed engine that restart have their volume again."""
        self.begin(self.first, "kept", "one", "--restart=always")
        self.first.run("docker exec one sh -c 'echo x >/d/f; sync'")
        self.kill_engine()
        self.wait(lambda: "true" in self.first.run(RUNNING))
        self.assertEqual("x\n", self.first.run("docker exec one cat /d/f"))
        self.first.run("docker rm --force one")
        self.wait(self.free)

    def test_live_restore(self):
        """Containers that survive their engine keep their volumes, and give them back later."""
        self.live_restore(True)
        self.begin(self.first, "kept", "one")
        self.first.run("docker exec one sh -c 'echo x >/d/f; sync'")
        for end in (self.restart_engine, self.kill_engine):
            end()
            self.assertEqual("x\n", self.first.run("docker exec one cat /d/f"))
        self.first.run("docker rm --force one")
        self.wait(self.free)


class PluginRestartTests(EngineTestCase):
    """A plugin that ends."""

    def setUp(self):
        super().setUp()
        self.create("kept")

    def test_killed(self):
        """Containers do not notice that the plugin is killed; it gives their volumes back later."""
        self.begin(self.first, "kept", "one")
        self.first.run(f"systemctl kill --signal=KILL {UNIT}")
        self.first.run("docker exec one sh -c 'echo x >/d/f; sync'")
        self.assertEqual("x\n", self.first.run("docker exec one cat /d/f"))
        self.first.run("docker stop --time 5 one")
        self.wait(self.free)
        self.assertEqual("x\n", self.shell(self.second, "kept", "cat /d/f"))

    def test_killed_while_mounting(self):
        """A plugin that is killed while a container starts is asked again; nothing is left over."""
        for delay in ("0.05", "0.3", "0.6", "0.9", "1.2"):
            started = self.first.spawn(
                "docker run --network=none --rm -v kept:/d busybox sh -c 'echo x >>/d/f'"
            )
            self.first.run(f"sleep {delay}; systemctl kill --signal=KILL {UNIT}", check=False)
            started.communicate()
        self.wait(self.free, GIVEN_BACK)
        lines = self.shell(self.second, "kept", "cat /d/f 2>/dev/null; ls /d | wc -l")
        self.assertLessEqual(len(lines.splitlines()), 6)

    def test_stopped(self):
        """While the plugin is stopped, its socket waits for it; no command hangs."""
        self.first.run(f"systemctl stop {UNIT}")
        self.assertEqual(["kept"], self.volumes(self.first))
        self.shell(self.first, "kept", "touch /d/f")

    def test_private_mounts(self):
        """A plugin in a mount namespace of its own mounts nothing, and says why."""
        drop_in = f"/run/systemd/system/{UNIT}.d/private.conf"
        self.first.put(b"[Service]\nPrivateTmp=yes\n", drop_in)
        self.addCleanup(
            self.first.run, f"rm {drop_in}; systemctl daemon-reload; systemctl restart {UNIT}"
        )
        self.first.run(f"systemctl daemon-reload; systemctl restart {UNIT}")
        failed = self.first.run(
            "docker run --network=none --rm -v kept:/d busybox touch /d/f", check=False
        )
        self.assertIn("PrivateTmp", failed.errors)
        self.wait(self.free)
        self.assertEqual("", self.shell(self.second, "kept", "ls /d"))


class CloudTests(EngineTestCase):
    """A cloud that can't be reached."""

    def test_unreachable(self):
        """Known volumes stay known, containers run on, and no local volume comes into being."""
        self.create("kept")
        self.create("used")
        self.begin(self.first, "used", "one")
        self.service.kill()
        self.assertEqual(["kept", "used"], sorted(self.volumes(self.first)))
        self.wait(lambda: "stale" in self.inspected(self.first, "kept"), 60)
        failed = self.first.run(
            "timeout 20 docker run --network=none --rm -v kept:/d busybox true", check=False
        )
        self.assertNotEqual(0, failed.code)
        self.first.run("docker exec one touch /d/f")
        self.assertEqual([], self.local_volumes(self.first))
        self.service.start()
        self.shell(self.first, "kept", "touch /d/f")
