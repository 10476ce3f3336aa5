"""
Tests of the ids in Nova's errors: the volume's in one, the server's in the other.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds.openstack.nova import Nova
from txstorage.errors import UnknownServer
from txstorage.interfaces import UnknownVolume

from ...helpers.wire import Wire, error
from .test_nova import NO_SERVER, NO_VOLUME, SERVER, VOLUME, not_found

MALFORMED = error(
    400, u"badRequest", u"Invalid input for field/attribute volumeId. 'x/y' is not a 'uuid'"
)


class IdTests(SynchronousTestCase):
    """The ids that the errors name."""

    def nova(self, *script):
        """A Nova that responds from a script."""
        self.wire = Wire(*script)
        return Nova(self.wire.session({u"compute": u"http://cloud/v2.1"}))

    def volume_of(self, d):
        """:return: the volume's id in the error."""
        error = self.failureResultOf(d, UnknownVolume).value
        self.assertEqual((error.blockdevice_id,), error.args)
        return error.blockdevice_id

    def server_of(self, d):
        """:return: the server's id in the error."""
        error = self.failureResultOf(d, UnknownServer).value
        self.assertIn(error.server_id, error.message)
        return error.server_id

    def test_not_found(self):
        """A 404 of a volume names the volume, and a 404 of a server names the server."""
        for name in ("attach", "detach"):
            nova = self.nova(not_found(NO_VOLUME), not_found(NO_SERVER))
            self.assertEqual(VOLUME, self.volume_of(getattr(nova, name)(VOLUME, SERVER)))
            self.assertEqual(SERVER, self.server_of(getattr(nova, name)(VOLUME, SERVER)))

    def test_by_ids_alone(self):
        """A message without the words is understood by the id that it contains."""
        for name in ("attach", "detach"):
            nova = self.nova(not_found(u"404: " + VOLUME), not_found(u"404: " + SERVER))
            self.assertEqual(VOLUME, self.volume_of(getattr(nova, name)(VOLUME, SERVER)))
            self.assertEqual(SERVER, self.server_of(getattr(nova, name)(VOLUME, SERVER)))

    def test_unsafe(self):
        """Ids that can't be part of a path are named without a request, the volume's first."""
        nova = self.nova()
        for name in ("attach", "detach"):
            self.assertEqual(u"..", self.volume_of(getattr(nova, name)(u"..", SERVER)))
            self.assertEqual(u"..", self.server_of(getattr(nova, name)(VOLUME, u"..")))
        self.assertEqual(u"..", self.server_of(nova.get_server(u"..")))
        self.assertEqual(u"..", self.server_of(nova.start_server(u"..")))
        self.assertEqual([], self.wire.service.seen)

    def test_malformed_volume(self):
        """A volume id that Nova finds malformed is named."""
        self.assertEqual(u"xyz", self.volume_of(self.nova(MALFORMED).attach(u"xyz", SERVER)))

    def test_servers(self):
        """Requests about a server name the server."""
        nova = self.nova(not_found(NO_SERVER), not_found(NO_SERVER))
        self.assertEqual(SERVER, self.server_of(nova.get_server(SERVER)))
        self.assertEqual(SERVER, self.server_of(nova.start_server(SERVER)))
