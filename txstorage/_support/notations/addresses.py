# -*- test-case-name: tests._support.test_addresses -*-
"""
The addresses of HTTP services, read in the same way on each Python.

``urlsplit`` of Python 2 takes nearly every text for a URL, and later releases of Python 3 remove
control characters, so that the address in use would not be the one that is shown.
"""

from __future__ import absolute_import, division, print_function

import re
from ipaddress import ip_address

import attr

from ..compat import as_text, native

MYPY = False
if MYPY:
    from typing import Any, Optional, Text  # noqa: F401

_URL = re.compile(u"(https?)://([^/?#]*)([!-~]*)\\Z", re.I)
# A host in brackets, or any other; and the port.
_PLACE = re.compile(u"(?:\\[([^\\[\\]]*)\\]|([^\\[\\]]*?))(?::([0-9]{1,5}))?\\Z")
_NAME = re.compile(u"[A-Za-z0-9._~!$&'()*+,;=-]+\\Z")
# Characters that the two standards for international host names map to different hosts.
_DEVIATING = re.compile(u"[\u00df\u03c2\u200c\u200d]")
_PORTS = {u"http": 80, u"https": 443}


class MalformedAddress(ValueError):
    """
    A text is not the address of an HTTP service.

    :param text reason: the reason, which shows no part of the text that may be secret.
    """

    def __init__(self, reason):
        # type: (Text) -> None
        ValueError.__init__(self, native(reason))
        self.reason = reason


@attr.s(frozen=True)
class Address(object):
    """
    The address of an HTTP service.

    :ivar text scheme: ``http`` or ``https``.
    :ivar text host: a host name in ASCII, or an IP address without brackets.
    :ivar int port: given, or the scheme's.
    :ivar text url: the address as a URL in ASCII.
    """

    scheme = attr.ib()  # type: Text
    host = attr.ib()  # type: Text
    port = attr.ib()  # type: int
    url = attr.ib()  # type: Text


def as_ip_address(host):
    # type: (Text) -> Any
    """
    :param text host: a host name, or an IP address without brackets.
    :return: an ``IPv4Address`` or ``IPv6Address``, or ``None`` for a host name.
    """
    try:
        return ip_address(as_text(host))
    except ValueError:
        return None


def in_brackets(host):
    # type: (Text) -> Text
    """
    :param text host: a host name, or an IP address without brackets.
    :return: text: the host as in URLs, an IPv6 address in brackets.
    """
    return u"[{}]".format(host) if u":" in host else host


def read_address(text):
    # type: (Text) -> Address
    """
    :param text text: an absolute http or https URL.
    :rtype: Address
    :raises MalformedAddress: the text is not such a URL, or a host in it can't be reached.
    """
    match = _URL.match(text)
    if match is None:
        raise MalformedAddress(u"")
    place = match.group(2)
    if u"@" in place:
        raise MalformedAddress(u"it contains a user or password")
    if place.count(u":") > 1 and not place.startswith(u"["):
        raise MalformedAddress(u"an IPv6 address stands in brackets, as in http://[::1]:5000")
    parts = _PLACE.match(place)
    if parts is None:
        raise MalformedAddress(u"its host or port is malformed")
    bracketed, name, port = parts.groups()
    host = _name(name) if bracketed is None else _ipv6(bracketed)
    if port is not None and not 0 < int(port) < 65536:
        raise MalformedAddress(u"its port is not between 1 and 65535")
    scheme = match.group(1).lower()
    url = u"{}://{}{}{}".format(
        match.group(1), in_brackets(host), u"" if port is None else u":" + port, match.group(3)
    )
    return Address(scheme, host, int(port or _PORTS[scheme]), url)


def _ipv6(host):
    # type: (Text) -> Text
    address, percent, zone = host.partition(u"%")
    found = as_ip_address(address)
    if found is None or found.version != 6:
        raise MalformedAddress(u"the brackets do not hold an IPv6 address")
    if percent:
        raise MalformedAddress(
            u"an IPv6 address with a zone, the part from % on, is not supported, because only one "
            u"machine knows the zone; use a global address or a host name"
        )
    return address


def _name(host):
    # type: (Text) -> Text
    if u":" in host:
        raise MalformedAddress(u"its port is not a number")
    try:
        ascii_host = host.encode("ascii")
    except UnicodeError:
        ascii_host = _to_ascii(host)
    name = ascii_host.decode("ascii")
    if not _NAME.match(name):
        raise MalformedAddress(u"its host is malformed" if host else u"it has no host")
    return name


def _to_ascii(host):
    # type: (Text) -> bytes
    try:
        if _DEVIATING.search(host) is None:
            return host.encode("idna")
    except UnicodeError:
        pass
    raise MalformedAddress(u"write its host name in ASCII (xn--...)")


def is_loopback(host):
    # type: (Text) -> bool
    """
    :param text host: a host name, or an IP address without brackets.
    :return: whether only this machine can reach it, as far as its text shows.
    """
    address = as_ip_address(host)
    return host == u"localhost" if address is None else bool(address.is_loopback)


__all__ = [
    "Address",
    "MalformedAddress",
    "as_ip_address",
    "in_brackets",
    "is_loopback",
    "read_address",
]
