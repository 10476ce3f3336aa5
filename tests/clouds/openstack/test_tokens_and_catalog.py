"""
Tests of tokens and of the service catalog.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage.clouds.openstack.catalog import (
    Endpoint,
    catalog_from_wire,
    choose_endpoint,
)
from txstorage.clouds.openstack.session import (
    Credentials,
    Session,
    Token,
    identity_url,
)

from ...helpers.wire import (
    CATALOG,
    PROJECT,
    VOLUMES,
    Wire,
    catalog,
    token_answer,
)
from .support import TYPES


class TokenTests(SynchronousTestCase):
    """Keystone's responses."""

    def test_from_wire(self):
        """Names, project and lifetime are taken; the token itself is not shown."""
        token = Token.from_wire(u"tok-1", token_answer("tok-1").body[u"token"])
        self.assertEqual(
            (token.secret, token.user_name, token.project_name, token.project_id),
            (u"tok-1", u"flocker", u"demo", PROJECT),
        )
        self.assertEqual(token.lifetime, 3600.0)
        self.assertEqual(len(token.catalog), 3)
        self.assertNotIn("tok-1", repr(token))

    def test_little(self):
        """A token without a project, times or a catalog is a token."""
        for wire in (
            {},
            {u"project": None, u"user": [], u"issued_at": 1, u"expires_at": None},
            {u"issued_at": u"yesterday", u"expires_at": u"2026-11-22T16:00:00Z"},
            {u"catalog": {}, u"issued_at": u"2026-11-22T16:00:00Z"},
        ):
            self.assertEqual(Token.from_wire(u"t", wire), Token(u"t"))

    def test_ended_before_it_began(self):
        """A lifetime is never negative."""
        wire = {u"issued_at": u"2026-11-22T16:00:00Z", u"expires_at": u"2026-11-22T15:00:00Z"}
        self.assertEqual(Token.from_wire(u"t", wire).lifetime, 0.0)

    def test_incredible_time_of_issue(self):
        """
        A lifetime begins at the answer's ``Date`` where ``issued_at`` is missing, unreadable, not
        before the end, or years before it.
        """
        date, expires = 1795363200.0, u"2026-11-22T17:00:00Z"  # 16:00
        for issued, lifetime in (
            (u"2026-11-22T16:00:03.000000Z", 3597.0),
            (u"2026-11-22T17:01:00+01:00", 3540.0),
            (None, 3600.0),
            (7, 3600.0),
            (u"", 3600.0),
            (u"yesterday", 3600.0),
            (u"1970-01-01T00:00:00.000000Z", 3600.0),
            (u"9999-99-99T99:99:99Z", 3600.0),
            (u"2026-11-22T18:00:00Z", 3600.0),
            (u"2026-11-22T17:00:00Z", 3600.0),
            (u"2026-11-22T15:00:00", 7200.0),
        ):
            wire = {u"issued_at": issued, u"expires_at": expires}
            self.assertEqual(Token.from_wire(u"t", wire, date).lifetime, lifetime, issued)
        self.assertIs(Token.from_wire(u"t", {u"issued_at": u"x"}, date).lifetime, None)
        # Two times that are no better: the token's own counts.
        wire = {u"issued_at": u"1970-01-01T00:00:00Z", u"expires_at": u"2026-11-22T17:00:00Z"}
        self.assertGreater(Token.from_wire(u"t", wire, 0.0).lifetime, 1e9)


