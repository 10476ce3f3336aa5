"""Tests of the names of routes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.control.routes import Route, RouteNames, UnknownName

LIST = Route.of("GET", "/volume/v3/{project_id}/volumes")
DETAIL = Route.of("GET", "/volume/v3/{project_id}/volumes/detail")
SHOW = Route.of("GET", "/volume/v3/{project_id}/volumes/{volume_id}")
ACT = Route.of("POST", "/volume/v3/{project_id}/volumes/{volume_id}/action")
LOG_IN = Route.of("POST", "/identity/v3/auth/tokens")
SERVERS = Route.of("GET", "/compute/v2.1/servers")
ROUTES = (LIST, DETAIL, SHOW, ACT, LOG_IN, SERVERS)
PROJECT = "52c1e188fcff4db7bf0de63b91ccc314"
ONE, OTHER = "3f5a4a8e-0000-4000-8000-000000000001", "3f5a4a8e-0000-4000-8000-000000000002"


class RouteNamesTests(SynchronousTestCase):
    """Tests of :class:`RouteNames`."""

    names = RouteNames(ROUTES)

    def routes(self, name: str) -> list[Route]:
        """The routes that a name stands for, whatever the path."""
        requested = self.names.requested(name)
        return [each for each in ROUTES if requested.matches(each, "/".join(each.segments), "")]

    def unknown(self, name: str) -> str:
        """The error of an unknown name."""
        return str(self.assertRaises(UnknownName, self.names.requested, name))

    def test_names(self) -> None:
        """Each route is known under its own name, and they are sorted by path."""
        self.assertEqual(self.names.names[:2], [SERVERS.name, LOG_IN.name])
        for route in ROUTES:
            self.assertEqual(self.routes(route.name), [route])

    def test_other_names(self) -> None:
        """The project may be left out or be a real one, and a placeholder may have any name."""
        for path in (
            "/volume/v3/volumes",
            f"/volume/v3/{PROJECT}/volumes",
            "/volume/v3/{p}/volumes",
        ):
            self.assertEqual(self.routes("GET " + path), [LIST])
        self.assertEqual(self.routes("get /volume/v3/volumes/{id}"), [SHOW])

    def test_literal(self) -> None:
        """A literal segment is meant rather than a placeholder's value."""
        self.assertEqual(self.routes("GET /volume/v3/volumes/detail"), [DETAIL])

    def test_several(self) -> None:
        """A service's name stands for all of its routes, and a star for all routes."""
        self.assertEqual(self.routes("volume"), [LIST, DETAIL, SHOW, ACT])
        self.assertEqual(self.routes("identity"), [LOG_IN])
        self.assertEqual(self.routes("*"), list(ROUTES))

    def test_one_resource(self) -> None:
        """A value in place of a placeholder is that one resource only, with any project."""
        requested = self.names.requested(f"GET /volume/v3/volumes/{ONE}")
        path = f"/volume/v3/{PROJECT}/volumes/"
        self.assertTrue(requested.matches(SHOW, path + ONE, ""))
        self.assertTrue(requested.matches(SHOW, f"/volume/v3/volumes/{ONE}", ""))
        self.assertFalse(requested.matches(SHOW, path + OTHER, ""))

    def test_action(self) -> None:
        """A third word is the action of the body."""
        requested = self.names.requested("POST /volume/v3/volumes/{id}/action os-extend")
        path = f"/volume/v3/{PROJECT}/volumes/{ONE}/action"
        self.assertTrue(requested.matches(ACT, path, "os-extend"))
        self.assertFalse(requested.matches(ACT, path, "os-reset_status"))
        self.assertFalse(requested.matches(SHOW, path, "os-extend"))

    def test_unknown(self) -> None:
        """An unknown name is an error with the nearest one."""
        self.assertEqual(
            self.unknown("GET /volume/v3/volume"),
            f"no route is named 'GET /volume/v3/volume'; the nearest one is {LIST.name!r}",
        )
        self.assertIn(repr(LOG_IN.name), self.unknown("GET /identity/v3/auth/tokens"))
        self.assertIn("'volume'", self.unknown("volumes"))
        self.assertIn("no route is named ''", self.unknown(""))
        self.unknown("GET /volume/v3/volumes/{id}/action os-extend more")
