"""Tests of the rig itself that need no OpenStack."""

from __future__ import annotations

import os
import runpy
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import types
from configparser import ConfigParser
from unittest import mock
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from txstorage._support import loop_devices

from ..helpers.loops import detach_below, loops_below
from . import configuration, installation, run
from .layout import PORTS, USERS, Layout
from .processes import Processes, began
from .progress import RigError, until
from .rig import Rig
from .services import INSIDE, SERVICES

SLEEPER = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(600)"]


class RigTestCase(SynchronousTestCase):
    """A directory for a rig, which is removed."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="txstorage-test-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.layout = Layout(self.directory)
        self.layout.save()


class LayoutTests(RigTestCase):
    """The rig's paths and ports."""

    def test_kept(self):
        """A saved layout is loaded, and only its owner can read it."""
        self.assertEqual(self.layout, Layout.load(self.directory))
        mode = os.stat(self.layout.run("layout.json")).st_mode
        self.assertEqual(0o600, stat.S_IMODE(mode))

    def test_none(self):
        """Without a rig, no layout is loaded."""
        self.assertIsNone(Layout.load(self.directory + "/nowhere"))

    def test_two(self):
        """Two rigs share neither ports nor passwords, and no port is used twice."""
        other = Layout(self.directory)
        self.assertEqual(len(PORTS), len(set(self.layout.ports.values())))
        self.assertNotEqual(self.layout.ports, other.ports)
        self.assertEqual(
            set(), set(self.layout.passwords.values()) & set(other.passwords.values())
        )
        self.assertLessEqual(set(USERS), set(other.passwords))


class ConfigurationTests(RigTestCase):
    """The services' configuration files."""

    def test_readable(self):
        """A rendered file has its table's values."""
        parsed = ConfigParser(interpolation=None)
        parsed.read_string(configuration.rendered(configuration.cinder(self.layout, 2)))
        self.assertEqual("2", parsed["DEFAULT"]["osapi_max_limit"])
        self.assertEqual(self.layout.auth_url, parsed["keystone_authtoken"]["auth_url"])

    def test_ports(self):
        """Each service that listens has its own port."""
        ports = [service.port for service in SERVICES.values() if service.port]
        self.assertEqual(len(ports), len(set(ports)))
        self.assertLessEqual(set(ports), set(PORTS))