class CatalogTests(SynchronousTestCase):
    """The choice of an endpoint."""

    def test_from_wire(self):
        """Entries become endpoints; what is not one is left out."""
        wire = CATALOG[1:2] + [
            7,
            {u"type": u"x"},
            {u"type": u"x", u"endpoints": [7, {}, {u"interface": u"public", u"url": None}]},
            {u"type": None, u"endpoints": [{u"interface": u"public", u"url": u"u"}]},
            {u"type": u"y", u"endpoints": [{u"interface": u"public", u"url": u"http://y"}]},
            {
                u"type": u"z",
                u"endpoints": [{u"interface": u"admin", u"url": u"z", u"region": u"old"}],
            },
        ]
        self.assertEqual(
            catalog_from_wire(wire),
            (
                Endpoint(u"block-storage", u"public", u"RegionOne", u"http://cloud" + VOLUMES),
                Endpoint(u"y", u"public", u"", u"http://y"),
                Endpoint(u"z", u"admin", u"old", u"z"),
            ),
        )

    def choose(self, services, types=TYPES, interface=u"public", region=None):
        """Choose from a catalog."""
        return choose_endpoint(catalog_from_wire(catalog(*services)), types, interface, region)

    def test_preferred_type(self):
        """The preferred type is used, regardless of the catalog's order."""
        services = [
            (u"volumev3", u"public", u"r1", u"http://second"),
            (u"block-storage", u"public", u"r1", u"http://first"),
        ]
        self.assertEqual(self.choose(services), u"http://first")
        self.assertEqual(self.choose(services[:1]), u"http://second")

    def test_interface_and_region(self):
        """Interface and region choose among several."""
        services = [
            (u"volumev3", interface, region, u"http://{}.{}".format(interface, region))
            for interface in (u"public", u"internal")
            for region in (u"r1", u"r2")
        ]
        self.assertEqual(
            self.choose(services, interface=u"internal", region=u"r2"), u"http://internal.r2"
        )

    def test_several_regions(self):
        """Without a region there must be only one, or the error names them."""
        services = [
            (u"volumev3", u"public", u"r2", u"http://2"),
            (u"volumev3", u"public", u"r1", u"http://1"),
        ]
        caught = self.assertRaises(errors.EndpointMissing, self.choose, services)
        self.assertIn(u"r1, r2", caught.message)

    def test_missing(self):
        """The error names the required types and lists the catalog's entries."""
        services = [
            (u"compute", u"public", u"r1", u"http://1"),
            (u"volumev3", u"admin", None, u"http://2"),
        ]
        caught = self.assertRaises(errors.EndpointMissing, self.choose, services, region=u"r9")
        for part in (
            u"block-storage or volumev3",
            u"interface public",
            u"region r9",
            u"compute (public, r1)",
            u"volumev3 (admin, no region)",
        ):
            self.assertIn(part, caught.message)
        caught = self.assertRaises(errors.EndpointMissing, self.choose, [])
        self.assertIn(u"nothing", caught.message)

    def test_former_apis(self):
        """Cinder's v1 and v2 are skipped under every name, and the error lists them."""
        old = [
            (u"volume", u"public", u"r1", u"http://cloud:8776/v1/p"),
            (u"volumev2", u"public", u"r1", u"http://cloud:8776/v2/p"),
        ]
        types = (u"block-storage", u"volumev3", u"volume")
        caught = self.assertRaises(errors.EndpointMissing, self.choose, old, types)
        self.assertIn(
            u"it has: volume (public, r1, too old: http://cloud:8776/v1/p), "
            u"volumev2 (public, r1, too old: http://cloud:8776/v2/p)",
            caught.message,
        )
        current = (u"volume", u"public", u"r1", u"http://cloud:8776/v3/p")
        self.assertEqual(self.choose(old + [current], types), current[3])
        for prefix in (u"/api/v1/volume", u"/v2/gateway", u"/v2.0/v1"):
            behind = (u"volumev3", u"public", u"r1", u"http://cloud{}/v3/p".format(prefix))
            self.assertEqual(self.choose([behind]), behind[3])
            older = (u"volumev3", u"public", u"r1", u"http://cloud{}/v2/p".format(prefix))
            self.assertRaises(errors.EndpointMissing, self.choose, [older])
        # Compute's v2 is not Cinder's.
        compute = (u"compute", u"public", u"r1", u"http://cloud:8774/v2/p")
        self.assertEqual(self.choose([compute], (u"compute",)), compute[3])

    def test_ipv6(self):
        """An endpoint at an IPv6 address is used; one with a zone is refused with the reason."""
        services = [(u"volumev3", u"public", u"r1", u"http://[fd00::5]:8776/v3/p")]
        self.assertEqual(self.choose(services), services[0][3])
        for url, words in (
            (u"http://[fe80::1%25eth0]:8776/v3/p", u"not a URL, an IPv6 address with a zone"),
            (u"http://fd00::5/v3/p", u"stands in brackets"),
            (u"http://[fd00::5/v3/p", u"malformed"),
        ):
            caught = self.assertRaises(
                errors.EndpointMissing, self.choose, [(u"volumev3", u"public", u"r1", url)]
            )
            self.assertIn(words, caught.message)
            self.assertIn(url, caught.message)

    def test_identity_url(self):
        """The URL of Keystone may come with any version or none."""
        for path in (u"", u"/", u"/v3", u"/v3/", u"/v2.0"):
            self.assertEqual(identity_url(u"http://k:5000" + path), u"http://k:5000/v3")
            self.assertEqual(identity_url(u"http://[::1]:5000" + path), u"http://[::1]:5000/v3")
        self.assertEqual(identity_url(u"http://k/identity"), u"http://k/identity/v3")
        self.assertEqual(identity_url(u"http://k/v2/identity"), u"http://k/v2/identity/v3")


class LifetimeTests(SynchronousTestCase):
    """The lifetime of a token in use."""

    def test_nonsense(self):
        """With a nonsensical ``issued_at``, a token is renewed by the answer's ``Date``."""
        answer = token_answer("t1")
        answer.body[u"token"][u"issued_at"] = u"0001-01-01T00:00:00.000000Z"
        answer.headers["Date"] = "Sun, 22 Nov 2026 16:00:00 GMT"
        wire = Wire(answer, token_answer("t2"))
        credentials = Credentials.token(u"given")
        session = Session(wire.clock, wire.http, u"http://cloud/v3", credentials)
        self.successResultOf(session.token())
        wire.clock.advance(3600 - 61)
        self.assertEqual(self.successResultOf(session.token()).secret, u"t1")
        wire.clock.advance(1)
        self.assertEqual(self.successResultOf(session.token()).secret, u"t2")
