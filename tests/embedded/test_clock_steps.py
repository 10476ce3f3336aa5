"""
Tests of the service while its wall clock steps: neither its transitions nor its tokens follow.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ..helpers.stepping import run_with_steps
from .support import temporary_directory

#: Creates a volume, steps the clock in the middle of the transition, and logs in once more.
SCRIPT = """
from uuid import uuid4
import yaml
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import deferLater
from txstorage._assembly import block_device_driver
from txstorage.embedded.service import EmbeddedService, ServiceOptions

def driver_of(text):
    dataset = yaml.safe_load(text)["dataset"]
    del dataset["backend"]
    return block_device_driver(reactor, **dataset)

async def main():
    options = ServiceOptions(
        state_dir=sys.argv[2], nodes=("n",), devices="file", behaviour={"transition_delay": 1.0}
    )
    service = EmbeddedService(reactor, options)
    _, text = await service.start()
    first, second = driver_of(text), driver_of(text)
    await first.list_volumes()
    requests = []
    http = first._service._session._http
    send = http.request
    def counted(method, url, **more):
        requests.append((method, url.rsplit("/", 1)[1]))
        return send(method, url, **more)
    http.request = counted
    begun = now()
    creating = first.create_volume(uuid4(), 2**30)
    await deferLater(reactor, 0.5, lambda: None)
    wall.step = STEP
    await creating
    took = now() - begun
    # Another login deletes the tokens that have expired.
    await second.list_volumes()
    await first.list_volumes()
    tokens = len([each for each in requests if each == ("POST", "tokens")])
    print(json.dumps({"took": took, "tokens": tokens}))
    await service.stop()

def ended(failure):
    reactor.stop()
    return failure

failures = []
reactor.callWhenRunning(
    lambda: ensureDeferred(main()).addBoth(ended).addErrback(failures.append)
)
reactor.run()
for failure in failures:
    failure.raiseException()
"""


class ClockStepTests(SynchronousTestCase):
    """A service, with regular files as devices, and its clients in one process."""

    def test_steps(self) -> None:
        """A create takes its usual time, and the token that it used stays valid."""
        for step in (-7200.0, 7200.0):
            outcome = run_with_steps(SCRIPT, step, temporary_directory(self))
            self.assertEqual(0, outcome["tokens"], step)
            self.assertLess(1.0, outcome["took"])
            self.assertLess(outcome["took"], 10.0)
