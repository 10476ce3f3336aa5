"""Tests of the decision who sees the page."""

from __future__ import annotations

from base64 import b64encode

import attr
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.page.access import (
    FORWARDED,
    Visit,
    is_local,
    is_own_site,
    login,
    may_enter,
    one_login,
    prefers_html,
)

HERE = Visit(client="127.0.0.1", host="localhost:8780", forwarded=False)
CHECK = one_login("txstorage", "pässword: 1")


def basic(text: str | bytes) -> str:
    """Return the header of a login."""
    data = text.encode() if isinstance(text, str) else text
    return "Basic " + b64encode(data).decode()


class PreferenceTests(SynchronousTestCase):
    """Tests of :func:`prefers_html`."""

    def test_browsers(self) -> None:
        """Browsers get the page."""
        for accept in (
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "text/html, */*;q=0.1",
            "TEXT/HTML",
            "text/*",
            "application/json;q=0.5, text/html;q=0.6",
        ):
            self.assertTrue(prefers_html(accept), accept)

    def test_programs(self) -> None:
        """Programs get JSON: those that accept it, or anything, or page and JSON alike."""
        for accept in (
            None,
            "",
            "*/*",
            "application/json",
            "application/json, text/html",
            "text/html;q=0.5, application/json",
            "text/html;q=0",
            "text/html;q=0.2, */*",
            "text/plain",
            "application/*, text/html",
            "text/html;q=nonsense, application/json;q=2, */*",
            ",;,q=1",
        ):
            self.assertFalse(prefers_html(accept), accept)


class LocalTests(SynchronousTestCase):
    """Tests of :func:`is_local`."""

    def test_this_machine(self) -> None:
        """A browser on this machine needs no login, at each name of the loopback."""
        for client in ("127.0.0.1", "127.5.5.5", "::1"):
            for host in ("localhost", "LOCALHOST:1", "127.0.0.1:8780", "[::1]", "[::1]:8780"):
                self.assertTrue(is_local(attr.evolve(HERE, client=client, host=host), True))

    def test_public_service(self) -> None:
        """A service that other machines can reach asks everybody for a login."""
        self.assertFalse(is_local(HERE, False))

    def test_other_clients(self) -> None:
        """Another address is not this machine, nor is a connection without one."""
        for client in ("192.0.2.1", "10.0.0.1", "2001:db8::1", ""):
            self.assertFalse(is_local(attr.evolve(HERE, client=client), True), client)

    def test_rebinding(self) -> None:
        """The page of a site whose name has got the address of the loopback needs a login."""
        for host in (
            None,
            "",
            "evil.example",
            "evil.example:8780",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "localhost@evil.example",
            "evil.example#localhost",
            "localhost evil.example",
            "localhost\n",
            "[::1].evil.example",
            "0.0.0.0",
            "192.0.2.1",
            "[2001:db8::1]",
            "2130706433",
        ):
            self.assertFalse(is_local(attr.evolve(HERE, host=host), True), host)

    def test_proxies(self) -> None:
        """A proxy on this machine brings visitors from anywhere."""
        for name in FORWARDED:
            headers = {"Host": "localhost", name: "x"}
            self.assertFalse(is_local(Visit.of("127.0.0.1", headers.get), True), name)
        self.assertTrue(is_local(Visit.of("127.0.0.1", {"Host": "localhost"}.get), True))


class SiteTests(SynchronousTestCase):
    """Tests of :func:`is_own_site`."""

    def test_sites(self) -> None:
        """The page itself and a person may read the data, another site or port may not."""
        for site in (None, "none", "same-origin"):
            self.assertTrue(is_own_site(site), site)
        for site in ("cross-site", "same-site", "", "else"):
            self.assertFalse(is_own_site(site), site)


class LoginTests(SynchronousTestCase):
    """Tests of the login."""

    def test_login(self) -> None:
        """The name ends at the first colon, and the password has any characters."""
        self.assertEqual(login(basic("a:b:ü")), ("a", "b:ü"))
        self.assertEqual(login(basic(":").replace("Basic", "bAsIc")), ("", ""))

    def test_malformed(self) -> None:
        """Anything else is not a login."""
        for value in (
            None,
            "",
            "Basic",
            "Basic !",
            "Basic YQ",
            "Bearer " + basic("a:b").split()[1],
            basic("no colon"),
            basic(b"\xff:\xfe"),
            basic("a:b") + " ",
        ):
            self.assertIsNone(login(value), value)

    def test_check(self) -> None:
        """Only the user's own name and password are right."""
        self.assertTrue(CHECK("txstorage", "pässword: 1"))
        for user, password in (
            ("txstorage", ""),
            ("txstorage", "password: 1"),
            ("", "pässword: 1"),
            ("Txstorage", "pässword: 1"),
        ):
            self.assertFalse(CHECK(user, password), (user, password))

    def test_enter(self) -> None:
        """A login opens the page to everybody, and this machine needs none."""
        away = attr.evolve(HERE, client="192.0.2.1", host="storage.example")
        right, wrong = basic("txstorage:pässword: 1"), basic("txstorage:else")
        for local_service in (True, False):
            self.assertFalse(may_enter(away, local_service, CHECK))
            self.assertFalse(
                may_enter(attr.evolve(away, authorization=wrong), local_service, CHECK)
            )
            self.assertTrue(may_enter(attr.evolve(away, authorization=right), local_service, CHECK))
        self.assertTrue(may_enter(HERE, True, CHECK))
        self.assertFalse(may_enter(HERE, False, CHECK))

    def test_repr(self) -> None:
        """A login does not show up in a visit's text."""
        visit = attr.evolve(HERE, authorization=basic("txstorage:secret"))
        self.assertNotIn(basic("txstorage:secret").split()[1], repr(visit))
