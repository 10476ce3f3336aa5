"""
Tests for :mod:`txstorage._devices.connector` and :mod:`txstorage._devices.os_brick`.
"""

from __future__ import absolute_import, division, print_function

import os
import sys
from types import ModuleType

from twisted.internet.defer import CancelledError, Deferred, fail, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage._devices.connected import ConnectedDevices
from txstorage._devices.connector import HostConnector, own_address
from txstorage._devices.os_brick import Brick
from txstorage.errors import ConnectionFailed, ConnectorMissing, VolumeEncrypted

VOLUME = u"11111111-2222-4333-8444-555555555555"
LOCAL = {u"driver_volume_type": u"local", u"device_path": u"/dev/loop7"}
ISCSI = {u"driver_volume_type": u"iscsi", u"target_iqn": u"iqn.x", u"auth_password": u"secret"}


class FakeConnectors(object):
    """The module ``os_brick.initiator.connector``."""

    def __init__(self, path=u"/dev/sdq"):
        self.path = path
        self.calls = []

    @property
    def InitiatorConnector(self):  # noqa: N802 (os-brick's name)
        """Return the class that has the factory of connectors."""
        return self

    def get_connector_properties(self, root_helper, my_ip, multipath, enforce_multipath):
        """Stand in for os-brick's."""
        return {"host": "other", "ip": my_ip, "initiator": "iqn.here", "multipath": multipath}

    def factory(self, protocol, root_helper, **options):
        """Stand in for os-brick's."""
        self.calls.append(("factory", protocol))
        return self

    def connect_volume(self, connection):
        """Stand in for os-brick's."""
        self.calls.append(("connect", connection))
        if self.path is None:
            raise RuntimeError("iscsiadm --password secret: no portal")
        return {"type": "block", "path": self.path}

    def disconnect_volume(self, connection, device_info):
        """Stand in for os-brick's."""
        self.calls.append(("disconnect", connection, device_info))


def connector(connectors=None, **options):
    """:return: a :class:`HostConnector` with os-brick, or without."""
    return HostConnector(
        Clock(),
        brick=lambda: None if connectors is None else Brick(connectors),
        in_thread=maybeDeferred,
        **options
    )


class PropertiesTests(SynchronousTestCase):
    """The host's properties."""

    def test_without_brick(self):
        """Without os-brick, the properties have the host's name, and no initiator."""
        properties = self.successResultOf(connector().properties())
        self.assertEqual({u"host", u"platform", u"os_type", u"multipath"}, set(properties))
        self.assertTrue(properties[u"host"])

    def test_with_brick(self):
        """os-brick's properties are added, and the host's name is kept."""
        own = self.successResultOf(connector().properties())
        properties = self.successResultOf(connector(FakeConnectors()).properties())
        self.assertEqual(("iqn.here", "127.0.0.1"), (properties["initiator"], properties["ip"]))
        self.assertEqual(own[u"host"], properties[u"host"])

    def test_address(self):
        """The address is that from which this host reaches the service."""
        self.assertEqual(u"127.0.0.1", own_address((u"127.0.0.1", 5000)))
        made = connector(FakeConnectors(), place=(u"127.0.0.1", 0))
        self.assertEqual("127.0.0.1", self.successResultOf(made.properties())["ip"])


class LocalTests(SynchronousTestCase):
    """A device of this host."""

    def test_path(self):
        """The path comes from the connection; os-brick is not called."""
        brick = FakeConnectors()
        for made in (connector(), connector(brick)):
            self.assertEqual(u"/dev/loop7", self.successResultOf(made.connect(VOLUME, LOCAL)))
            self.assertIs(None, self.successResultOf(made.disconnect(VOLUME, LOCAL)))
        self.assertEqual([], brick.calls)

    def test_no_path(self):
        """A path that is not absolute is refused; the error names the volume."""
        for path in (None, u"", u"loop7", u"/dev/lo\0p", 7):
            wrong = dict(LOCAL, device_path=path)
            failure = self.failureResultOf(connector().connect(VOLUME, wrong), ConnectionFailed)
            self.assertIn(VOLUME, str(failure.value))

    def test_no_kind(self):
        """A connection without a kind is refused."""
        for wrong in ({}, {u"driver_volume_type": 7}, {u"driver_volume_type": u""}):
            self.failureResultOf(connector().connect(VOLUME, wrong), ConnectionFailed)


class EncryptedTests(SynchronousTestCase):
    """Encrypted volumes, which nothing on this host would decrypt."""

    def test_connect(self):
        """A connection is refused before it is made; the error names the volume and Compute."""
        brick = FakeConnectors()
        for kind in (ISCSI, LOCAL):
            d = connector(brick).connect(VOLUME, dict(kind, encrypted=True))
            error = self.failureResultOf(d, VolumeEncrypted).value
            for word in (VOLUME, u"encrypted", u"attach_through: compute"):
                self.assertIn(word, str(error))
            plain = connector(brick).connect(VOLUME, dict(kind, encrypted=False))
            self.assertTrue(self.successResultOf(plain))
        connected = [call[1] for call in brick.calls if call[0] == "connect"]
        self.assertEqual([dict(ISCSI, encrypted=False)], connected)

    def test_disconnect(self):
        """A device that is there nonetheless is disconnected."""
        brick = FakeConnectors()
        encrypted = dict(ISCSI, encrypted=True)
        self.successResultOf(connector(brick).disconnect(VOLUME, encrypted))
        self.assertEqual(("disconnect", encrypted, None), brick.calls[-1])

    def test_busy(self):
        """Before a detach, the users of a device that is there are looked for."""
        calls = []

        class Finder(object):
            """A finder of devices."""

            def refuse_if_busy(self, volume_id):
                """Record the call."""
                calls.append(volume_id)

        class Service(object):
            """A service whose connection is refused."""

            def connect(self, volume_id):
                """Fail as the connector does."""
                return fail(VolumeEncrypted(volume_id))

        self.successResultOf(ConnectedDevices(Service(), Finder()).refuse_if_busy(VOLUME))
        self.assertEqual([VOLUME], calls)


