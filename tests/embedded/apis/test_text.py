"""Tests of text that no database holds: no text in a request makes the service fail."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from ...helpers.properties import RELAXED
from ..support import CloudTests, password_auth

#: Any text, half of it with a lone surrogate.
TEXT = st.one_of(
    st.text(st.characters(), max_size=8),
    st.text(st.characters(categories=["Cs", "Ll"]), min_size=1, max_size=8),
)
VALUE = st.recursive(
    st.one_of(TEXT, st.none(), st.booleans(), st.integers(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
NO_FAULT = frozenset([200, 201, 202, 400, 401, 404])


def encoded(text: str) -> str:
    """Encode text for a query, a lone surrogate as the bytes of one."""
    return quote(text.encode("utf-8", "surrogatepass"))


class TextTests(CloudTests):
    """Tests with any text, and any JSON value."""

    def assert_answered(self, method: str, path: str, body: Any = None) -> None:
        """Assert that a request is answered, and not with a fault of the service."""
        got = self.ask(method, path, body)
        self.assertIn(got.code, NO_FAULT, (method, path, body, got))

    def test_filter(self) -> None:
        """A lone surrogate in a filter's labels is a bad request, wherever it stands."""
        for labels in ("{'a': '\\ud800'}", "{'\\udfff': 'a'}", "{'a': 'b', 'c': '\\ud83d'}"):
            got = self.volumes("GET", "?metadata=" + quote(labels))
            self.assertEqual((got.code, list(got.body)), (400, ["badRequest"]), labels)
        # Two surrogates that make a character are text.
        self.assertEqual(self.volumes("GET", "?metadata=" + quote("{'a': '😀'}")).code, 200)

    def test_body(self) -> None:
        """A lone surrogate in a body is a bad request, in keys and values."""
        volume = "/" + self.create()
        for method, path, body in (
            ("POST", "", {"volume": {"size": 1, "name": "\ud800"}}),
            ("POST", "", {"volume": {"size": 1, "metadata": {"a": "\udfff"}}}),
            ("POST", volume + "/metadata", {"metadata": {"\ud800": "a"}}),
            ("POST", volume + "/action", {"\ud800": {}}),
        ):
            got = self.volumes(method, path, body)
            self.assertEqual((got.code, list(got.body)), (400, ["badRequest"]), body)
        self.token = None
        for auth in (password_auth("\ud800"), password_auth(name="\ud800", domain={})):
            self.assertEqual(self.ask("POST", "/identity/v3/auth/tokens", auth).code, 400)

    @settings(max_examples=50, **RELAXED)
    @given(name=TEXT, value=TEXT)
    def test_queries(self, name: str, value: str) -> None:
        """Any text is a query of every list."""
        volume, compute = f"/volume/v3/{self.project}", "/compute/v2.1/servers"
        for path in (
            f"{volume}/volumes",
            f"{volume}/volumes/detail",
            f"{volume}/types",
            f"{volume}/messages",
            f"{volume}/attachments",
            compute,
            f"{compute}/{self.cloud.nodes['node-1']}/os-volume_attachments",
        ):
            for key in ("name", "metadata", "limit", "marker", "offset", name):
                self.assert_answered("GET", f"{path}?{encoded(key)}={encoded(value)}")
            literal = encoded(repr({name: value}))
            self.assert_answered("GET", f"{path}?metadata={literal}")

    @settings(max_examples=50, **RELAXED)
    @given(value=VALUE)
    def test_bodies(self, value: Any) -> None:
        """Any JSON value is a body, or a part of one, of every request that reads one."""
        volume = f"/volume/v3/{self.project}/volumes"
        for path, body in (
            (volume, {"volume": value}),
            (volume, {"volume": {"size": 1, "name": value}}),
            (volume, {"volume": {"size": 1, "metadata": value}}),
            (volume, {"volume": {"size": value}}),
            (volume, {"volume": {"size": 1, "volume_type": value}}),
            (volume + "/x/metadata", {"metadata": value}),
            (volume + "/x/action", {"os-reset_status": value}),
            ("/compute/v2.1/servers/x/action", value),
            ("/compute/v2.1/servers/x/os-volume_attachments", {"volumeAttachment": value}),
            ("/identity/v3/auth/tokens", {"auth": value}),
            ("/identity/v3/auth/tokens", {"auth": {"identity": value}}),
            ("/identity/v3/auth/tokens", {"auth": {"identity": {"methods": value}}}),
            ("/identity/v3/auth/tokens", dict(password_auth(), scope=value)),
        ):
            self.assert_answered("POST", path, body)
