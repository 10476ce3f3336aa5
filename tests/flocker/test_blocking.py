"""
Tests for :mod:`txstorage.flocker.blocking`, on a scripted driver, and the contract suites through
the blocking driver, against the embedded service.
"""

from __future__ import absolute_import, division, print_function

import os
import subprocess
import sys
import traceback
from threading import Event, Timer, current_thread

from eliot import start_action
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.interfaces import IReactorCore
from twisted.internet.threads import deferToThread, deferToThreadPool
from twisted.python.threadable import isInIOThread
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from txstorage._support.compat import PY2
from txstorage.errors import DriverStopped, WouldWaitForItself
from txstorage.flocker.blocking import BlockingDriver
from txstorage.flocker.reactor_thread import ThreadCall
from txstorage.flocker.shared_reactor import this_process
from txstorage.interfaces import IBlockDeviceAPI, ICloudAPI, IProfiledBlockDeviceAPI, UnknownVolume
from txstorage.testing import (
    make_iblockdeviceapi_tests,
    make_icloudapi_tests,
    make_iprofiledblockdeviceapi_tests,
)

from ..helpers.child import GIB, contract, shared_service
from .test_backend import flockers_driver

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def task_of(action):
    """:return: the id of the task that an Eliot action belongs to."""
    return action.serialize_task_id().split(b"@")[0]


class Driver(object):
    """An asynchronous driver, whose ``create_volume`` waits until it is cancelled."""

    def __init__(self, its_reactor):
        self.reactor = its_reactor
        self.waiting, self.cancelled = Event(), Event()

    def create_volume(self, dataset_id, size):
        self.waiting.set()
        return Deferred(lambda _: self.cancelled.set())

    def compute_instance_id(self):
        with start_action(action_type=u"test:operation") as action:
            return succeed((self.reactor, current_thread(), task_of(action)))

    def allocation_unit(self):
        d = Deferred()
        self.reactor.callLater(0.01, d.callback, 512)
        return d

    def destroy_volume(self, blockdevice_id):
        return self.allocation_unit().addCallback(self.no_such_volume, blockdevice_id)

    def no_such_volume(self, _, blockdevice_id):
        raise UnknownVolume(blockdevice_id)

    def list_volumes(self):
        raise ValueError("at once")


@implementer(IReactorCore)
class Agents(object):
    """The shutdown triggers of an agent's reactor."""

    def __init__(self):
        self.triggers = {}

    def addSystemEventTrigger(self, phase, event, function):  # noqa: N802
        self.triggers[phase] = function
        return phase

    def removeSystemEventTrigger(self, trigger):  # noqa: N802
        del self.triggers[trigger]

    def fire(self, phase):
        self.triggers.pop(phase)()


class Made(object):
    """The base of tests with blocking drivers, which are stopped with the test."""

    timeout = 30

    def driver(self, its_reactor=None):
        self.native = []

        def make(its):
            self.native.append(Driver(its))
            return self.native[-1]

        made = BlockingDriver(its_reactor or Agents(), make)
        self.addCleanup(made.stop)
        return made


