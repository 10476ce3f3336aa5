"""
Tests for :mod:`txstorage._support.monotonic`: waits on real reactors while the wall clock steps.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.base import ReactorBase
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.compat import PY2
from txstorage._support.monotonic import monotonic, use_monotonic_time
from txstorage._support.old_twisted import SecondReactor

from ..helpers.stepping import run_with_steps

STEPS = (-3600.0, 3600.0)

#: Begins waits of each kind, steps the clock in their middle, and prints the duration of each wait.
WAITS = """
from importlib import import_module
from uuid import uuid4
import_module("twisted.internet." + sys.argv[2]).install()
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.task import LoopingCall, deferLater
from txstorage._assembly import block_device_driver
from txstorage._http.client import HTTPClient
from txstorage._support.token_bucket import TokenBucket
from txstorage.clouds.openstack import Credentials, Session
from txstorage.driver.polling import Intervals, SharedPoll, make_timer, until
from txstorage.errors import ServiceBroken

class Answer(object):
    method, url, status = u"POST", u"http://cloud.example/", 201
    headers, date = {u"x-subject-token": u"secret"}, None
    def field(self, name, kind):
        return {u"issued_at": u"2026-01-01T00:00:00.000000Z",
                u"expires_at": u"2026-01-01T00:00:02.000000Z"}

class Keystone(object):
    # Its tokens live for 2 seconds.
    asked = 0
    def request(self, *args, **kwargs):
        self.asked += 1
        return succeed(Answer())

class Silent(object):
    # Never answers.
    requests = 0
    def request(self, *args, **kwargs):
        self.requests += 1
        return Deferred()

class Broken(Silent):
    def request(self, *args, **kwargs):
        self.requests += 1
        if self.requests > 1:
            return Deferred()
        raise ServiceBroken(u"GET", u"http://cloud.example/", 503, u"no")

durations = {}

def timed(name, d):
    def ended(result):
        durations[name] = now() - started
    started = now()
    return d.addBoth(ended)

early = reactor.callLater(1, lambda: None)
driver = block_device_driver(
    reactor, uuid4(), agent=Silent(), auth_plugin=u"password", auth_url=u"http://cloud.example/v3",
    username=u"u", password=u"p", project_name=u"p", user_domain_name=u"d",
    project_domain_name=u"d", region=u"r", timeout=1,
)
early.reset(1)
ticks = []
steady = Intervals(first=0.5, factor=1.0, longest=0.5, jitter=0.0)
poll = SharedPoll(reactor, succeed, steady)
bucket = TokenBucket(reactor, 2.0, burst=1.0)
answers = [1, 2, 3]
keystone = Keystone()
session = Session(
    reactor, keystone, u"http://cloud.example/v3",
    Credentials.password(u"p", username=u"u", user_domain_name=u"d"),
)

def looped():
    ticks.append(now())
    if len(ticks) == 3:
        loop.stop()

loop = LoopingCall(looped)
loop.clock = reactor

def batched():
    d = Deferred()
    make_timer(reactor)(1, lambda: d.callback(None))
    return d

def stepped():
    wall.step = STEP
    # The delayed call that was pending before the driver existed.
    early.reset(0.5)

def renewal():
    # The token is fetched before the step, used after it, and renewed at its time.
    def later(_):
        durations["tokens while fresh"] = keystone.asked
        return deferLater(reactor, 1.5, session.token)
    def last(_):
        durations["tokens at the end"] = keystone.asked
    return session.token().addCallback(
        lambda _: deferLater(reactor, 0.5, session.token)).addCallback(later).addCallback(last)

