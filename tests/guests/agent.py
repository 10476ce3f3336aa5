"""
The only process of a guest: ``python -m tests.guests.agent``.  Searches for devices with the
driver's own code, and reports what it finds on the guest's second serial port.

Reads requests, a JSON object a line, and writes replies with the request's ``id``::

    {"id": 1, "call": "wait_until_present", "volume": "...", "size": 1073741824}
    {"id": 1, "look": {"error": "DeviceNotFound", "message": "..."}}
    {"id": 1, "result": {"path": "/dev/vda", "size": 1073741824, "first": "...", "last": "..."}}
    {"id": 1, "error": "DeviceAmbiguous", "message": "..."}

A search by the names that a cloud gives devices has ``"names": {"...": "/dev/sdf"}``, by volume.
A ``look`` reports the outcome of a look of an unfinished search, unless it equals the one before.
``first`` and ``last`` are the texts at the beginning and at the end of the device.  The agent's
first line is ``{"ready": ...}`` with the version of Python.

With ``--loaded``, prints the paths of all modules that a guest needs instead, as a JSON list.

This module also runs on Python 2.7.
"""

from __future__ import absolute_import, division, print_function

import ctypes
import errno
import glob
import json
import os
import sys
import tty
from functools import partial

import attr
from twisted import internet
from twisted.internet.defer import CancelledError, maybeDeferred
from twisted.internet.stdio import StandardIO
from twisted.internet.task import LoopingCall
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python import log

from txstorage._devices.finder import NO_NAMES, DeviceFinder
from txstorage._support.compat import as_text
from txstorage.errors import DeviceError, DeviceNotFound

