"""Tests of the routes of a service."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase
from werkzeug.exceptions import MethodNotAllowed, NotFound

from txstorage.embedded.wire.requests import routes
from txstorage.embedded.wire.requests.routes import Routes, ServiceRoute


def endpoint(path: str, *methods: str) -> ServiceRoute:
    """Make an endpoint whose view nothing calls."""
    return ServiceRoute(path, methods, "name", lambda *_: succeed(None))


class RoutesTests(SynchronousTestCase):
    """Tests of :class:`Routes`."""

    def setUp(self) -> None:
        self.detail, self.one = endpoint("/a/detail", "GET"), endpoint("/a/<an_id>", "GET", "PUT")
        self.routes = Routes()
        for each in (self.one, self.detail):
            self.routes.add(each)

    def test_find(self) -> None:
        """A request is for the route with its path and method, a literal before a placeholder."""
        self.assertEqual(self.routes.find("GET", "/a/b"), (self.one, {"an_id": "b"}))
        self.assertEqual(self.routes.find("HEAD", "/a/detail"), (self.detail, {}))
        self.assertEqual(self.routes.find("PUT", "/a/detail"), (self.one, {"an_id": "detail"}))

    def test_none(self) -> None:
        """Other paths have no route, and other methods are refused with those that there are."""
        for path in ("/", "/a", "/a/", "/a/b/", "/a/b/c", "/b"):
            self.assertRaises(NotFound, self.routes.find, "GET", path)
        error = self.assertRaises(MethodNotAllowed, self.routes.find, "POST", "/a/b")
        self.assertEqual(set(error.valid_methods or ()), {"GET", "HEAD", "PUT"})

    def test_listed(self) -> None:
        """The routes are listed in their order, with each method that was given."""
        self.assertEqual(list(self.routes), [self.one, self.detail])
        expected = [("GET", "/a/<an_id>"), ("PUT", "/a/<an_id>"), ("GET", "/a/detail")]
        self.assertEqual(list(self.routes.rules()), expected)

    def test_late(self) -> None:
        """Rules are compiled at the first request, once."""
        made: list[Any] = []
        rule = routes.Rule
        self.patch(routes, "Rule", lambda *args, **kw: made.append(args) or rule(*args, **kw))
        list(self.routes.rules())
        self.assertEqual(made, [])
        for _ in range(2):
            self.routes.find("GET", "/a/b")
        self.assertEqual(made, [("/a/<an_id>",), ("/a/detail",)])
