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
CREATE, DESCRIBE = (Route.of_action("ec2", name) for name in ("CreateVolume", "DescribeVolumes"))
CALLER = Route.of_action("sts", "GetCallerIdentity")
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

    def test_actions(self) -> None:
        """EC2's actions have names of their own, and each service's name stands for all of its."""
        names = self.names.with_routes([CREATE, DESCRIBE, CALLER])
        self.assertLessEqual({"ec2 CreateVolume", "sts GetCallerIdentity"}, set(names.names))
        for name, expected in (
            ("ec2 CreateVolume", [CREATE]),
            ("ec2", [CREATE, DESCRIBE]),
            ("sts", [CALLER]),
            ("volume", []),
            ("*", [CREATE, DESCRIBE, CALLER]),
        ):
            requested = names.requested(name)
            found = [each for each in (CREATE, DESCRIBE, CALLER) if requested.matches(each, "", "")]
            self.assertEqual(found, expected, name)
            self.assertEqual(requested.has_codes, name != "volume")
        self.assertEqual(self.names.with_routes(ROUTES).names, self.names.names)

    def test_unknown_action(self) -> None:
        """An unknown action is an error with the nearest one; without EC2, there is none."""
        names = self.names.with_routes([CREATE, DESCRIBE])
        error = self.assertRaises(UnknownName, names.requested, "ec2 CreateVolumes")
        self.assertIn("the nearest one is 'ec2 CreateVolume'", str(error))
        self.assertEqual(
            self.unknown("ec2 CreateVolume"),
            "no action, without --ec2-port, is named 'ec2 CreateVolume'",
        )

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