class CallTests(Made, SynchronousTestCase):
    """Single calls, while no other reactor runs."""

    def test_interfaces(self):
        """The driver provides the three blocking interfaces, with docstrings."""
        driver = self.driver()
        for interface in (IBlockDeviceAPI, IProfiledBlockDeviceAPI, ICloudAPI):
            self.assertTrue(verifyObject(interface, driver))
        self.assertEqual("attach_volume", driver.attach_volume.__name__)
        self.assertTrue(driver.attach_volume.__doc__)

    def test_asynchronous(self):
        """The asynchronous driver is on the reactor that was passed, and starts no thread."""
        agents = Agents()
        driver = self.driver(agents)
        self.assertIs(agents, driver.asynchronous.reactor)
        self.assertEqual(1, len(self.native))

    def test_other_thread(self):
        """An operation runs on one reactor and thread for all drivers, not the caller's."""
        first, second = self.driver().compute_instance_id(), self.driver().compute_instance_id()
        self.assertEqual(first[:2], second[:2])
        self.assertIsNot(reactor, first[0])
        self.assertIsNot(current_thread(), first[1])
        self.assertTrue(first[1].daemon)

    def test_io_thread(self):
        """Twisted's I/O thread does not change."""
        before = isInIOThread()
        self.driver().allocation_unit()
        self.assertEqual(before, isInIOThread())

    def test_name_lookups(self):
        """The threads that resolve host names do not keep the process alive."""
        its = self.driver().compute_instance_id()[0]
        self.assertTrue(its.getThreadPool().threadFactory(target=None).daemon)

    def test_error(self):
        """An error crosses with its type, arguments and the traceback of where it was raised."""
        try:
            self.driver().destroy_volume(blockdevice_id=u"v")
        except UnknownVolume as error:
            self.assertEqual((u"v",), error.args)
            self.assertIn("no_such_volume", traceback.format_exc())
        else:
            self.fail("no error")

    def test_error_at_once(self):
        """An error whose traceback Twisted drops has the traceback's text as its cause."""
        try:
            self.driver().list_volumes()
        except ValueError as error:
            shown = traceback.format_exc() + str(getattr(error, "__cause__", ""))
            self.assertIn("raise ValueError", shown)
        else:
            self.fail("no error")

    def test_wrong_arguments(self):
        """Wrong arguments are a ``TypeError``, as with any method."""
        self.assertRaises(TypeError, self.driver().allocation_unit, 1)

    def test_eliot(self):
        """An operation's log messages belong to its caller's task only."""
        driver = self.driver()
        with start_action(action_type=u"test:caller") as action:
            self.assertEqual(task_of(action), driver.compute_instance_id()[2])
        self.assertNotEqual(task_of(action), driver.compute_instance_id()[2])

    def test_own_thread(self):
        """A blocking call in the thread that runs the operations fails, and does not hang."""
        driver, failed = self.driver(), []
        its = driver.compute_instance_id()[0]
        done = Event()

        def call():
            try:
                driver.allocation_unit()
            except WouldWaitForItself as error:
                failed.append(error)
            done.set()

        its.callFromThread(call)
        self.assertTrue(done.wait(10))
        self.assertEqual(1, len(failed))

    def test_aborted_before_its_start(self):
        """A call that was aborted before its start does nothing."""
        began = []
        call = ThreadCall(None, began.append)
        call.abort(DriverStopped(u"x"))
        self.successResultOf(call.start(None))
        self.assertRaises(DriverStopped, call.result)
        self.assertEqual([], began)

    def test_late_result(self):
        """The result of an abandoned call, however late, is nobody's result."""
        late = Deferred()

        class Owner(object):
            def on(self, thread):
                return None

        call = ThreadCall(Owner(), lambda driver: Deferred().addErrback(lambda _: late))
        ended = call.start(None)
        call.abort(DriverStopped(u"interrupted"))
        self.assertRaises(DriverStopped, call.result)
        late.callback(u"late")
        self.successResultOf(ended)
        self.assertIs(None, call.result())


