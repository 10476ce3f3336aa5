"""
Tests of the service types by which the catalog names the services.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds.openstack.service import OpenStackService
from txstorage.clouds.openstack.session import Session
from txstorage.errors import EndpointMissing

from ...helpers.wire import Answer, Wire, catalog, token_answer
from .support import BY_PASSWORD

# https://service-types.openstack.org/service-types.json: the types of Cinder, the official one
# first, and of Nova.
BLOCK_STORAGE = [u"block-storage", u"block-store", u"volumev3", u"volume"]
COMPUTE = [u"compute"]


class ServiceTypesTests(SynchronousTestCase):
    """Catalogs that name a service by one type only."""

    def service(self, *types):
        """:return: a service whose catalog has these types, each with a host of that name."""
        entries = [
            (
                name,
                u"public",
                u"RegionOne",
                u"http://{}.example/{}".format(name, u"v2.1" if name in COMPUTE else u"v3"),
            )
            for name in types
        ]
        self.token = token_answer("t", services=catalog(*entries))
        self.wire = Wire(self.token, Answer(200, {u"volumes": []}))
        session = Session(self.wire.clock, self.wire.http, u"http://cloud", BY_PASSWORD)
        return OpenStackService(session)

    def asked(self):
        """:return: the host that the last request was sent to."""
        return self.wire.service.seen[-1].header(u"host")

    def test_each_is_found(self):
        """Block Storage is found by each of its types, in a catalog that has only that type."""
        for name in BLOCK_STORAGE:
            page = self.successResultOf(self.service(name).list_volumes({}))
            self.assertEqual((), page.volumes)
            self.assertEqual(name + u".example", self.asked())

    def test_first_is_preferred(self):
        """The official type is preferred, then the others in their order."""
        for index, name in enumerate(BLOCK_STORAGE):
            service = self.service(*reversed(BLOCK_STORAGE[index:]))
            self.successResultOf(service.list_volumes({}))
            self.assertEqual(name + u".example", self.asked())

    def test_no_other(self):
        """A service of another type is not used."""
        for name in (u"volumev2", u"block", u"object-store", u"compute"):
            service = self.service(name)
            # The catalog may be requested again before the error.
            self.wire.service.script[:] = [lambda seen: self.token]
            self.failureResultOf(service.list_volumes({}), EndpointMissing)
            self.assertTrue(
                all(seen.target.endswith(u"/tokens") for seen in self.wire.service.seen)
            )

    def test_compute(self):
        """Compute is found by its type."""
        for name in COMPUTE:
            service = self.service(name)
            self.wire.service.script[1] = Answer(200, {u"servers": []})
            self.assertEqual((), self.successResultOf(service.list_servers()))
            self.assertEqual(name + u".example", self.asked())
