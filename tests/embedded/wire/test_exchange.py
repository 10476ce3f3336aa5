"""Tests of the parts of every exchange: ids, microversions, version documents, errors."""

from __future__ import annotations

from typing import Any
from unittest import mock

from twisted.internet.address import IPv6Address
from twisted.web.http import Request
from twisted.web.test.requesthelper import DummyChannel

from txstorage.embedded.testing import in_memory_cloud
from txstorage.embedded.wire.exchange import Service, call_from

from ..support import CloudTests


class RequestIdTests(CloudTests):
    """Tests of ``x-openstack-request-id``."""

    def test_everywhere(self) -> None:
        """Every response, success or error, has an id of its own."""
        paths = ("/", "/nothing", "/volume/v3/x/y", "/identity/v3", "/compute/v2.1/servers")
        ids = [self.ask("GET", path).headers["x-openstack-request-id"] for path in paths]
        self.assertEqual(len(set(ids)), len(paths))
        self.assertTrue(all(one.startswith("req-") for one in ids))


class DocumentTests(CloudTests):
    """Tests of the version documents."""

    def setUp(self) -> None:
        super().setUp()
        self.token = None

    def test_index(self) -> None:
        """The root lists the services."""
        got = self.ask("GET", "/")
        self.assertEqual(got.body["service"], "txstorage")
        self.assertIn("http://cloud.example/volume/v3/", got.body["roots"])

    def test_identity(self) -> None:
        """Identity's root is 300 with the URL of its version, with and without the slash."""
        for path in ("/identity", "/identity/"):
            got = self.ask("GET", path)
            self.assertEqual(got.code, 300)
            self.assertEqual(got.headers["location"], "http://cloud.example/identity/v3/")
            (version,) = got.body["versions"]["values"]
            self.assertEqual((version["id"], version["status"]), ("v3.14", "stable"))
        self.assertEqual(self.ask("GET", "/identity/v3").body["version"]["id"], "v3.14")

    def test_volume(self) -> None:
        """Block Storage announces its microversions, with 300 at its root."""
        got = self.ask("GET", "/volume/")
        self.assertEqual(got.code, 300)
        self.assertEqual(got.headers["openstack-api-version"], "volume 3.0")
        (version,) = got.body["versions"]
        self.assertEqual(
            (version["id"], version["min_version"], version["version"], version["status"]),
            ("v3.0", "3.0", "3.71", "CURRENT"),
        )
        self.assertEqual(
            version["media-types"][0]["type"], "application/vnd.openstack.volume+json;version=3"
        )
        for path in ("/volume/v3", "/volume/v3/"):
            self.assertEqual(self.ask("GET", path).code, 401, path)

    def test_compute(self) -> None:
        """Compute announces its microversions."""
        (_, listed) = self.ask("GET", "/compute").body["versions"]
        shown = self.ask("GET", "/compute/v2.1/").body["version"]
        for version in (listed, shown):
            self.assertEqual((version["min_version"], version["version"]), ("2.1", "2.104"))

    def test_only_read(self) -> None:
        """A POST to a document is refused."""
        self.assertEqual(self.ask("POST", "/volume").code, 400)


class NoRouteTests(CloudTests):
    """Tests of unknown paths."""

    def test_not_found(self) -> None:
        """An unknown path is 404 in the format of the services' web framework."""
        paths = (
            "/nothing",
            f"/volume/v3/{self.project}/nothing",
            "/volume/v3//volumes",
            "/volume/v3/%FF/volumes",
            "/compute/v2.1/servers/a%2Fb/os-volume_attachments",
        )
        for path in paths:
            got = self.ask("GET", path)
            self.assertEqual(got.code, 404, path)
            self.assertEqual(
                got.body,
                {
                    "message": "The resource could not be found.<br /><br />\n\n\n",
                    "code": "404 Not Found",
                    "title": "Not Found",
                },
            )
            self.assertNotIn("openstack-api-version", got.headers)

    def test_method(self) -> None:
        """An unknown method of a known path is the same 404."""
        self.assertEqual(self.volumes("PATCH").code, 404)


class MicroversionTests(CloudTests):
    """Tests of ``OpenStack-API-Version``."""

    def volume(self, header: str) -> Any:
        """List volumes with this header."""
        path = f"/volume/v3/{self.project}/volumes"
        return self.ask("GET", path, OpenStack_API_Version=header)

    def test_default(self) -> None:
        """Without the header the lowest version is used, and the response names it."""
        got = self.volumes("GET")
        self.assertEqual(got.headers["openstack-api-version"], "volume 3.0")
        self.assertEqual(got.headers["vary"], "OpenStack-API-Version")
        got = self.nova("GET", "/servers")
        self.assertEqual(got.headers["openstack-api-version"], "compute 2.1")
        self.assertEqual(got.headers["x-openstack-nova-api-version"], "2.1")
        self.assertEqual(got.headers["vary"], "OpenStack-API-Version, X-OpenStack-Nova-API-Version")

    def test_echo(self) -> None:
        """The response names the requested version of its service."""
        for header, version in (
            ("volume 3.44", "3.44"),
            ("volume latest", "3.71"),
            ("compute 2.9, volume 3.5", "3.5"),
        ):
            self.assertEqual(
                self.volume(header).headers["openstack-api-version"], "volume " + version
            )

    def test_legacy_header(self) -> None:
        """Compute accepts its older header too."""
        got = self.ask("GET", "/compute/v2.1/servers", X_OpenStack_Nova_API_Version="2.53")
        self.assertEqual(got.headers["openstack-api-version"], "compute 2.53")

    def test_too_new(self) -> None:
        """An unsupported version is 406, with the supported range."""
        got = self.volume("volume 3.999")
        self.assertEqual(
            (got.code, got.body, got.headers["openstack-api-version"], got.headers["vary"]),
            (
                406,
                {
                    "computeFault": {
                        "code": 406,
                        "message": "Version 3.999 is not supported by the API. "
                        "Minimum is 3.0 and maximum is 3.71.",
                    }
                },
                "volume 3.999",
                "OpenStack-API-Version",
            ),
        )
        got = self.nova("GET", "/servers", version="2.999")
        self.assertEqual(got.code, 406)
        self.assertEqual(got.headers["content-type"], "application/json; charset=UTF-8")
        self.assertEqual(got.headers["x-openstack-nova-api-version"], "2.999")

    def test_malformed(self) -> None:
        """A malformed version is 400."""
        for text in ("abc", "3", "3.01", "3." + "9" * 5000):
            got = self.volume("volume " + text)
            self.assertEqual(got.code, 400)
            self.assertEqual(
                got.body["badRequest"]["message"],
                f"API Version String {text} is of invalid format. "
                "Must be of format MajorNum.MinorNum.",
            )
            self.assertNotIn("openstack-api-version", got.headers)

    def test_project(self) -> None:
        """Block Storage requires its one project in the path."""
        got = self.ask("GET", "/volume/v3/{}/volumes".format("0" * 32))
        self.assertEqual(
            (got.code, got.message, got.headers["openstack-api-version"]),
            (400, "Malformed request url", "volume 3.0"),
        )


