"""
The parts of every request to Block Storage and Compute: tokens, versions, projects, and unknown
paths.
"""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals

from .case import WireTests
from .exchanges import JSON, Answer
from .record import compares
from .shapes import URL, Is, Text, differences

LIMITS = "/v3/{}/limits"


def document(identifier: str, service: str, href: str, *more_links: Any) -> dict[str, Any]:
    """The shape of a version in a version document."""
    kind = f"application/vnd.openstack.{service}.*"
    return {
        "id": Is(identifier),
        "status": Is("CURRENT"),
        "version": Text(r"\d\.\d+"),
        "min_version": Text(r"\d\.\d"),
        "updated": str,
        "links": [*more_links, {"rel": Is("self"), "href": Is(href)}],
        "media-types": [{"base": Is(JSON), "type": Text(kind)}],
    }


_ABOUT = {"rel": Is("describedby"), "type": Is("text/html"), "href": URL}


class DocumentTests(WireTests):
    """The version documents, of which only Block Storage's version 3 needs a token."""

    def check(self, got: Answer, status: int, shape: Any) -> None:
        """Assert that a response is a document."""
        self.assertEqual((got.status, got.type), (status, JSON), got.url)
        self.assertEqual(differences(got.body, shape), [], got.url)

    @compares("volume GET /", "INCORRECT")
    async def test_volume(self) -> None:
        """Block Storage's root is 300, without a token."""
        shape = document("v3.0", "volume", self.session.roots["volume"] + "/v3/", _ABOUT)
        got = await self.ask("volume", "GET", "/", token=None)
        self.check(got, 300, {"versions": [shape]})
        self.check_version(got)
        got = await self.ask("volume", "POST", "/", {}, token=None)
        self.refused(got, refusals.INCORRECT)

    @compares("volume GET /v3/", "volume GET /v3", "UNAUTHENTICATED[volume]")
    async def test_volume_v3(self) -> None:
        """Below the root, a token is needed, and the path ends with a slash."""
        shape = document("v3.0", "volume", self.session.roots["volume"] + "/v3/", _ABOUT)
        for path in ("/v3", "/v3/"):
            got = await self.ask("volume", "GET", path, token=None)
            self.unauthenticated(got, refusals.UNAUTHENTICATED["volume"])
        self.check(await self.ask("volume", "GET", "/v3/"), 200, {"versions": [shape]})
        got = await self.ask("volume", "GET", "/v3")
        self.assertEqual(got.status, 302)
        self.assertEqual(got.headers["location"], self.session.roots["volume"] + "/v3/")

    @compares("compute GET /", "compute GET /v2")
    async def test_former_compute(self) -> None:
        """Compute's list also has the version before 2.1, which has a document of its own."""
        href = self.session.roots["compute"] + "/v2/"
        got = await self.ask("compute", "GET", "/", token=None)
        (version, _) = got.body["versions"]
        shape = dict(
            document("v2.0", "compute", href),
            status=Is("DEPRECATED"),
            version=Is(""),
            min_version=Is(""),
        )
        listed = {name: kind for name, kind in shape.items() if name != "media-types"}
        self.assertEqual(differences(version, listed), [])
        shape["links"] = [*shape["links"], _ABOUT]
        for path in ("/v2", "/v2/"):
            got = await self.ask("compute", "GET", path, token=None)
            self.check(got, 200, {"version": shape})
            self.assertNotIn("openstack-api-version", got.headers)

    @compares("compute GET /", "compute GET /v2.1")
    async def test_compute(self) -> None:
        """Compute's documents are 200, without a token; version 2.1 is one of several."""
        href = self.session.roots["compute"] + "/v2.1/"
        got = await self.ask("compute", "GET", "/", token=None)
        self.assertEqual((got.status, got.type), (200, JSON))
        (version,) = [each for each in got.body["versions"] if each["status"] == "CURRENT"]
        shape = document("v2.1", "compute", href)
        del shape["media-types"]
        self.assertEqual(differences(version, shape), [])
        links = {"rel": Is("self"), "href": Is(href)}, _ABOUT
        shape = dict(document("v2.1", "compute", href), links=list(links))
        for path in ("/v2.1", "/v2.1/"):
            got = await self.ask("compute", "GET", path, token=None)
            self.check(got, 200, {"version": shape})
            self.check_version(got)