class ThreadsTests(Made, TestCase):
    """Calls while a reactor runs in this thread."""

    def setUp(self):
        self.pool = ThreadPool(0, 200)
        self.pool.start()
        self.addCleanup(self.pool.stop)

    def in_thread(self, function, *args):
        return deferToThreadPool(reactor, self.pool, function, *args)

    def test_reactor_thread(self):
        """In the running reactor's own thread a call returns."""
        self.assertEqual(512, self.driver(reactor).allocation_unit())

    def test_many_threads(self):
        """200 threads at once each get their own result."""
        driver = self.driver()

        def call(number):
            try:
                driver.destroy_volume(u"{}".format(number))
            except UnknownVolume as error:
                return int(error.blockdevice_id)

        d = gatherResults([self.in_thread(call, number) for number in range(200)])
        return d.addCallback(self.assertEqual, list(range(200)))

    def hanging(self, driver):
        """:return: a ``Deferred`` of an operation that was begun and does not end."""
        d = self.in_thread(driver.create_volume, None, 1)
        begun = deferToThread(lambda: self.waiting(driver))
        return begun.addCallback(lambda _: [d])

    def waiting(self, driver):
        while len(self.native) < 2:  # the first is the asynchronous one
            driver.compute_instance_id()
        self.assertTrue(self.native[1].waiting.wait(10))

    def test_shutdown(self):
        """
        When the agent's reactor shuts down, operations are cancelled and refused;
        another driver's continue; after the shutdown, calls work again.
        """
        agents = Agents()
        other = self.driver()
        other.allocation_unit()
        driver = self.driver(agents)

        def stop(operations):
            agents.fire("during")
            return self.assertFailure(operations[0], DriverStopped)

        def stopped(error):
            self.assertTrue(error.remedy)
            self.assertTrue(self.native[1].cancelled.wait(10))
            self.assertRaises(DriverStopped, driver.allocation_unit)
            self.assertEqual(512, other.allocation_unit())
            agents.fire("after")
            self.assertEqual(512, driver.allocation_unit())

        return self.hanging(driver).addCallback(stop).addCallback(stopped)

    def test_last_one_ends_the_thread(self):
        """The thread ends with the last driver that uses it; the next call starts another."""
        agents = Agents()
        driver = self.driver(agents)
        first, thread, _ = driver.compute_instance_id()
        this_process()._users.clear()  # of tests before
        agents.fire("during")
        agents.fire("after")
        thread.join(10)
        self.assertFalse(thread.is_alive())
        self.assertIsNot(first, driver.compute_instance_id()[0])

    def test_stop(self):
        """A stopped driver cancels its calls, refuses new ones for good, and leaves no trigger."""
        agents = Agents()
        driver = self.driver(agents)

        def stop(operations):
            driver.stop()
            self.assertEqual({}, agents.triggers)
            return self.assertFailure(operations[0], DriverStopped)

        return self.hanging(driver).addCallback(stop).addCallback(
            lambda _: self.assertRaises(DriverStopped, driver.allocation_unit)
        )

    def test_thread_that_ended(self):
        """The unexpected end of the thread fails its calls, and the next call starts another."""
        driver = self.driver()

        def crash(operations):
            its, thread, _ = driver.compute_instance_id()
            # a moment later: the end closes what this call wakes the thread with
            its.callFromThread(its.callLater, 0.05, its.stop)
            thread.join(10)
            return self.assertFailure(operations[0], DriverStopped)

        d = self.hanging(driver).addCallback(crash)
        return d.addCallback(lambda _: self.assertEqual(512, driver.allocation_unit()))


PRELUDE = """
from __future__ import print_function
import atexit, os, signal, sys, threading
from twisted.internet import reactor
from tests.flocker.test_blocking import Driver
from txstorage.flocker.blocking import BlockingDriver
from txstorage.errors import DriverStopped
made = []
def make(its):
    made.append(Driver(its))
    return made[-1]
driver = BlockingDriver(reactor, make)
def hang():
    try:
        driver.create_volume(None, 1)
    except DriverStopped:
        print("let go")
def begin_hanging(daemon):
    thread = threading.Thread(target=hang)
    thread.daemon = daemon
    thread.start()
    while len(made) < 2:
        driver.allocation_unit()
    made[1].waiting.wait()
    return thread
"""


