"""Tests of the versions of services' APIs."""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage._http.messages import Response
from txstorage.clouds.openstack.tokens import Token
from txstorage.clouds.openstack.versions import (
    APIS,
    ServiceVersions,
    VersionDiscovery,
    as_numbers,
    major_version,
    negotiate,
    read_versions,
    version_base,
    with_project,
)

from ...helpers.wire import versions_answer

VOLUME, COMPUTE = APIS[u"v3"], APIS[u"v2.1"]
TOKEN = Token(u"tok")

CINDER = versions_answer(300, (u"v3.0", u"/v3/", u"3.0", u"3.71")).body
NOVA = versions_answer(
    200, (u"v2.0", u"/v2/", u"", u""), (u"v2.1", u"/v2.1/", u"2.1", u"2.104")
).body


class PiecesTests(SynchronousTestCase):
    """URLs, documents and numbers."""

    def test_as_numbers(self):
        """Versions are compared as numbers; what is none is none."""
        for text, expected in (
            (u"3.71", (3, 71)), (u"v3.0", (3, 0)), (u"2.1", (2, 1)),
            (u"", None), (u"v3", None), (None, None), (3.1, None), (u"3.1.2", None),
        ):
            self.assertEqual(as_numbers(text), expected)

    def test_version_base(self):
        """A URL is cut after its version, also behind a gateway with versions of its own."""
        for api, url, expected in (
            (VOLUME, u"http://cloud/v3/p1", u"http://cloud/v3"),
            (VOLUME, u"http://[fd00::5]:8776/v3/p1", u"http://[fd00::5]:8776/v3"),
            (COMPUTE, u"http://cloud/compute/v2.1/", u"http://cloud/compute/v2.1"),
            (COMPUTE, u"http://cloud/v2/p1", u"http://cloud/v2"),
            (VOLUME, u"https://api.example/v1/cinder/v3/p1/", u"https://api.example/v1/cinder/v3"),
            (VOLUME, u"http://v3/volume", None),
            (VOLUME, u"http://cloud:8776/", None),
            (VOLUME, u"http://cloud/v3cinder/", None),
            # versions of a gateway
            (VOLUME, u"http://cloud/api/v1/volume", None),
            (COMPUTE, u"http://cloud/api/v3/compute/", None),
        ):
            self.assertEqual(version_base(api, url), expected)

    def test_major_version(self):
        """The last version of a URL counts, without its minor part."""
        for url, expected in (
            (u"http://cloud/v2/gateway/v3.71/p1", u"v3"),
            (u"http://cloud/v3/gateway/v2/p1", u"v2"),
            (u"http://v1/volume", None),
        ):
            self.assertEqual(major_version(url), expected)

    def test_read(self):
        """The right major version is found, in either form of the document."""
        for document, api, url, expected in (
            (CINDER, VOLUME, u"http://c:8776/",
             ServiceVersions(u"http://c:8776/v3", (3, 0), (3, 71))),
            (CINDER, VOLUME, u"http://c/v3", ServiceVersions(u"http://c/v3", (3, 0), (3, 71))),
            (NOVA, COMPUTE, u"http://c/nova/",
             ServiceVersions(u"http://c/nova/v2.1", (2, 1), (2, 104))),
            (
                {u"version": NOVA[u"versions"][1]}, COMPUTE, u"http://c/v2.1",
                ServiceVersions(u"http://c/v2.1", (2, 1), (2, 104)),
            ),
        ):
            self.assertEqual(read_versions(document, api, url), expected)

    def test_old_compute(self):
        """A Compute that has 2.0 only is used without microversions."""
        document = {u"versions": NOVA[u"versions"][:1]}
        self.assertEqual(read_versions(document, COMPUTE, u"http://c"), ServiceVersions(u"http://c/v2"))

    def test_without_links(self):
        """Without a usable link the version's id is used."""
        for links in (None, [7, {u"rel": u"self", u"href": None}], [{u"rel": u"other"}]):
            document = {u"versions": [{u"id": u"v3", u"links": links}]}
            self.assertEqual(read_versions(document, VOLUME, u"http://c"), ServiceVersions(u"http://c/v3"))

    def test_no_document(self):
        """A document of another form contains no versions."""
        for document in (None, [], {}, {u"version": 3}, {u"versions": {u"values": []}},
                         {u"versions": [7]}):
            self.assertIs(read_versions(document, VOLUME, u"http://c"), None)

    def test_other_versions(self):
        """A service that lacks the version is an error, which names those it has."""
        document = versions_answer(
            300, (u"v1.0", u"/v1/", u"", u""), (u"v2.0", u"/v2/", u"", u"")
        ).body
        caught = self.assertRaises(
            errors.EndpointMissing, read_versions, document, VOLUME, u"http://c:8776/"
        )
        self.assertIn(u"Block Storage at http://c:8776/ has v1, v2, but v3", caught.message)

    def test_negotiate(self):
        """The first microversion that the service has is taken."""
        found = ServiceVersions(u"http://c/v3", (3, 0), (3, 43))
        self.assertEqual(negotiate(VOLUME, found, (u"3.44", u"3.27")), u"volume 3.27")
        self.assertEqual(negotiate(VOLUME, found, (u"3.43", u"3.27")), u"volume 3.43")

    def test_none_will_do(self):
        """The error of an unsupported service lists its versions and the required one."""
        for found, words in (
            (ServiceVersions(u"http://c/v3", (3, 0), (3, 9)),
             u"has no microversion above 3.9, and 3.27 is required"),
            (ServiceVersions(u"http://c/v3"), u"has no microversions, and 3.27 is required"),
        ):
            caught = self.assertRaises(
                errors.MicroversionMissing, negotiate, VOLUME, found, (u"3.44", u"3.27")
            )
            self.assertIn(words, caught.message)
        # what an old microversion did may be gone as well
        newer = ServiceVersions(u"http://c/v3", (3, 30), (3, 99))
        self.assertRaises(errors.MicroversionMissing, negotiate, VOLUME, newer, (u"3.27",))

    def test_project(self):
        """The project's id is in URLs unless the service can do without."""
        for api, found, project, expected in (
            (VOLUME, ServiceVersions(u"u", (3, 0), (3, 66)), u"p", u"u/p"),
            (VOLUME, ServiceVersions(u"u", (3, 0), (3, 67)), u"p", u"u"),
            (VOLUME, ServiceVersions(u"u"), u"p", u"u/p"),
            (VOLUME, ServiceVersions(u"u"), u"", u"u"),
            (COMPUTE, ServiceVersions(u"u", (2, 1), (2, 17)), u"p", u"u/p"),
            (COMPUTE, ServiceVersions(u"u", (2, 1), (2, 18)), u"p", u"u"),
        ):
            self.assertEqual(with_project(api, found, project), expected)