class BodyTests(CloudTests):
    """Tests of unreadable bodies."""

    def test_malformed(self) -> None:
        """A body that is not a JSON object is 400, in the service's format."""
        deep = b"[" * 50000
        for body in (
            b"{",
            b"\xff",
            deep,
            b'{"volume": {"size": 1, "name": "\\ud800"}}',
            b"[1]",
        ):
            got = self.volumes("POST", body=body)
            self.assertEqual((got.code, list(got.body)), (400, ["badRequest"]), body[:20])

    def test_too_large(self) -> None:
        """A body larger than the limit is 413."""
        got = self.volumes("POST", body=b" " * (114688 + 1))
        self.assertEqual((got.code, got.body["title"]), (413, "Request Entity Too Large"))

    def test_length(self) -> None:
        """A response has its length, so that a client can detect a truncated one."""
        self.assertEqual(self.volumes("GET", "?limit=0").length, len('{"volumes": []}'))


class ErrorTests(CloudTests):
    """Tests of the format of errors."""

    def test_kinds(self) -> None:
        """Each status has its name, and the body repeats the status."""
        server = "/servers/" + self.cloud.nodes["node-1"]
        volume, reset = "/" + self.create(), {"os-reset_status": {"status": "error"}}
        for got, code, kind in (
            (self.volumes("POST", body={}), 400, "badRequest"),
            (self.volumes("POST", volume + "/action", reset), 403, "forbidden"),
            (self.volumes("GET", "/nothing"), 404, "itemNotFound"),
            (self.nova("GET", "/servers/nothing"), 404, "itemNotFound"),
            (self.nova("POST", server + "/action", {"os-start": None}), 409, "conflictingRequest"),
        ):
            self.assertEqual((got.code, list(got.body)), (code, [kind]))
            self.assertEqual(got.body[kind]["code"], code)


class BrokenTests(CloudTests):
    """Tests of a fault of the service itself."""

    def test_fault(self) -> None:
        """A fault is 500 in the service's format, is logged, and shows no detail."""
        self.patch(self.cloud.store, "volumes", mock.Mock(side_effect=RuntimeError("oops")))
        got = self.volumes("GET")
        self.assertEqual((got.code, list(got.body)), (500, ["computeFault"]))
        self.assertNotIn("oops", got.message)
        self.assertEqual(got.headers["openstack-api-version"], "volume 3.0")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_every_service(self) -> None:
        """A fault is 500 in each service's format."""
        self.patch(self.cloud.store.revoked, "has", mock.Mock(side_effect=RuntimeError("oops")))
        kinds = [list(self.volumes("GET").body), list(self.nova("GET", "/servers").body)]
        got = self.ask("GET", "/identity/v3/auth/tokens")
        self.assertEqual((got.code, got.body["error"]["title"]), (500, "Internal Server Error"))
        self.assertEqual(kinds, [["computeFault"], ["computeFault"]])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 3)

    def test_abstract(self) -> None:
        """A service must define how it admits a request, its headers, and its refusals."""
        self.assertRaises(NotImplementedError, Service().admit, None, {}, (0, 0))
        self.assertRaises(NotImplementedError, Service().headers, None)
        for function, arguments in (
            (Service().too_large, ()),
            (Service().unreadable, (None,)),
            (Service().misplaced, (None, None)),
            (Service().fault, ()),
            (Service().disk_full, ()),
        ):
            self.assertRaises(NotImplementedError, function, *arguments)


class BaseURLTests(CloudTests):
    """Tests of the base of links."""

    def test_from_request(self) -> None:
        """Without a setting, the base is the address that the request was sent to."""
        self.use(in_memory_cloud(self.clock, base_url=None))
        for base in ("http://elsewhere.example:8780", "https://elsewhere.example"):
            got = self.ask("GET", base + "/")
            self.assertEqual(got.body["roots"][0], base + "/identity/v3/")

    def test_without_host(self) -> None:
        """A request of HTTP/1.0 need not name its host."""
        request = Request(DummyChannel(), False)
        self.assertEqual(call_from(request, None).base, "http://10.0.0.1:80")
        self.patch(request, "getHost", lambda: IPv6Address("TCP", "fd00::5", 8780))
        self.assertEqual(call_from(request, None).base, "http://[fd00::5]:8780")