PORT = "/dev/ttyS1"
MODULES = "/modules"
#: Python looks for its library by these, in an environment before elsewhere.
LANDMARKS = ("os.py", "site.py", "lib-dynload")
#: Bytes at each end of a volume that can hold a text.
TEXT = 512
#: The number of the system call finit_module on x86-64.  Source: arch/x86/entry/syscalls.
FINIT_MODULE = 313
#: Seconds: longer than any test.
NEVER = 24 * 3600
#: Seconds between the looks of a watch.
PAUSE = 0.001
FILE_SYSTEMS = (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"))


def text_at(path, offset):
    """
    :param path: a device's path, native text.
    :param int offset: bytes.
    :return: the text that a test wrote there.
    :raises OSError: the device is leaving.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.lseek(descriptor, offset, os.SEEK_SET)
        content = os.read(descriptor, TEXT)
        if len(content) < TEXT:
            # The device is leaving: it has no size any more.
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        return content.rstrip(b"\0").decode("ascii", "replace")
    finally:
        os.close(descriptor)


def described(found):
    """
    :param found: a ``SizedPath``.
    :return: dict of its path and size, and of the texts on the device.
    """
    return {
        "path": found.path,
        "size": found.size,
        "first": text_at(found.path, 0),
        "last": text_at(found.path, found.size - TEXT),
    }


def failed(error):
    """:return: dict of an exception's name and message."""
    return {"error": type(error).__name__, "message": as_text(error)}


class Watch(object):
    """
    A search that is repeated as often as the reactor allows, and never waits.

    :param reactor: provides ``IReactorTime``.
    :param find: called without arguments; returns a ``SizedPath``.
    :param report: called with each outcome that differs from the one before.

    :ivar int looks: the number of searches.
    """

    def __init__(self, reactor, find, report):
        self._find = find
        self._report = report
        self.looks = 0
        self.loop = LoopingCall(self._look)
        self.loop.clock = reactor

    def _look(self):
        self.looks += 1
        try:
            outcome = described(self._find())
        except DeviceError as error:
            outcome = failed(error)
        except EnvironmentError as error:
            # The device went away between the search and the reading.
            outcome = {"error": "EnvironmentError", "message": os.strerror(error.errno)}
        self._report(outcome)


class Agent(LineOnlyReceiver, object):
    """
    Carries out the requests on one connection.

    :param reactor: provides ``IReactorTime``.
    :param DeviceFinder finder: searches as the driver does.
    :param DeviceFinder listener: searches at events, and all but never without one.
    """

    delimiter = b"\n"

    def __init__(self, reactor, finder, listener):
        self._reactor = reactor
        self._finder = finder
        self._listener = listener
        self._running = {}
        self._watches = {}
        self._looks = {}

    def connectionMade(self):
        self._send(ready="{}.{}.{}".format(*sys.version_info))

    def _send(self, **reply):
        self.sendLine(json.dumps(reply).encode("ascii"))

    def lineReceived(self, line):
        request = json.loads(line.decode("ascii"))
        name = request["id"]
        running = maybeDeferred(getattr(self, "do_" + request.pop("call")), **request)
        self._running[name] = running
        running.addCallback(lambda result: self._send(id=name, result=result))
        running.addErrback(self._failed, name)
        running.addBoth(self._forget, name)

    def _forget(self, _, name):
        for kept in (self._running, self._looks, self._watches):
            kept.pop(name, None)

    def _failed(self, failure, name):
        if not failure.check(DeviceError, CancelledError):
            log.err(failure)
        self._send(id=name, **failed(failure.value))

    def _look(self, name, outcome):
        if self._looks.get(name) != outcome:
            self._looks[name] = outcome
            self._send(id=name, look=outcome)

    def do_find(self, id, volume, size, names=NO_NAMES):
        return described(self._finder.find(volume, size, names=names))

    def do_wait_until_present(self, id, volume, size, names=NO_NAMES):
        wait = partial(self._finder.wait_until_present, names=names)
        return self._wait(wait, id, volume, size)

    def do_wait_for_event(self, id, volume, size):
        return self._wait(self._listener.wait_until_present, id, volume, size)

    def do_wait_until_grown(self, id, volume, size):
        return self._wait(self._finder.wait_until_grown, id, volume, size)

    def _wait(self, wait, name, volume, size):
        def report(failure):
            self._look(name, failed(failure.value))

        return wait(volume, size, report=report).addCallback(described)

    def do_wait_until_gone(self, id, volume, size):
        waiting = self._finder.wait_until_gone(volume)
        if not waiting.called:
            self._look(id, {"error": "DeviceStillPresent", "message": ""})
        return waiting

    def do_watch(self, id, volume, size):
        def report(outcome):
            self._look(id, outcome)

        watch = Watch(self._reactor, lambda: self._finder.find(volume, size), report)
        watching = watch.loop.start(PAUSE)
        self._watches[id] = watch
        return watching.addCallback(lambda _: watch.looks)

    def do_stop(self, id, search):
        self._watches[search].loop.stop()

    def do_cancel(self, id, search):
        self._running[search].cancel()


def prepare():
    """
    Mount what the search reads, and load the drivers.

    :raises OSError: the kernel refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    for kind, place in FILE_SYSTEMS:
        if libc.mount(kind.encode(), place.encode(), kind.encode(), 0, None):
            raise OSError(ctypes.get_errno(), "mount " + place)
    for name in sorted(os.listdir(MODULES)):
        with open(os.path.join(MODULES, name), "rb") as module:
            if libc.syscall(FINIT_MODULE, module.fileno(), b"", 0):
                raise OSError(ctypes.get_errno(), "finit_module " + name)


def loaded():
    """:return: list of the paths of all files that Python loads, for a search on this machine."""
    from twisted.internet import reactor

    try:
        DeviceFinder(reactor).find("no volume", 1)
    except DeviceNotFound as error:
        failed(error)
    paths = {getattr(module, "__file__", None) for module in list(sys.modules.values())} - {None}
    # The reactor takes the place of this module.
    paths.add(os.path.join(os.path.dirname(internet.__file__), "reactor.py"))
    library = "lib/python{}.{}".format(*sys.version_info)
    paths.update(os.path.join(sys.prefix, library, name) for name in LANDMARKS)
    packages = os.path.dirname(os.path.dirname(attr.__file__))
    paths.update(glob.glob(os.path.join(packages, "*-nspkg.pth")))
    return sorted(os.path.abspath(path) for path in paths)


def main():
    from twisted.internet import reactor

    prepare()
    log.startLogging(sys.stderr, setStdout=False)
    port = os.open(PORT, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    listener = DeviceFinder(reactor, intervals=(NEVER, NEVER))
    agent = Agent(reactor, DeviceFinder(reactor), listener)
    StandardIO(agent, stdin=port, stdout=os.dup(port))
    reactor.run()


if __name__ == "__main__":
    if sys.argv[1:] == ["--loaded"]:
        print(json.dumps(loaded()))
    else:
        main()
