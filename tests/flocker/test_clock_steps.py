"""
Tests of the blocking driver, made as Flocker makes it, while the wall clock steps: on the reactor's
thread, in worker threads, on Flocker's own reactor, and at the exit.
"""

from __future__ import absolute_import, division, print_function

import json

from twisted.trial.unittest import SynchronousTestCase

from ..helpers.child import WAITING, shared_service
from ..helpers.stepping import run_with_steps

#: Steps the clock twice in each operation, forth and back or back and forth, and prints the
#: operations' durations.  Timers begin before, between and after the steps: some would be early,
#: others late.
SCRIPT = """
from threading import Event, Thread
from uuid import uuid4
from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from txstorage import FLOCKER_BACKEND
from txstorage._support.compat import native
from txstorage.errors import OperationTimedOut
from txstorage.flocker import shared_reactor

configurations = json.loads(sys.argv[2])
durations = {}

def made(which, **changes):
    section = dict(configurations[which], cluster_id=uuid4(), reactor=reactor, **changes)
    return FLOCKER_BACKEND.api_factory(**{native(key): section[key] for key in section})

def stepping(step, first, second):
    def steps():
        for seconds, offset in [(first, step), (second - first, 0.0)]:
            time.sleep(seconds)
            wall.step = offset
    thread = Thread(target=steps)
    thread.start()
    return thread

def timed(name, steps, operation, *args):
    steps = stepping(*steps)
    started = now()
    try:
        return operation(*args)
    finally:
        durations[name] = now() - started
        steps.join()

def life(where, steps, driver):
    node = driver.compute_instance_id()
    volume = timed(where + " create", steps, driver.create_volume, uuid4(), 2**30)
    volume_id = volume.blockdevice_id
    timed(where + " attach", steps, driver.attach_volume, volume_id, node)
    timed(where + " detach", steps, driver.detach_volume, volume_id)
    timed(where + " destroy", steps, driver.destroy_volume, volume_id)

def out_of_time(driver):
    driver.list_volumes()
    try:
        driver.create_volume(uuid4(), 2**30)
    except OperationTimedOut:
        return
    raise AssertionError("the create did not time out")

def in_worker():
    life("worker", (-STEP, 0.1, 0.2), made("quick"))
    limited = made("quick", max_requests_per_second=10)
    timed("rate limit", (-STEP, 0.3, 0.6), lambda: [limited.list_volumes() for _ in range(20)])
    timed("deadline", (STEP, 0.3, 0.6), out_of_time, made("slow", timeout=1))

def asynchronous(_):
    driver = made("quick").asynchronous
    started, steps = now(), stepping(STEP, 0.1, 0.2)
    def created(volume):
        durations["Flocker's reactor"] = now() - started
        steps.join()
        return driver.destroy_volume(volume.blockdevice_id)
    return driver.create_volume(uuid4(), 2**30).addCallback(created)

failures = []

def begin():
    life("reactor", (STEP, 0.1, 0.2), made("quick"))
    d = deferToThread(in_worker).addCallback(asynchronous)
    d.addErrback(failures.append).addBoth(lambda _: reactor.stop())

reactor.callWhenRunning(begin)
reactor.run()
for failure in failures:
    failure.raiseException()

# An operation's thread that does not end keeps the exit waiting for its time only.
shared_reactor._EXIT_GRACE = 1.0
stuck = Event()
its = shared_reactor.this_process()
driver = made("quick")
driver.allocation_unit()
its._thread.reactor.callFromThread(stuck.wait)
timed("exit", (STEP, 0.3, 0.6), its.exit)
stuck.set()
print(json.dumps(durations))
"""

#: The time that a volume stays in a transient status of the quick service.
TRANSITION = 0.4
#: The shortest durations, in seconds.
SHORTEST = {
    "reactor create": TRANSITION,
    "reactor attach": TRANSITION,
    "reactor detach": TRANSITION,
    "reactor destroy": TRANSITION,
    "worker create": TRANSITION,
    "worker attach": TRANSITION,
    "worker detach": TRANSITION,
    "worker destroy": TRANSITION,
    "rate limit": 1.0,
    "deadline": 1.0,
    "Flocker's reactor": TRANSITION,
    "exit": 1.0,
}


class ClockStepTests(SynchronousTestCase):
    """A wall clock that steps by an hour in the middle of each operation, and back."""

    def test_steps(self):
        """No operation fails early, and none lasts longer."""
        services = {"quick": shared_service(TRANSITION), "slow": shared_service(3.0)}
        configurations = {
            name: dict(service.configuration(), **dict(WAITING, timeout=10))
            for name, service in services.items()
        }
        for each in configurations.values():
            del each["cluster_id"]
        durations = run_with_steps(SCRIPT, 3600.0, json.dumps(configurations))
        self.assertEqual(set(SHORTEST), set(durations))
        for name, shortest in SHORTEST.items():
            # ``os.times`` has hundredths of seconds; a busy machine may be late by seconds.
            self.assertGreaterEqual(durations[name], shortest - 0.05, (name, durations))
            self.assertLess(durations[name], shortest + 6, (name, durations))