def begin():
    bucket.acquire()
    reactor.callLater(0.2, stepped)
    retried = Broken()
    client = HTTPClient(reactor, retried, timeout=0.5, jitter=lambda: 0.5)
    waits = [
        ("timer", deferLater(reactor, 0.5, lambda: None)),
        ("loop", loop.start(0.5)),
        ("deadline", batched()),
        ("operation", driver.create_volume(uuid4(), 2**30)),
        ("rate limit", gatherResults([bucket.acquire(), bucket.acquire()])),
        ("poll", poll.next_poll(u"a", poll.pace())),
        ("until", until(reactor, steady, lambda: succeed(answers.pop(0)), lambda n: n == 3)),
        ("timeout", HTTPClient(reactor, Silent(), timeout=0.5).request(
            u"POST", u"http://cloud.example/")),
        ("retries", client.request(u"GET", u"http://cloud.example/")),
        ("renewal", renewal()),
    ]
    for name, d in waits:
        timed(name, d)
    gatherResults([d for _, d in waits]).addBoth(lambda _: reactor.stop())

reactor.callWhenRunning(begin)
reactor.run()
print(json.dumps(durations))
"""

#: The shortest duration of each wait, in seconds.
SHORTEST = {
    "timer": 0.5,
    "loop": 1.0,
    "deadline": 1.0,
    "operation": 1.0,
    "rate limit": 1.0,
    "poll": 0.5,
    "until": 1.0,
    "timeout": 0.5,
    "retries": 0.5,
    "renewal": 2.0,
}


class StepTests(SynchronousTestCase):
    """A wall clock that steps by an hour, back and forward, in the middle of waits."""

    def check(self, kind):
        for step in STEPS:
            durations = run_with_steps(WAITS, step, kind)
            self.assertEqual(1, durations.pop("tokens while fresh"))
            self.assertEqual(2, durations.pop("tokens at the end"))
            self.assertEqual(set(SHORTEST), set(durations))
            for name, shortest in SHORTEST.items():
                # A busy machine may note the beginning late, and the end by seconds.  A step of the
                # clock would end a wait at once, or an hour later.
                self.assertGreaterEqual(durations[name], shortest / 2, (name, durations))
                self.assertLess(durations[name], shortest + 6, (name, durations))

    def test_default(self):
        """Waits on the reactor of the platform end at their times."""
        self.check("epollreactor")

    def test_select(self):
        """Waits on the select reactor end at their times."""
        self.check("selectreactor")

    def test_asyncio(self):
        """Waits on the asyncio reactor end at their times."""
        self.check("asyncioreactor")

    if PY2:
        test_asyncio.skip = "Python 2 has no asyncio"


class UseMonotonicTimeTests(SynchronousTestCase):
    """:func:`use_monotonic_time`."""

    def setUp(self):
        self.wall = 1000.0
        self.reactor = SecondReactor()
        self.addCleanup(self.reactor.close)
        self.reactor.seconds = lambda: self.wall

    def test_continuous(self):
        """The time continues from its value, and does not follow the wall clock."""
        before = monotonic()
        use_monotonic_time(self.reactor)
        self.wall -= 3600.0
        passed = self.reactor.seconds() - 1000.0
        self.assertTrue(0 <= passed <= monotonic() - before)

    def test_once(self):
        """A second call changes nothing."""
        use_monotonic_time(self.reactor)
        seconds = self.reactor.seconds
        use_monotonic_time(self.reactor)
        self.assertIs(seconds, self.reactor.seconds)

    def test_pending_calls(self):
        """A delayed call that is pending can be reset after a step."""
        call = self.reactor.callLater(100, lambda: None)
        use_monotonic_time(self.reactor)
        self.wall += 3600.0
        call.reset(5)
        self.assertTrue(4 < call.getTime() - self.reactor.seconds() <= 5)
        call.cancel()

    def test_class(self):
        """Other reactors of the process do not change."""
        use_monotonic_time(self.reactor)
        self.assertNotIn("Monotonic", type(ReactorBase.__dict__["seconds"]).__name__)
        self.assertNotIn("seconds", vars(SecondReactor))

    def test_not_a_reactor(self):
        """A test's clock keeps its time."""
        clock = Clock()
        clock.advance(7)
        use_monotonic_time(clock)
        self.assertEqual(7, clock.seconds())

    def test_monotonic(self):
        """The clock advances, in seconds."""
        first = monotonic()
        self.assertTrue(0 <= monotonic() - first < 10)
