"""
Tests for :mod:`txstorage._support.old_twisted`.
"""

from __future__ import absolute_import, division, print_function

import os
from threading import Thread

from eliot import start_action
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions, trustRootFromCertificates
from twisted.python import threadable
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from txstorage._support import old_twisted
from txstorage._support.old_twisted import (
    CheckedConnections,
    OwnReactorEndpoint,
    SecondReactor,
    TLSEndpoint,
    copy_context,
)

from ..helpers.wire import certificate_for


class CopyContextTests(SynchronousTestCase):
    """The current Eliot action, as a context."""

    def task(self):
        """The id of the task that a new action belongs to."""
        with start_action(action_type=u"tests:probe") as action:
            return action.serialize_task_id().split(b"@")[0]

    def test_run(self):
        """A function runs in the action of the copy, with its arguments and its result."""
        with start_action(action_type=u"tests:outer"):
            outer = self.task()
            context = copy_context()
        seen = []

        def function(number, name=None):
            seen.append(self.task())
            return number, name

        with start_action(action_type=u"tests:other"):
            self.assertEqual((1, u"n"), context.run(function, 1, name=u"n"))
            self.assertNotEqual(outer, self.task())
        self.assertEqual([outer], seen)

    def test_error(self):
        """An exception passes through and leaves the current action in place."""
        context = copy_context()
        with start_action(action_type=u"tests:outer"):
            before = self.task()
            self.assertRaises(KeyError, context.run, {}.__getitem__, u"missing")
            self.assertEqual(before, self.task())


class Receiver(Protocol):
    """
    A protocol that waits for the bytes ``hello``, or for the end of its connection.

    :ivar received: a ``Deferred`` that fires with the bytes or fails with the reason.
    """

    def __init__(self):
        self.received = Deferred()
        self._bytes = b""

    def dataReceived(self, data):
        self._bytes += data
        if len(self._bytes) >= len(b"hello") and not self.received.called:
            self.received.callback(self._bytes)

    def connectionLost(self, reason):
        if not self.received.called:
            self.received.errback(reason)


class OneProtocol(Factory):
    """
    A factory that always returns the same protocol.

    :ivar Receiver protocol: that protocol.
    """

    noisy = False

    def __init__(self, test_case):
        self.protocol = Receiver()
        # a connection that ends with the reactor is not an error of the test
        test_case.addCleanup(self.protocol.received.addErrback, lambda _: None)

    def buildProtocol(self, address):
        return self.protocol


class ReactorTestCase(SynchronousTestCase):
    """A test that runs a second reactor in its own thread, while the global one stands still."""

    def setUp(self):
        self.reactor = SecondReactor()
        self.addCleanup(self.reactor.close)

    def run_until_fired(self, function):
        """
        Run the reactor until a function's Deferred fires, ten seconds at most.

        :return: the Deferred, which has fired.
        """
        fired = []

        def start():
            function().addBoth(fired.append).addBoth(lambda _: self.reactor.stop())

        self.reactor.callWhenRunning(start)
        late = self.reactor.callLater(10, self.reactor.stop)
        self.reactor.run(installSignalHandlers=False)
        self.assertTrue(fired, "the Deferred has not fired after ten seconds")
        self.assertTrue(late.active())
        d = Deferred()
        d.callback(fired[0])
        return d


class OwnReactorEndpointTests(ReactorTestCase):
    """Connections to a host by name."""

    def test_connects(self):
        """The name is resolved in threads of the endpoint's reactor, and the connection made."""
        started = []
        pool = self.reactor.getThreadPool()

        def thread(*args, **kwargs):
            started.append(True)
            return Thread(*args, **kwargs)

        pool.threadFactory = thread
        served = OneProtocol(self)
        port = self.reactor.listenTCP(0, served, interface="127.0.0.1")
        endpoint = OwnReactorEndpoint(self.reactor, "localhost", port.getHost().port, timeout=5)

        def connect():
            d = endpoint.connect(OneProtocol(self))
            d.addCallback(lambda protocol: protocol.transport.write(b"hello"))
            return d.addCallback(lambda _: served.protocol.received)

        self.assertEqual(b"hello", self.successResultOf(self.run_until_fired(connect)))
        self.assertTrue(started)


class TLSTests(ReactorTestCase):
    """TLS connections whose certificates a function checks."""

    def setUp(self):
        ReactorTestCase.setUp(self)
        self.certificate = certificate_for(u"127.0.0.1")
        self.served = OneProtocol(self)
        self.checked = []

    def connect(self, problem=None):
        """Connect, send some bytes, and wait until the server or the client has an outcome."""
        port = self.reactor.listenSSL(
            0, self.served, self.certificate.options(), interface="127.0.0.1"
        )
        trust = trustRootFromCertificates([self.certificate])
        creator = CheckedConnections(
            CertificateOptions(trustRoot=trust),
            lambda *arguments: self.checked.append(arguments) or problem,
        )
        address = port.getHost()
        endpoint = TLSEndpoint(
            self.reactor, TCP4ClientEndpoint(self.reactor, address.host, address.port), creator
        )
        verifyObject(IStreamClientEndpoint, endpoint)
        verifyObject(IOpenSSLClientConnectionCreator, creator)
        client = OneProtocol(self)

        def connected(protocol):
            self.assertIs(client.protocol, protocol)
            protocol.transport.write(b"hel")
            protocol.transport.write(b"lo")
            return protocol.received if problem else self.served.protocol.received

        return self.run_until_fired(lambda: endpoint.connect(client).addCallback(connected))

    def test_small_writes(self):
        """Small writes are sent by the endpoint's reactor; the global one does not run."""
        self.assertEqual(b"hello", self.successResultOf(self.connect()))

    def test_check(self):
        """The check gets the certificate, OpenSSL's error, the depth, and whether it is trusted."""
        self.successResultOf(self.connect())
        certificate, error_number, depth, ok = self.checked[-1]
        self.assertEqual(self.certificate.serialNumber(), certificate.get_serial_number())
        self.assertEqual((0, 0, True), (error_number, depth, ok))

    def test_rejected(self):
        """The exception that the check returns ends the connection, and no byte is sent."""
        problem = KeyError("rejected")
        failure = self.failureResultOf(self.connect(problem))
        self.assertIs(problem, failure.value)
        self.failureResultOf(self.served.protocol.received)

    def test_clock(self):
        """The reactor is passed as the clock to releases of Twisted that have the argument."""
        for has_clock, arguments in [(False, {}), (True, {"clock": self.reactor})]:
            self.patch(old_twisted, "_TLS_HAS_CLOCK", has_clock)
            self.assertEqual(arguments, TLSEndpoint(self.reactor, None, None)._clock)


class SecondReactorTests(SynchronousTestCase):
    """A reactor beside the installed one."""

    def test_io_thread(self):
        """The second reactor's thread does not become Twisted's I/O thread."""
        before = threadable.ioThread
        reactor = SecondReactor()
        reactor.callWhenRunning(reactor.stop)
        thread = Thread(target=reactor.run, kwargs={"installSignalHandlers": False})
        thread.start()
        thread.join(10)
        self.assertFalse(thread.is_alive())
        self.assertEqual(before, threadable.ioThread)
        reactor.close()

    def test_close(self):
        """A closed reactor leaves no file descriptor open."""
        before = os.listdir("/proc/self/fd")
        reactor = SecondReactor()
        self.assertGreater(len(os.listdir("/proc/self/fd")), len(before))
        reactor.callWhenRunning(reactor.stop)
        reactor.run(installSignalHandlers=False)
        reactor.close()
        self.assertEqual(before, os.listdir("/proc/self/fd"))
