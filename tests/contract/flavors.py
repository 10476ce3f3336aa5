"""Compute: the flavors."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals
from txstorage.embedded.wire.tables import server_refusals

from .case import MISSING, WireTests, password_auth
from .compute import NEXT
from .record import compares
from .shapes import LINKS, NULL

LISTED = "/flavors"
FLAVORS = "/v2.1" + LISTED
SHORT = "compute GET " + FLAVORS
DETAIL = "compute GET " + FLAVORS + "/detail"
SHOW = "compute GET " + FLAVORS + "/<flavor_id>"
EXTRA_SPECS = SHOW + "/os-extra_specs"
SUMMARY: dict[str, Any] = {"id": str, "name": str, "links": LINKS}
FLAVOR: dict[str, Any] = {
    **SUMMARY,
    "ram": int,
    "disk": int,
    "vcpus": int,
    "swap": str,
    "rxtx_factor": float,
    "OS-FLV-EXT-DATA:ephemeral": int,
    "OS-FLV-DISABLED:disabled": bool,
    "os-flavor-access:is_public": bool,
}


def flavor_shape(version: str) -> dict[str, Any]:
    """Return a flavor's members in a microversion."""
    shape, number = dict(FLAVOR), tuple(map(int, version.split(".")))
    if number >= (2, 55):
        shape["description"] = NULL
    if number >= (2, 61):
        shape["extra_specs"] = dict
    if number >= (2, 75):
        shape["swap"] = int
    if number >= (2, 102):
        del shape["rxtx_factor"], shape["OS-FLV-DISABLED:disabled"]
    return shape


class FlavorTests(WireTests):
    """The one flavor."""

    @compares(SHORT, DETAIL, "BAD_PUBLIC_FLAVORS")
    async def test_public(self) -> None:
        """Administrators list public flavors, private ones, or both; all of them are public."""
        for who, text, shown in (
            *(("admin", text, True) for text in ("none", "None", "1", "true")),
            *(("admin", text, False) for text in ("0", "False")),
            *(("other", text, True) for text in ("0", "nonsense")),
        ):
            for path in (LISTED, LISTED + "/detail"):
                got = await self.nova_as(who, "GET", f"{path}?is_public={text}")
                self.assertEqual(got.status, 200, got.content)
                self.assertEqual(bool(got.body["flavors"]), shown, (who, text))
        for text in ("nonsense", ""):
            got = await self.nova_as("admin", "GET", f"{LISTED}?is_public={text}")
            self.refused(got, server_refusals.BAD_PUBLIC_FLAVORS, text)

    @compares(SHORT, DETAIL)
    async def test_lists(self) -> None:
        """The short list has names, the other all members of the microversion."""
        got = await self.nova("GET", LISTED)
        self.answered(got, 200, {"flavors": [SUMMARY]})
        got = await self.nova("GET", LISTED, version="2.55")
        self.answered(got, 200, {"flavors": [{**SUMMARY, "description": NULL}]}, "2.55")
        for version in ("2.1", "2.54", "2.55", "2.60", "2.61", "2.74", "2.75", "2.101", "2.102"):
            got = await self.nova("GET", LISTED + "/detail", version=version)
            self.answered(got, 200, {"flavors": [flavor_shape(version)]}, version)

    @compares(SHOW, EXTRA_SPECS, "NO_FLAVOR")
    async def test_show(self) -> None:
        """A flavor by itself is as in the list; an unknown one is not found."""
        [listed] = (await self.nova("GET", LISTED + "/detail")).body["flavors"]
        place = LISTED + "/" + listed["id"]
        got = await self.nova("GET", place)
        self.answered(got, 200, {"flavor": FLAVOR})
        self.assertEqual(got.body["flavor"], listed)
        got = await self.nova("GET", place + "/os-extra_specs")
        self.answered(got, 200, {"extra_specs": {}})
        for path in (MISSING, MISSING + "/os-extra_specs"):
            got = await self.nova("GET", LISTED + "/" + path)
            self.refused(got, refusals.NO_FLAVOR, MISSING)

    @compares(SHORT, "NO_LEAST_SIZE", "NO_MARKER")
    async def test_filters(self) -> None:
        """Flavors are chosen by their least sizes, and later by name; pages have a marker."""
        for query, number in {
            "minRam=64": 1,
            "minRam=65": 0,
            "minDisk=1": 0,
            "limit=0": 0,
            "is_public=False": 1,
            "name=nosuch": 1,
            "marker=1": 0,
        }.items():
            got = await self.nova("GET", LISTED + "?" + query)
            self.assertEqual(len(got.body["flavors"]), number, query)
        for name, number in {"tiny": 1, "nosuch": 0}.items():
            got = await self.nova("GET", LISTED + "?name=" + name, version="2.102")
            self.assertEqual(len(got.body["flavors"]), number, name)
        for name in ("minRam", "minDisk"):
            got = await self.nova("GET", f"{LISTED}?{name}=x")
            self.refused(got, refusals.NO_LEAST_SIZE, name, "x")
        got = await self.nova("GET", LISTED + "?marker=" + MISSING)
        self.refused(got, refusals.NO_MARKER, MISSING)

    @compares(SHORT)
    async def test_next_page(self) -> None:
        """A full page has a link to the next one."""
        got = await self.nova("GET", LISTED + "?limit=1")
        self.answered(got, 200, {"flavors": [SUMMARY], "flavors_links": NEXT})

    @compares(SHORT, "NO_KEY", "UNKNOWN_FLAVOR_PARAMETER")
    async def test_parameters(self) -> None:
        """An unknown order is refused, and from 2.75 on any unknown parameter."""
        for name in ("sort_key", "sort_dir"):
            got = await self.nova("GET", f"{LISTED}?{name}=x")
            self.assertEqual(got.status, 400)
            self.assertIn("'x' is not one of", got.message)
        got = await self.nova("GET", LISTED + "?sort_key=rxtx_factor", version="2.102")
        self.assertEqual(got.status, 400)
        for query in ("sort_key=rxtx_factor", "nosuch=1"):
            got = await self.nova("GET", LISTED + "?" + query, version="2.74")
            self.assertEqual(len(got.body["flavors"]), 1)
        for query, unknown in {"nosuch=1": "'nosuch' was", "b=1&a=1": "'a', 'b' were"}.items():
            got = await self.nova("GET", LISTED + "?" + query, version="2.75")
            refusal = refusals.UNKNOWN_FLAVOR_PARAMETER
            self.refused(got, refusal, unknown + " unexpected", version="2.75")

    @compares(SHORT)
    async def test_unscoped(self) -> None:
        """Every token lists flavors, also one without a project."""
        auth = password_auth(self.session.who)
        auth["auth"]["scope"] = {"unscoped": {}}
        token = (await self.ask("identity", "POST", "/v3/auth/tokens", auth)).headers
        got = await self.nova("GET", LISTED, token=token["x-subject-token"])
        self.answered(got, 200, {"flavors": [SUMMARY]})
