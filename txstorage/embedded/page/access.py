# -*- test-case-name: tests.embedded.page.test_access -*-
"""
The visitors of the page: who asks for it, and who may see it.

Programs get the JSON document of ``GET /``, as they always did.  A browser on this machine gets the
page; any other browser has to log in, and the page of another site never gets the data.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Callable

import attr

from ..._support.notations.addresses import is_loopback

#: The value of ``Authorization``, with the credentials in base 64.
_BASIC = re.compile(r"basic +([A-Za-z0-9+/=]+)\Z", re.I)
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::[0-9]*)?\Z")
_QUALITY = re.compile(r"\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*\Z", re.I)
#: The headers of proxies, whose clients can be anywhere.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
#: The relations to the page on which a browser starts a request, as it reports them.
_OWN = frozenset([None, "same-origin", "none"])

#: Checks a user's name and password.
CheckLogin = Callable[[str, str], bool]


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class Visit:
    """
    A request for the page or its data.

    :ivar client: the address that the request comes from.
    :ivar host: of the header ``Host``.
    :ivar forwarded: whether a proxy has sent the request on.
    :ivar authorization: of the header of that name.
    :ivar site: of the header ``Sec-Fetch-Site``; ``None`` from programs and old browsers.
    """

    client: str
    host: str | None
    forwarded: bool
    authorization: str | None = attr.ib(default=None, repr=False)
    site: str | None = None

    @classmethod
    def of(cls, client: str, header: Callable[[str], str | None]) -> Visit:
        """
        :param header: returns the value of a header, or ``None``.
        """
        return cls(
            client=client,
            host=header("Host"),
            forwarded=any(header(name) is not None for name in FORWARDED),
            authorization=header("Authorization"),
            site=header("Sec-Fetch-Site"),
        )


def _qualities(accept: str) -> Mapping[str, float]:
    """:return: the media ranges of a header ``Accept``, with their qualities."""
    found: dict[str, float] = {}
    for each in accept.split(","):
        media, *parameters = each.split(";")
        quality = 1.0
        for matched in map(_QUALITY.match, parameters):
            if matched is not None:
                quality = float(matched.group(1))
        found[media.strip().lower()] = quality
    return found


def prefers_html(accept: str | None) -> bool:
    """
    Check whether a client prefers a page to JSON.

    :param accept: of the header of that name.  A client that accepts both alike is a program.
    """
    found = _qualities(accept or "")

    def quality(kind: str, subtype: str) -> float:
        ranges = (f"{kind}/{subtype}", f"{kind}/*", "*/*")
        return next((found[each] for each in ranges if each in found), 0.0)

    return quality("text", "html") > quality("application", "json")


def is_own_site(site: str | None) -> bool:
    """
    Check that no other site's page has sent a request for data.

    :param site: of the header ``Sec-Fetch-Site``.
    """
    return site in _OWN


def is_local(visit: Visit, local_service: bool) -> bool:
    """
    Check that a visitor is on this machine, and that the browser takes the page for this machine's.

    Another site can give its own name the address of the loopback; the browser then takes both for
    one site, and only the name in the request shows the difference.

    :param local_service: whether only this machine can reach the service.
    """
    matched = _HOST.match(visit.host or "")
    if matched is None or visit.forwarded or not local_service:
        return False
    name = (matched.group(1) or matched.group(2)).lower()
    return is_loopback(name) and is_loopback(visit.client)


def login(authorization: str | None) -> tuple[str, str] | None:
    """
    :param authorization: of the header of that name.
    :return: the user's name and the password; ``None`` when there are none.
    """
    matched = _BASIC.match(authorization or "")
    if matched is None:
        return None
    try:
        user, colon, password = b64decode(matched.group(1), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if colon else None


def may_enter(visit: Visit, local_service: bool, check: CheckLogin) -> bool:
    """
    Decide whether a visitor sees the page.

    :param local_service: whether only this machine can reach the service.
    """
    given = login(visit.authorization)
    return is_local(visit, local_service) or (given is not None and check(*given))


def one_login(user: str, password: str) -> CheckLogin:
    """Return the check of the login of one user, which takes the same time for any other."""

    def check(given_user: str, given_password: str) -> bool:
        same = [
            hmac.compare_digest(given.encode("utf-8"), own.encode("utf-8", "surrogateescape"))
            for given, own in ((given_user, user), (given_password, password))
        ]
        return all(same)

    return check
