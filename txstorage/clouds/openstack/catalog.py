# -*- test-case-name: tests.clouds.openstack.test_tokens_and_catalog -*-
"""The service catalog: services and their endpoints."""

from __future__ import absolute_import, division, print_function

from itertools import islice

import attr

from ..._support.compat import text_type
from ..._support.json_values import at_most, objects_in, text_member
from ..._support.notations.addresses import MalformedAddress, read_address
from ...errors import EndpointMissing
from .versions import major_version

MYPY = False
if MYPY:
    from typing import Any, Iterable, Optional, Text, Tuple  # noqa: F401

# Cinder's former APIs, which this driver does not speak.
_TOO_OLD = (u"v1", u"v2")

# The maximum number of endpoints that an error lists; a catalog may have hundreds.
_LISTED = 20

# The maximum number of endpoints of a catalog; those of the largest clouds have some thousand.
_MAX_ENDPOINTS = 5000


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
    :raises Malformed: the catalog has more endpoints than any real one.
    """
    found = (
        Endpoint(service[u"type"], endpoint[u"interface"], _region(endpoint), endpoint[u"url"])
        for service in objects_in(wire)
        for endpoint in objects_in(service.get(u"endpoints"))
        if all(
            isinstance(value, text_type)
            for value in (
                service.get(u"type"), endpoint.get(u"interface"), endpoint.get(u"url")
            )
        )
    )
    first = list(islice(found, _MAX_ENDPOINTS + 1))
    return tuple(at_most(first, _MAX_ENDPOINTS, u"endpoints in its catalog"))


def _region(endpoint):
    # type: (Any) -> Text
    return text_member(endpoint, u"region_id") or text_member(endpoint, u"region")


def _obstacle(endpoint):
    # type: (Endpoint) -> Optional[Text]
    """Return the reason why an endpoint can't be used, or ``None``."""
    try:
        read_address(endpoint.url)
    except MalformedAddress as error:
        return u"not a URL" + (error.reason and u", " + error.reason)
    # ``volume`` was Cinder's v1 once, then its v2.
    is_cinder = endpoint.service_type.startswith((u"volume", u"block"))
    return u"too old" if is_cinder and major_version(endpoint.url) in _TOO_OLD else None


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
        and _obstacle(endpoint) is None
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
    there = sorted(_described(each) for each in catalog)
    if len(there) > _LISTED:
        there[_LISTED:] = [u"{} more".format(len(there) - _LISTED)]
    return u"The catalog has no {} with interface {}{}; it has: {}".format(
        u" or ".join(service_types),
        interface,
        u"" if region is None else u" in region {}".format(region),
        u", ".join(there) or u"nothing",
    )


def _described(endpoint):
    # type: (Endpoint) -> Text
    obstacle = _obstacle(endpoint)
    return u"{} ({}, {}{})".format(
        endpoint.service_type,
        endpoint.interface,
        endpoint.region or u"no region",
        u"" if obstacle is None else u", {}: {}".format(obstacle, endpoint.url),
    )


__all__ = ["Endpoint", "catalog_from_wire", "choose_endpoint"]
