"""The end of a run: nothing is left on this machine, however the run ends."""

import os
import select
import signal
import subprocess
import sys
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from ..helpers.loops import loops_below
from ..helpers.processes import began
from ..run import ROOT
from .machines.nodes import PLACE, control_groups
from .machines.runs import sweep_left
from .support import is_exclusive, made

#: Seconds that killed processes have to end.
PATIENCE = 60


def all_processes():
    """:return: list of the process ids of this machine, without those that have ended."""
    found = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in found if began(pid) is not None]


def namespaces(pids):
    """:return: set of the namespaces of processes, as the kernel names them."""
    found = set()
    for pid in pids:
        for kind in ("mnt", "net", "pid", "cgroup", "ipc", "uts"):
            try:
                found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
            except OSError:
                continue
    return found


class EndTests(SynchronousTestCase):
    """Everything ends with the program that started it, however that ends."""

    def setUp(self):
        made()
        self.place = tempfile.mkdtemp(prefix="runs-", dir=PLACE)
        self.addCleanup(os.rmdir, self.place)
        self.addCleanup(sweep_left, self.place)
        self.sample = subprocess.Popen(
            [sys.executable, "-m", "tests.nodes.sample", self.place],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.end)
        up, self.device = self.sample.stdout.readline().split()
        [run] = os.listdir(self.place)
        self.records = os.path.join(self.place, run, "records")
        self.groups = f"txstorage-{run}-"
        self.began = {pid: began(pid) for pid in self.processes()}
        self.handles = [os.pidfd_open(pid) for pid in self.began]
        for handle in self.handles:
            self.addCleanup(os.close, handle)
        self.namespaces = namespaces(self.began) - namespaces([os.getpid()])
        self.assert_in_use()

    def end(self):
        if self.sample.poll() is None:
            self.sample.kill()
        self.sample.wait()
        self.sample.stdin.close()
        self.sample.stdout.close()

    def recorded(self):
        """:return: the process ids of the sample's helpers: its operator's, power supplies, ..."""
        with open(self.records) as records:
            found = [line.split() for line in records if line.startswith("process ")]
        return [int(pid) for _, pid, start in found if str(began(int(pid))) == start]

    def processes(self):
        """:return: the process ids of the sample's nodes and of its helpers."""
        found = set(self.recorded())
        for path, _, _ in os.walk(control_groups()):
            if self.groups in path:
                with open(os.path.join(path, "cgroup.procs")) as opened:
                    found.update(map(int, opened.read().split()))
        return found

    def mounts(self):
        """:return: the mounts, of all processes of this machine, of the sample's files."""
        found = set()
        for pid in all_processes():
            try:
                with open(f"/proc/{pid}/mountinfo") as opened:
                    found.update(line for line in opened if self.place in line)
            except OSError:
                continue
        return found

    def assert_in_use(self):
        """Processes, namespaces, mounts, a loop device and control groups are there to be left."""
        # two inits and engines, a container, two power supplies, an operator, a service
        self.assertGreater(len(self.began), 10)
        # for each node, the operator and the container
        self.assertGreaterEqual(len(self.namespaces), 2 * 6 + 1 + 1)
        self.assertNotEqual(set(), self.mounts())
        self.assertIn(self.device, loops_below(self.place))
        self.assertFalse(is_exclusive(self.device))

    def wait_until_ended(self):
        """Wait until no process is left; that of the operator has removed everything then."""
        for handle in self.handles:
            self.assertTrue(select.select([handle], [], [], PATIENCE)[0])

    def assert_nothing_left(self):
        """Neither processes, namespaces, mounts, loop devices, control groups nor files remain."""
        left = {pid for pid in self.began if began(pid) == self.began[pid] is not None}
        self.assertEqual(set(), left)
        self.assertEqual(set(), self.namespaces & namespaces(all_processes()))
        self.assertEqual(set(), self.mounts())
        self.assertEqual({}, loops_below(self.place))
        self.assertTrue(is_exclusive(self.device))
        groups = [name for name in os.listdir(control_groups()) if name.startswith(self.groups)]
        self.assertEqual([], groups)
        self.assertEqual([], os.listdir(self.place))

    def test_context(self):
        """The end of the context."""
        self.sample.stdin.close()
        self.assertEqual(0, self.sample.wait())
        self.assert_nothing_left()

    def test_interrupt(self):
        """Ctrl-C ends everything before the program ends."""
        self.sample.send_signal(signal.SIGINT)
        self.assertNotEqual(0, self.sample.wait())
        self.assert_nothing_left()

    def test_terminated(self):
        """SIGTERM, which a program may leave to the kernel."""
        self.sample.terminate()
        self.wait_until_ended()
        self.assert_nothing_left()

    def test_killed(self):
        """``kill -9`` of the program."""
        self.sample.kill()
        self.wait_until_ended()
        self.assert_nothing_left()

    def test_swept(self):
        """``kill -9`` of the program and its helpers: the next run removes the remains."""
        self.sample.send_signal(signal.SIGSTOP)
        for pid in self.recorded():
            os.kill(pid, signal.SIGKILL)
        self.sample.kill()
        self.wait_until_ended()
        self.assertIn(self.device, loops_below(self.place))
        self.assertTrue(is_exclusive(self.device))
        sweep_left(self.place)
        self.assert_nothing_left()
