"""
A client that sends one request to a hostile server, and prints its own memory and stalls.

The output is one line of JSON:

- ``error``: the class and the message, or ``"none"``;
- ``rss``: the peak of the resident memory above that of the idle client, in MiB;
- ``stall``: the longest time for which the reactor ran nothing else, in seconds of the process's
  own time, so that other processes hardly count;
- ``seconds``: the duration.
"""

from __future__ import absolute_import, division, print_function

import json
import sys
import time

from twisted.internet import task

from txstorage._http.client import HTTPClient, agent_for
from txstorage.clouds.openstack import Credentials, OpenStackService, Session

#: Seconds for an answer by drops, which have to pass, and for another one, which a busy machine
#: may need.
_PATIENCE = 1.0
_BUSY = 600.0
_TICK = 0.001

own_time = getattr(time, "process_time", None) or time.clock


def resident(field):
    """A value of /proc/self/status in MiB."""
    with open("/proc/self/status") as status:
        [line] = [line for line in status if line.startswith(field + ":")]
    return int(line.split()[1]) / 1024


class Stalls(object):
    """Measures the longest time between two turns of the reactor."""

    def __init__(self):
        self.longest = 0.0
        self._last = own_time()

    def turn(self):
        """Take the time of a turn."""
        now = own_time()
        self.longest, self._last = max(self.longest, now - self._last), now


def requested(reactor, http, url, name):
    """Send the request of which the attack is the answer, and read the answer."""
    endpoints = {u"block-storage": url + u"/v3", u"compute": url + u"/v2.1"}
    session = Session(reactor, http, None, Credentials.none(), endpoints=endpoints)
    service = OpenStackService(session)
    if "volumes" in name:
        return service.list_volumes({u"flocker-cluster-id": u"a"} if "usual" in name else {})
    if "servers" in name:
        return service.list_servers()
    if "endpoints" in name:
        credentials = Credentials.password(u"a", username=u"b", project_name=u"c")
        return Session(reactor, http, url, credentials).identity()
    return http.request(u"POST", url, json={})


def attacked(reactor, url, name):
    """Send the request, and print the outcome."""
    patience = _PATIENCE if "drops" in name else _BUSY
    http = HTTPClient(reactor, agent_for(reactor), patience, jitter=lambda: -0.5)
    seen = {}
    stalls = Stalls()
    watch = task.LoopingCall(stalls.turn)

    def idle(ignored):
        # The peak begins anew.
        with open("/proc/self/clear_refs", "w") as peak:
            peak.write("5")
        seen["idle"], seen["begin"] = resident("VmRSS"), time.time()
        stalls.__init__()
        watch.start(_TICK)
        return requested(reactor, http, url + name.replace(" ", "-"), name)

    def failed(failure):
        error = failure.value
        return "{}: {}".format(type(error).__name__, getattr(error, "message", error))

    def ended(error):
        stalls.turn()
        watch.stop()
        report = {"error": error, "stall": stalls.longest, "rss": resident("VmHWM") - seen["idle"]}
        report["seconds"] = time.time() - seen["begin"]
        print(json.dumps(report))
        return http.close()

    d = http.request(u"GET", url + u"idle").addCallback(idle)
    d.addCallbacks(lambda response: "none", failed)
    return d.addCallback(ended)


if __name__ == "__main__":
    task.react(attacked, [sys.argv[1], sys.argv[2]])