class ProcessTests(SynchronousTestCase):
    """Whole processes, which exit by themselves and at once."""

    maxDiff = None

    def output_of(self, script):
        environment = dict(os.environ, PYTHONPATH=ROOT, PYTHONWARNINGS="ignore")
        process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + script],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, cwd=ROOT,
        )
        # a hang, not a busy machine, ends it
        killer = Timer(120, process.kill)
        killer.start()
        try:
            output = process.communicate()[0].decode()
        finally:
            killer.cancel()
        self.assertEqual(0, process.returncode, output)
        return output.split("\n")[:-1]

    def test_without_a_reactor(self):
        """A script with blocking calls only exits at its end."""
        self.assertEqual(["512"], self.output_of("print(driver.allocation_unit())"))

    def test_unused(self):
        """An unused driver starts no thread and prints nothing."""
        self.assertEqual(["1"], self.output_of("print(threading.active_count())"))

    def test_ends_during_a_call(self):
        """A process exits although a daemon thread waits for a call."""
        self.output_of("begin_hanging(True)")

    def test_before_during_and_after_the_reactor(self):
        """Calls work before the reactor runs, while it runs, and after its stop."""
        script = """
print(driver.allocation_unit())
def running():
    print(driver.allocation_unit())
    reactor.stop()
reactor.callWhenRunning(running)
reactor.run()
print(driver.allocation_unit())
"""
        self.assertEqual(["512"] * 3, self.output_of(script))

    def test_reactor_stops_during_calls(self):
        """Calls in the reactor's threads, running or queued, do not delay its stop."""
        script = """
def running():
    reactor.suggestThreadPoolSize(1)
    reactor.callInThread(hang)
    reactor.callInThread(hang)
    reactor.callInThread(hang)
    while len(made) < 2:
        driver.allocation_unit()
    made[1].waiting.wait()
    reactor.stop()
reactor.callWhenRunning(running)
reactor.run()
"""
        self.assertEqual(["let go"] * 3, self.output_of(script))

    def test_at_exit(self):
        """An exit handler that is registered after the import can call; later calls fail."""
        script = """
atexit.register(lambda: print(driver.allocation_unit()))
driver.allocation_unit()
"""
        self.assertEqual(["512"], self.output_of(script))
        self.assertEqual(["let go"], self.output_of(
            "from txstorage.flocker.shared_reactor import this_process\n"
            "this_process().exit()\nhang()\n"
        ))

    def test_stopped_before_the_exit(self):
        """The exit waits for a thread that a driver has stopped, and that is still ending."""
        script = """
from twisted.internet.task import deferLater
from txstorage.flocker.shared_reactor import this_process
its, thread, _ = driver.compute_instance_id()
def stopping():
    return deferLater(its, 0.2, lambda: None)
its.callFromThread(its.addSystemEventTrigger, "before", "shutdown", stopping)
driver.stop()
this_process().exit()
print(thread.is_alive())
"""
        self.assertEqual(["False"], self.output_of(script))

    def test_fork(self):
        """A forked child and its parent both continue, on reactors of their own."""
        script = """
thread = begin_hanging(False)
child = os.fork()
its = driver.compute_instance_id()[0]
if child == 0:
    os._exit(0 if its is not made[1].reactor and driver.allocation_unit() == 512 else 1)
print(os.waitpid(child, 0)[1], its is made[1].reactor, driver.allocation_unit())
driver.stop()
thread.join()
"""
        self.assertEqual(["0 True 512", "let go"], self.output_of(script))

    def test_pid_of_an_ancestor(self):
        """A process whose pid is that of an ancestor that has ended calls on its own thread."""
        script = """
driver.allocation_unit()
ancestor = os.getpid()
reader, writer = os.pipe()
if os.fork() == 0:
    # The grandchild gets the pid of its grandparent.  The start times of two processes differ by
    # at least one clock tick, as pids are not used again at once.
    started = time.time()
    while time.time() - started < 2.0 / os.sysconf("SC_CLK_TCK"):
        pass
    if os.fork() == 0:
        os.getpid = lambda: ancestor
        signal.alarm(5)
        os.write(writer, str(driver.allocation_unit()).encode())
    os._exit(0)
os.close(writer)
readable = select.select([reader], [], [], 10)[0]
print(os.read(reader, 10).decode() if readable else "hangs")
"""
        self.assertEqual(["512"], self.output_of("import select, time\n" + script))

    def test_interrupted(self):
        """Ctrl-C during a caller's wait cancels the operation."""
        script = """
caught = threading.Event()
def interrupt():
    made[1].waiting.wait()
    # CPython misses a signal that comes just before its wait begins
    while not caught.is_set():
        os.kill(os.getpid(), signal.SIGINT)
        caught.wait(2)
driver.allocation_unit()
threading.Thread(target=interrupt).start()
try:
    driver.create_volume(None, 1)
except KeyboardInterrupt:
    caught.set()
    print("interrupted", made[1].cancelled.wait(10))
"""
        self.assertEqual(["interrupted True"], self.output_of(script))

    if PY2:
        test_interrupted.skip = "on Python 2 a lock can't be interrupted"


def on_the_service(test_case):
    """:return: a blocking driver, as Flocker makes it, for a cluster of its own."""
    # Slow transitions are tested elsewhere; these tests are about the calls between threads.
    configuration = shared_service(transition_delay=0.0).configuration()
    return flockers_driver(test_case, configuration, timeout=30, poll_interval=0.01)


class InThreadsContractTests(contract(on_the_service, make_iblockdeviceapi_tests)):
    """The contract, called from worker threads."""

    timeout = 60


class OnReactorThreadContractTests(
    contract(on_the_service, make_iblockdeviceapi_tests, on_reactor_thread=True)
):
    """The contract, called in the thread of the running reactor."""

    timeout = 60


class ProfilesContractTests(make_iprofiledblockdeviceapi_tests(on_the_service, GIB)):
    """Profiles, called from worker threads."""

    timeout = 60


class CloudContractTests(make_icloudapi_tests(on_the_service)):
    """Nodes, called from worker threads."""

    timeout = 60