class NegotiationTests(WireTests):
    """Microversions."""

    async def limits(self, text: str) -> Answer:
        """Call Block Storage with a given header."""
        path = LIMITS.format(self.session.project)
        return await self.ask("volume", "GET", path, OpenStack_API_Version=text)

    async def servers(self, text: str) -> Answer:
        """Call Compute with a given header."""
        return await self.ask("compute", "GET", "/v2.1/servers", OpenStack_API_Version=text)

    @compares("volume GET /v3/<project_id>/limits", "compute GET /v2.1/servers")
    async def test_accepted(self) -> None:
        """
        Without a header the oldest version is used; otherwise the one that the header gives for the
        service.
        """
        for text, version in (("volume 3.5", "3.5"), ("compute 2.3, volume 3.44", "3.44")):
            self.answered(await self.limits(text), 200, {"limits": dict}, version)
        for text, version in (("compute 2.3", "2.3"), ("volume 3.1", "2.1")):
            self.assertEqual((await self.servers(text)).status, 200)
            self.check_version(await self.servers(text), version)
        got = await self.ask("compute", "GET", "/v2.1/servers", X_OpenStack_Nova_API_Version="2.5")
        self.check_version(got, "2.5")

    @compares("volume GET /v3/<project_id>/limits", "compute GET /v2.1/servers")
    async def test_latest(self) -> None:
        """``latest`` selects the newest version, the one in the document."""
        for service, ask in (("volume", self.limits), ("compute", self.servers)):
            listed = (await self.ask(service, "GET", "/", token=None)).body["versions"]
            (newest,) = [each["version"] for each in listed if each["status"] == "CURRENT"]
            self.check_version(await ask(service + " latest"), newest)

    @compares("UNSUPPORTED_VERSION[volume]", "UNSUPPORTED_VERSION[compute]")
    async def test_unsupported(self) -> None:
        """A version that is too new is 406, with the supported range."""
        for version in ("3.999", "4.0"):
            got = await self.limits("volume " + version)
            wanted = refusals.UNSUPPORTED_VERSION.by_service["volume"]
            self.refused(got, wanted, version, ..., ..., version=version)
        for version in ("2.999", "2.0", "3.0"):
            got = await self.servers("compute " + version)
            wanted = refusals.UNSUPPORTED_VERSION.by_service["compute"]
            self.refused(got, wanted, version, ..., ..., version=version)

    @compares("BAD_VERSION[volume]", "BAD_VERSION[compute]", "INCORRECT")
    async def test_malformed(self) -> None:
        """
        A malformed version is 400, as is, for Block Storage, a version of only another service.
        """
        for version in ("abc", "3", "3.07"):
            got = await self.limits("volume " + version)
            wanted = refusals.BAD_VERSION.by_service["volume"]
            self.refused(got, wanted, version, version=None)
        got = await self.servers("compute abc")
        self.refused(got, refusals.BAD_VERSION.by_service["compute"], "abc", version=None)
        for text in ("compute 2.1", "latest", "Volume 3.5"):
            self.refused(await self.limits(text), refusals.INCORRECT, version=None)


class PathTests(WireTests):
    """Tokens, projects, and unknown paths."""

    @compares("UNAUTHENTICATED[volume]", "UNAUTHENTICATED[compute]")
    async def test_token(self) -> None:
        """Without a valid token every request is the same 401."""
        for token in (None, "guess"):
            for path in (LIMITS.format(self.session.project), "/v3/nothing/at/all"):
                got = await self.ask("volume", "GET", path, token=token)
                self.unauthenticated(got, refusals.UNAUTHENTICATED["volume"])
            for path in ("/v2.1/servers", "/v2.1/nothing"):
                got = await self.ask("compute", "GET", path, token=token)
                self.unauthenticated(got, refusals.UNAUTHENTICATED["compute"])

    @compares("MALFORMED_URL", "BAD_VERSION[volume]")
    async def test_project(self) -> None:
        """Another project in the path is a malformed URL, in the requested version."""
        for version in ("3.0", "3.5"):
            for project in ("0" * 32, "abc"):
                path = f"/v3/{project}/volumes"
                got = await self.ask("volume", "GET", path, version=version)
                self.refused(got, refusals.MALFORMED_URL, version=version)
        got = await self.ask("volume", "GET", LIMITS.format("0" * 32), version="abc")
        wanted = refusals.BAD_VERSION.by_service["volume"]
        self.refused(got, wanted, "abc", version=None)

    @compares("volume GET /v3/<project_id>/volumes", "volume GET /v3/<project_id>/limits")
    async def test_no_project(self) -> None:
        """The project can be omitted; links in the response then omit it too."""
        for version in ("3.0", "3.67"):
            self.assertEqual((await self.ask("volume", "GET", "/v3/limits")).status, 200)
            got = await self.ask("volume", "GET", "/v3/volumes?limit=1", version=version)
            self.check_version(got, version)
            for link in got.body["volumes"][0]["links"] + got.body["volumes_links"]:
                self.assertNotIn(self.session.project, link["href"])
        got = await self.cinder("GET", "/volumes?limit=1")
        for link in got.body["volumes"][0]["links"] + got.body["volumes_links"]:
            self.assertIn(f"/{self.session.project}/volumes", link["href"])

    @compares("NO_ROUTE[volume]", "NO_ROUTE[compute]", "TOO_LARGE[volume]")
    async def test_no_route(self) -> None:
        """
        An unknown path and an unknown method are the same 404, whose ``code`` is text, and which
        has no version.
        """
        project = "/v3/" + self.session.project
        for method, path, body in (
            ("GET", project + "/nosuch", None),
            ("GET", "/nothing", None),
            ("GET", "/v9/x/y", None),
            ("PATCH", project + "/volumes/x", {}),
            ("DELETE", project + "/volumes", None),
        ):
            got = await self.ask("volume", method, path, body)
            self.refused(got, refusals.NO_ROUTE["volume"], version=None)
            self.assertEqual(got.body["code"], "404 Not Found")
        for method, path in (("GET", "/v2.1/nosuch"), ("PATCH", "/v2.1/servers")):
            got = await self.ask("compute", method, path)
            self.refused(got, refusals.NO_ROUTE["compute"], version=None)
        got = await self.ask("volume", "POST", project + "/nosuch", b" " * 114689)
        self.refused(got, refusals.TOO_LARGE["volume"], version=None)