class DiscoveryTests(SynchronousTestCase):
    """Asking, once."""

    def setUp(self):
        """Create a discovery whose responses the test releases."""
        self.asked = []
        self.clock = Clock()
        self.discovery = VersionDiscovery(self.clock, self.get)

    def get(self, api, url, token):
        """Keep what is asked."""
        answer = Deferred()
        self.asked.append((url, answer))
        return answer

    def find(self, url=u"http://c:8776/"):
        """Look for Block Storage."""
        return self.discovery.find(VOLUME, url, TOKEN)

    def answer(self, result):
        """Release the response to the last request."""
        if isinstance(result, dict):
            result = Response(300, {}, result)
        self.asked[-1][1].callback(result)

    def test_once(self):
        """Concurrent and later callers share one request."""
        together = [self.find(), self.find()]
        self.answer(CINDER)
        expected = ServiceVersions(u"http://c:8776/v3", (3, 0), (3, 71))
        for each in together + [self.find()]:
            self.assertEqual(self.successResultOf(each), expected)
        self.assertEqual([url for url, _ in self.asked], [u"http://c:8776/"])

    def test_each_endpoint(self):
        """Each endpoint is asked by itself, one with a version at its version."""
        self.find()
        self.find(u"http://c:8776/v3/p")
        self.assertEqual(
            [url for url, _ in self.asked], [u"http://c:8776/", u"http://c:8776/v3/"]
        )

    def test_no_document(self):
        """
        Without a document the plain API is used where it usually is, and the next call asks again:
        the response may have come from a load balancer.
        """
        problems = [
            errors.NotTheService(u"GET", u"u", u"no JSON"),
            errors.ResourceNotFound(u"GET", u"u", 404, u"no"),
            errors.PermissionDenied(u"GET", u"u", 403, u"no"),
            errors.RequestRefused(u"GET", u"u", 400, u"no"),
            Response(200, {}, {u"hello": 1}),
        ]
        for number, problem in enumerate(problems):
            url = u"http://c{}".format(number)
            found = self.find(url)
            if isinstance(problem, Exception):
                self.asked[-1][1].errback(problem)
            else:
                self.answer(problem)
            plain = self.successResultOf(found)
            self.assertEqual(
                (plain.url, plain.minimum, plain.maximum), (url + u"/v3", None, None)
            )
            self.assertRaises(errors.VersionsUnknown, negotiate, VOLUME, plain, (u"3.44",))
            again = self.find(url)
            self.answer(CINDER)
            self.assertEqual(self.successResultOf(again).maximum, (3, 71))
        self.assertEqual(len(self.asked), 2 * len(problems))

    def test_lifetime(self):
        """A document is kept for an hour, and afterwards as long as there is no newer one."""
        self.find()
        self.answer(CINDER)
        self.clock.advance(3599)
        self.assertEqual(self.successResultOf(self.find()).maximum, (3, 71))
        self.clock.advance(1)
        found = self.find()
        self.answer({u"hello": 1})
        self.assertEqual(self.successResultOf(found).maximum, (3, 71))
        newer = versions_answer(300, (u"v3.0", u"/v3/", u"3.0", u"3.99")).body
        found = self.find()
        self.answer(newer)
        self.assertEqual(self.successResultOf(found).maximum, (3, 99))
        self.assertEqual(len(self.asked), 3)

    def test_trouble(self):
        """A transient error fails the callers, and the next call sends a new request."""
        for problem in (
            errors.Unreachable(u"GET", u"u", u"down"),
            errors.ServiceBroken(u"GET", u"u", 500, u"no"),
            errors.AuthenticationFailed(u"GET", u"u", 401, u"no"),
        ):
            found = self.find()
            self.asked[-1][1].errback(problem)
            self.failureResultOf(found, type(problem))
        self.assertEqual(len(self.asked), 3)

    def test_cancelled(self):
        """The last one to leave ends the request; the next one begins another."""
        first, second = self.find(), self.find()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        second.cancel()
        self.failureResultOf(second, CancelledError)
        self.find()
        self.assertEqual(len(self.asked), 2)

    def test_at_once(self):
        """A response that arrives immediately is used as well."""
        discovery = VersionDiscovery(
            Clock(), lambda api, url, token: succeed(Response(200, {}, CINDER))
        )
        for _ in range(2):
            found = discovery.find(VOLUME, u"http://c:8776/", TOKEN)
            self.assertEqual(self.successResultOf(found).maximum, (3, 71))
        discovery = VersionDiscovery(Clock(), lambda api, url, token: fail(ValueError()))
        self.failureResultOf(discovery.find(VOLUME, u"http://c", TOKEN), ValueError)

    def test_clear(self):
        """The versions found can be forgotten."""
        self.find()
        self.answer(CINDER)
        self.discovery.clear()
        self.find()
        self.assertEqual(len(self.asked), 2)
