# -*- test-case-name: tests.clouds.openstack.test_tokens_and_catalog -*-
"""The service catalog: services and their endpoints."""

from __future__ import absolute_import, division, print_function

import re

import attr

from ..._support.compat import text_type, urlsplit
from ...errors import EndpointMissing

MYPY = False
if MYPY:
    from typing import Any, Dict, Iterable, List, Mapping, Optional, Text, Tuple  # noqa: F401

# Cinder's former APIs, which this driver does not speak.
_TOO_OLD = re.compile(u"/v[12](\\.[0-9]+)?(/|$)")


@attr.s(frozen=True)
class Endpoint(object):
    """
    One endpoint of the catalog.

    :ivar text service_type: e.g. ``block-storage``.
    :ivar text interface: ``public``, ``internal`` or ``admin``.
    :ivar text region: its name; may be empty.
    :ivar text url: its URL.
    """

    service_type = attr.ib()  # type: Text
    interface = attr.ib()  # type: Text
    region = attr.ib()  # type: Text
    url = attr.ib()  # type: Text


def catalog_from_wire(wire):
    # type: (Any) -> Tuple[Endpoint, ...]
    """
    :param wire: the ``catalog`` of a token, see "Authentication and token management" in the
        Identity API's reference.
    :return: a tuple of :class:`Endpoint`; malformed entries are left out, as they may belong to
        services that the driver does not use.
    """
    return tuple(
        Endpoint(service[u"type"], endpoint[u"interface"], _region(endpoint), endpoint[u"url"])
        for service in _dicts(wire)
        for endpoint in _dicts(service.get(u"endpoints"))
        if all(
            isinstance(value, text_type)
            for value in (
                service.get(u"type"), endpoint.get(u"interface"), endpoint.get(u"url")
            )
        )
    )


def _dicts(wire):
    # type: (Any) -> List[Dict[Text, Any]]
    return [item for item in wire if isinstance(item, dict)] if isinstance(wire, list) else []


def _region(endpoint):
    # type: (Mapping[Text, Any]) -> Text
    return endpoint.get(u"region_id") or endpoint.get(u"region") or u""


def _usable(endpoint):
    # type: (Endpoint) -> bool
    """Check that an endpoint is not of Cinder's former APIs: ``volume`` was v1 once, then v2."""
    return not (
        endpoint.service_type.startswith((u"volume", u"block"))
        and _TOO_OLD.search(urlsplit(endpoint.url)[2])
    )


def choose_endpoint(catalog, service_types, interface, region):
    # type: (Iterable[Endpoint], Iterable[Text], Text, Optional[Text]) -> Text
    """
    :param catalog: of :class:`Endpoint`.
    :param service_types: texts; the first one in the catalog is used.
    :param text interface: the interface.
    :param region: text, or ``None`` when the service is in one region only.
    :return: the URL.
    :raises EndpointMissing: none fits, or endpoints of several regions do.
    """
    fitting = [
        endpoint
        for service_type in service_types
        for endpoint in catalog
        if endpoint.service_type == service_type
        and endpoint.interface == interface
        and region in (None, endpoint.region)
        and _usable(endpoint)
    ]
    if not fitting:
        raise EndpointMissing(_missing(catalog, service_types, interface, region))
    chosen = [each for each in fitting if each.service_type == fitting[0].service_type]
    regions = sorted(set(endpoint.region for endpoint in chosen))
    if len(regions) > 1:
        raise EndpointMissing(
            u"The catalog has {} in several regions: {}".format(
                chosen[0].service_type, u", ".join(regions)
            )
        )
    return chosen[0].url


def _missing(catalog, service_types, interface, region):
    # type: (Iterable[Endpoint], Iterable[Text], Text, Optional[Text]) -> Text
    there = sorted(
        u"{} ({}, {}{})".format(
            each.service_type,
            each.interface,
            each.region or u"no region",
            u"" if _usable(each) else u", too old: {}".format(each.url),
        )
        for each in catalog
    )
    return u"The catalog has no {} with interface {}{}; it has: {}".format(
        u" or ".join(service_types),
        interface,
        u"" if region is None else u" in region {}".format(region),
        u", ".join(there) or u"nothing",
    )


__all__ = ["Endpoint", "catalog_from_wire", "choose_endpoint"]