class BrickTests(SynchronousTestCase):
    """Connections of other kinds."""

    def test_missing(self):
        """The error without os-brick names the volume, the kind and the package to install."""
        for d in (connector().connect(VOLUME, ISCSI), connector().disconnect(VOLUME, ISCSI)):
            error = self.failureResultOf(d, ConnectorMissing).value
            for word in (VOLUME, u"iscsi", u"pip install 'txstorage[os-brick]'"):
                self.assertIn(word, str(error))
            self.assertNotIn("secret", str(error))

    def test_connect(self):
        """os-brick gets the connection unchanged, and returns the path."""
        for path in (u"/dev/sdq", b"/dev/sdq"):
            brick = FakeConnectors(path)
            found = self.successResultOf(connector(brick).connect(VOLUME, ISCSI))
            self.assertEqual(u"/dev/sdq", found)
            self.assertIsInstance(found, type(u""))
            self.assertEqual([("factory", "iscsi"), ("connect", ISCSI)], brick.calls)

    def test_disconnect(self):
        """os-brick disconnects with the connection alone: nothing else survives a restart."""
        brick = FakeConnectors()
        self.successResultOf(connector(brick).disconnect(VOLUME, ISCSI))
        self.assertEqual([("factory", "iscsi"), ("disconnect", ISCSI, None)], brick.calls)

    def test_fails(self):
        """os-brick's error is reported with the volume and the kind, and without secrets."""
        d = connector(FakeConnectors(None)).connect(VOLUME, ISCSI)
        error = self.failureResultOf(d, ConnectionFailed).value
        for word in (VOLUME, u"iscsi", u"iscsiadm --password ***: no portal"):
            self.assertIn(word, str(error))
        self.assertNotIn(u"secret", str(error))

    def test_cancelled(self):
        """A cancelled wait for os-brick is not a failed connection."""
        made = HostConnector(
            Clock(), brick=lambda: Brick(FakeConnectors()), in_thread=lambda *_: Deferred()
        )
        d = made.connect(VOLUME, ISCSI)
        d.cancel()
        self.failureResultOf(d, CancelledError)

    def test_thread(self):
        """os-brick runs in the reactor's thread pool, because it blocks."""
        calls = []

        class Pool(object):
            """A thread pool that calls functions at once and records their names."""

            def callInThreadWithCallback(self, done, function, *args, **kwargs):  # noqa: N802
                calls.append(function.__name__)
                done(True, function(*args, **kwargs))

        clock = Clock()
        clock.getThreadPool = Pool
        clock.callFromThread = lambda function, *args, **kwargs: function(*args, **kwargs)
        made = HostConnector(clock, brick=lambda: Brick(FakeConnectors()))
        self.assertEqual(u"/dev/sdq", self.successResultOf(made.connect(VOLUME, ISCSI)))
        self.assertEqual(["connect"], calls)


class LoadTests(SynchronousTestCase):
    """The detection of os-brick."""

    def module(self, name, **attributes):
        """Make a fake module importable."""
        made = ModuleType(name)
        made.__dict__.update(attributes)
        self.replace(name, made)
        return made

    def replace(self, name, module):
        """Replace a module by its name during this test."""
        before = sys.modules.get(name)
        put_back = sys.modules.pop if before is None else sys.modules.__setitem__
        self.addCleanup(put_back, name, before)
        sys.modules[name] = module

    def test_missing(self):
        """Without os-brick, ``load`` returns ``None``."""
        self.replace("os_brick", None)
        self.assertIs(None, Brick.load())

    def test_there(self):
        """os-brick is configured with its lock directory and root helper."""
        calls = []
        connectors = FakeConnectors()
        initiator = self.module("os_brick.initiator", connector=connectors)
        self.module("os_brick", setup=calls.append, initiator=initiator)
        lockutils = ModuleType("lockutils")
        lockutils.set_defaults = calls.append
        self.module("oslo_concurrency", lockutils=lockutils)
        self.module("oslo_config", cfg=ModuleType("cfg")).cfg.CONF = "configuration"
        context = ModuleType("priv_context")
        context.init = lambda root_helper: calls.append(root_helper)
        self.module("oslo_privsep", priv_context=context)
        made = Brick.load()
        locks, configuration, [program, path] = calls
        self.assertEqual(
            ("/run/os-brick", "configuration", "env"), (locks, configuration, program)
        )
        self.assertTrue(path.startswith("PATH=" + os.path.dirname(sys.executable) + ":"), path)
        self.assertEqual(u"/dev/sdq", made.connect(u"iscsi", ISCSI))
        del sys.modules["os_brick"].setup
        self.assertIsNot(None, Brick.load())
