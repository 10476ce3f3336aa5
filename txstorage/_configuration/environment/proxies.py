# -*- test-case-name: tests._configuration.test_proxies -*-
"""
The choice of a proxy for a URL, by the variables that clients based on requests read.

The variables are ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy``, in either case.
"""

from __future__ import absolute_import, division, print_function

from base64 import b64encode
from ipaddress import ip_network

import attr

from ..._support.compat import as_text, unquote
from ..._support.notations.addresses import (
    MalformedAddress,
    as_ip_address,
    in_brackets,
    read_address,
)
from ...errors import InvalidConfiguration
from ..damage import damage_of

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Optional, Text, Tuple  # noqa: F401

    from ..._support.notations.addresses import Address  # noqa: F401

_ENDING = "_proxy"
_SCHEMES = (u"http", u"https", u"all")


@attr.s(frozen=True)
class Proxy(object):
    """
    An HTTP proxy.

    :ivar Address address: its address, without a user and password.
    :ivar text origin: the variable or key that names the proxy.
    :ivar authorization: the value of ``Proxy-Authorization`` (text), or ``None``.
    :ivar tuple secrets: texts that no message may contain.
    """

    address = attr.ib()  # type: Address
    origin = attr.ib()  # type: Text
    authorization = attr.ib(default=None, repr=False)  # type: Optional[Text]
    secrets = attr.ib(default=(), repr=False)  # type: Tuple[Text, ...]

    @property
    def url(self):
        # type: () -> Text
        """The proxy's address as a URL, without a user and password."""
        address = self.address
        return u"{}://{}:{}".format(address.scheme, in_brackets(address.host), address.port)

    def describe(self):
        # type: () -> Text
        """:return: text for messages."""
        return u"the proxy {} of {}".format(self.url, self.origin)


def read_proxy(text, origin):
    # type: (Text, Text) -> Proxy
    """
    :param text text: a proxy's address, such as ``http://user:password@proxy:3128``; without a
        scheme, http.
    :param text origin: the variable or key that contains the address.
    :rtype: Proxy
    :raises MalformedAddress: it is not an address of an HTTP proxy; the reason shows no part of it.
    """
    found = damage_of(text)
    if found is not None:
        raise MalformedAddress(u"the value {}; {}".format(*found))
    scheme, separator, rest = text.partition(u"://")
    if not separator:
        scheme, rest = u"http", text
    if scheme.lower().startswith(u"socks"):
        raise MalformedAddress(u"a SOCKS proxy is not supported, only an HTTP proxy")
    # A password may contain any character, a slash for example.
    user, _, place = rest.rpartition(u"@")
    address = read_address(u"{}://{}".format(scheme, place))
    if not user:
        return Proxy(address, origin)
    name, _, password = user.partition(u":")
    plain = u"{}:{}".format(unquote(name), unquote(password))
    encoded = b64encode(plain.encode("utf-8")).decode("ascii")
    secrets = tuple(each for each in (encoded, unquote(password), password) if each)
    return Proxy(address, origin, u"Basic " + encoded, secrets)


def _is_local(host):
    # type: (Text) -> bool
    address = as_ip_address(host)
    if address is None:
        return host == u"localhost" or host.endswith(u".localhost")
    address = getattr(address, "ipv4_mapped", None) or address
    return bool(address.is_loopback or address.is_unspecified)


def _excepts(entry, host, port):
    # type: (Text, Text, int) -> bool
    """
    :param text entry: one of ``no_proxy``, in lower case.
    :return: whether a host is reached without a proxy.
    """
    if entry == u"*":
        return True
    address = as_ip_address(host)
    if address is not None:
        try:
            # An address is a network of one.
            return address in ip_network(entry.strip(u"[]"), strict=False)
        except ValueError:
            return entry == u"{}:{}".format(in_brackets(host), port)
    suffix = entry.lstrip(u".")
    places = (host, u"{}:{}".format(host, port))
    return any(each == suffix or each.endswith(u"." + suffix) for each in places)


def variables_of_proxies(environ):
    # type: (Mapping[str, str]) -> Dict[Text, Tuple[Text, Text]]
    """
    :param environ: names to values, native strings.
    :return: a ``dict`` of ``http``, ``https``, ``all`` and ``no`` to the name and the value of the
        variable in use.
    """
    found = {}  # type: Dict[Text, Tuple[Text, Text]]
    for kind in _SCHEMES + (u"no",):
        lower = str(kind) + _ENDING
        names = [lower] + sorted(
            name for name in environ if name != lower and name.lower() == lower
        )
        # An empty lower-case variable switches the upper-case one off, but not no_proxy's.
        if kind != u"no" and lower in environ:
            names = [lower]
        if kind == u"http" and "REQUEST_METHOD" in environ:
            # In a CGI script, a request's header may have set HTTP_PROXY.
            names = [lower]
        for name in names:
            if environ.get(name):
                found.setdefault(kind, (as_text(name), as_text(environ[name])))
    return found


@attr.s(frozen=True, hash=False)
class Proxies(object):
    """
    The proxies of URLs.

    :ivar explicit: the value of the key ``proxy``: a :class:`Proxy` for all URLs, ``False`` for
        none, or ``None`` for the variables' proxies.
    :ivar dict given: the variables, as :func:`variables_of_proxies` returns them.
    """

    explicit = attr.ib(default=None)  # type: Any
    # The values may contain passwords.
    given = attr.ib(default={}, repr=False)  # type: Dict[Text, Tuple[Text, Text]]
    # The addresses in the variables by their names, each read when it is first used.
    _read = attr.ib(
        default=attr.Factory(dict), init=False, repr=False, cmp=False
    )  # type: Dict[Text, Proxy]

    def for_url(self, url):
        # type: (Text) -> Optional[Proxy]
        """
        :param text url: a request's URL.
        :return: the :class:`Proxy`, or ``None``.
        :raises InvalidConfiguration: the variable's value is not the address of an HTTP proxy.
        """
        if self.explicit is not None:
            return self.explicit or None
        if not any(scheme in self.given for scheme in _SCHEMES):
            # Each request asks, several times, and most often there is no proxy at all.
            return None
        try:
            address = read_address(url)
        except MalformedAddress:
            # The request fails with the reason.
            return None
        name, value = self.given.get(address.scheme) or self.given.get(u"all") or (u"", u"")
        if not value or _is_local(address.host.lower()) or self._is_excepted(address):
            return None
        if name in self._read:
            return self._read[name]
        try:
            proxy = self._read[name] = read_proxy(value, name)
            return proxy
        except MalformedAddress as error:
            reason = error.reason
        # Outside the handler, so that no chained exception shows the value.
        raise InvalidConfiguration(
            u"proxy",
            u"{} is not the address of an HTTP proxy{}".format(name, reason and u": " + reason),
            u"correct or unset the variable, or set the key proxy to an address or to none",
        )

    def _is_excepted(self, address):
        # type: (Address) -> bool
        entries = self.given.get(u"no", (u"", u""))[1].lower().split(u",")
        return any(
            _excepts(entry.strip(), address.host.lower(), address.port)
            for entry in entries
            if entry.strip(u" .")
        )


__all__ = ["Proxies", "Proxy", "read_proxy", "variables_of_proxies"]