class ProcessesTests(RigTestCase):
    """Services as processes."""

    def setUp(self):
        super().setUp()
        self.processes = Processes(self.layout)
        self.addCleanup(lambda: self.processes.stop(self.processes.names()))

    def start(self, name, command=SLEEPER):
        self.processes.start(name, command, dict(os.environ))
        return self.processes.pid(name)

    def test_start(self):
        """A started process runs, and is not started twice."""
        pid = self.start("sleeper")
        self.assertIsNotNone(began(pid))
        self.assertEqual(pid, self.start("sleeper"))

    def test_stop(self):
        """A stopped process does not run, and is forgotten."""
        pid = self.start("sleeper")
        self.processes.stop(["sleeper", "never-started"])
        self.assertIsNone(began(pid))
        self.assertEqual([], self.processes.names())

    def test_children(self):
        """A process's children go with it, even one that ignores the signal."""
        script = "import signal, subprocess, sys, time\n"
        script += "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        script += "print(subprocess.Popen(['sleep', '600']).pid, flush=True)\n"
        script += "time.sleep(600)"
        pid = self.start("parent", [sys.executable, "-c", script])
        until("child", lambda: os.path.getsize(self.layout.log("parent")) > 0, 10, 0.01)
        child = int(self.processes.last_words("parent").split("\n")[0])
        self.assertIsNotNone(began(child))
        self.processes.stop(["parent"], seconds=0.1)
        self.assertEqual((None, None), (began(pid), began(child)))

    def test_recycled(self):
        """Another process with the same id is not taken for it, and not stopped."""
        other = subprocess.Popen(["sleep", "600"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        os.makedirs(self.layout.run("pid"))
        with open(self.layout.run("pid", "recycled"), "w") as remembered:
            remembered.write("{} {}".format(other.pid, began(other.pid) - 1))
        self.assertIsNone(self.processes.pid("recycled"))
        self.processes.stop(["recycled"])
        self.assertIsNone(other.poll())

    def test_ended(self):
        """A process that ends by itself is noticed, with the end of its log and the log's path."""
        self.start("quick", [sys.executable, "-c", "print('my last words')"])
        until("end", lambda: self.processes.pid("quick") is None, 10, 0.01)
        error = self.assertRaises(RigError, self.processes.check, "quick")
        self.assertIn("my last words", str(error))
        self.assertIn(self.layout.log("quick"), str(error))


class DevicesTests(RigTestCase):
    """The remains of a rig."""

    if os.getuid() != 0:
        skip = "loop devices need root"

    def file(self, name):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.truncate(2**20)
        return path

    def attached(self, name):
        path = self.file(name)
        command = ["losetup", "--find", "--show", path]
        device = subprocess.check_output(command, text=True).strip()
        self.addCleanup(loop_devices.detach, device, path)
        return path

    def devices(self, path):
        command = ["losetup", "--noheadings", "--output", "NAME", "--associated", path]
        return subprocess.check_output(command, text=True).split()

    def test_below(self):
        """The devices of the files below a directory are detached, and no others."""
        ours, others = self.attached("volumes/one"), self.attached("volumes-2/another")
        detach_below(os.path.join(self.directory, "volumes"))
        self.assertEqual([], self.devices(ours))
        self.assertEqual(self.devices(others), list(loops_below(self.directory)))

    def test_down(self):
        """The devices of a rig's volumes are detached before their files are removed."""
        self.attached("run/volumes/one")
        Rig(self.directory).down()
        self.assertEqual({}, loops_below(self.directory))
        self.assertEqual([], os.listdir(os.path.join(self.directory, "run")))

    def nova_driver(self):
        """:return: Nova's driver of the rig, on a Nova that does nothing."""
        fake = types.ModuleType("nova.virt.fake")
        fake.FakeDriverWithoutFakeNodes = mock.MagicMock
        virt = types.ModuleType("nova.virt")
        virt.fake = fake
        modules = {"nova": types.ModuleType("nova"), "nova.virt": virt, "nova.virt.fake": fake}
        with patch.dict(sys.modules, modules):
            path = os.path.join(INSIDE, "loop_devices.py")
            return runpy.run_path(path)

    def test_nova(self):
        """Nova's driver attaches a volume once, and detaches it."""
        nova, path = self.nova_driver(), self.file("volumes/one")
        connection = {"driver_volume_type": "local", "data": {"device_path": path}}
        nova["_attach"](connection)
        nova["_attach"](connection)
        [device] = self.devices(path)
        self.addCleanup(loop_devices.detach, device, path)
        nova["_detach"](connection)
        self.assertEqual([], self.devices(path))

    def test_nova_another_device(self):
        """Nova's driver does not detach a device that has got another file meanwhile."""
        nova, path = self.nova_driver(), self.attached("volumes/one")
        [device] = self.devices(path)
        another = self.file("volumes/another")
        connection = {"driver_volume_type": "local", "data": {"device_path": another}}
        with patch.dict(nova["_detach"].__globals__, _devices=lambda path: [device]):
            nova["_detach"](connection)
        self.assertEqual([device], self.devices(path))


class RigTests(RigTestCase):
    """The rig as a whole."""

    def setUp(self):
        super().setUp()
        self.patch(installation, "interpreter_of", lambda version: sys.executable)
        self.rig = Rig(self.directory)

    def test_missing(self):
        """Every missing requirement is named."""
        self.patch(installation, "interpreter_of", lambda version: None)
        self.patch(installation, "RABBIT", self.directory + "/nowhere")
        with patch("os.getuid", return_value=1), patch("shutil.which", return_value=None):
            error = self.assertRaises(RigError, self.rig.up)
        for missing in ("root", "Python 3.12", "rabbitmq-server", "losetup", "gcc"):
            self.assertIn(missing, str(error))

    def test_failed(self):
        """When the rig does not come up, nothing is left running, and the logs stay."""
        started = []

        def bring_up(rig):
            processes = Processes(rig._layout)
            processes.start("sleeper", SLEEPER, dict(os.environ))
            started.append(processes.pid("sleeper"))
            raise RigError("no luck")

        self.patch(Rig, "_bring_up", bring_up)
        with patch("tests.openstack.rig.install"):
            self.assertRaises(RigError, self.rig.up)
        self.assertIsNone(began(started[0]))
        self.assertEqual(["log"], os.listdir(self.layout.run()))
        self.assertEqual(["sleeper.log"], os.listdir(self.rig.logs))

    def test_held(self):
        """The rig can't be brought up or taken down twice at once."""
        with self.rig.held():
            error = self.assertRaises(RigError, Rig(self.directory).held().__enter__)
        self.assertIn(self.directory, str(error))
        with self.rig.held():
            pass

    def test_not_up(self):
        """Without a running rig, the error gives that reason, and services can't be started."""
        self.rig.down()
        for function in (self.rig.status, lambda: self.rig.start(["rabbit"])):
            self.assertIn("not up", str(self.assertRaises(RigError, function)))

    def test_unknown_service(self):
        """An unknown service is named."""
        error = self.assertRaises(RigError, self.rig.stop, ["glance"])
        self.assertIn("glance", str(error))


class RunTests(SynchronousTestCase):
    """The runs of the tests, and the rig's end."""

    def setUp(self):
        self.events = []
        for which in (signal.SIGINT, signal.SIGTERM):
            self.addCleanup(signal.signal, which, signal.getsignal(which))
        self.patch(run, "make_environment", lambda: None)
        self.patch(run, "on_python_2", lambda tests: {"skipped": 1})
        self.addCleanup(os.environ.pop, "TXSTORAGE_OPENSTACK", None)

    description = "cloud.json"

    def up(self):
        self.events.append("up")

    def down(self):
        self.events.append("down")

    def trial(self, environment, name, tests):
        self.events.append("trial")
        return {"passed": 2}

    def interrupted(self, *_):
        raise KeyboardInterrupt()

    def test_order(self):
        """The rig begins afresh, and is taken down after the tests; every test is counted."""
        self.patch(run, "trial", self.trial)
        counts = run.tested(self, [])
        self.assertEqual({"passed": 2, "failed": 0, "skipped": 1}, counts)
        self.assertEqual(["down", "up", "trial", "down"], self.events)

    def test_interrupted(self):
        """The rig is taken down when the tests are interrupted."""
        self.patch(run, "trial", self.interrupted)
        self.assertRaises(KeyboardInterrupt, run.tested, self, [])
        self.assertEqual(["down", "up", "down"], self.events)

    def test_modules(self):
        """The tests that need an OpenStack are found, and these are not among them."""
        self.assertIn("tests.openstack.check_conformance", run.checks_in(run.HERE))
        self.assertNotIn("tests.openstack.test_rig", run.checks_in(run.HERE))
