# -*- test-case-name: tests.clouds.openstack.test_tokens_and_catalog -*-
"""
The service catalog: which service is where.
"""

from __future__ import absolute_import, division, print_function

import re

import attr

from ..._support.compat import text_type, urlsplit
from ...errors import EndpointMissing

# Cinder's former APIs, which this driver does not speak.
_TOO_OLD = re.compile(u"/v[12](\\.[0-9]+)?(/|$)")


@attr.s(frozen=True)
class Endpoint(object):
    """
    One endpoint of the catalog.

    :ivar text service_type: e.g. ``block-storage``.
    :ivar text interface: ``public``, ``internal`` or ``admin``.
    :ivar text region: its name; may be empty.
    :ivar text url: where.
    """

    service_type = attr.ib()
    interface = attr.ib()
    region = attr.ib()
    url = attr.ib()


def catalog_from_wire(wire):
    """
    :param wire: the ``catalog`` of a token, see "Authentication and token
        management" in the Identity API's reference.
    :return: a tuple of :class:`Endpoint`; what can't be understood is left
        out, as it may belong to a service that nobody here needs.
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
    return [item for item in wire if isinstance(item, dict)] if isinstance(wire, list) else []


def _region(endpoint):
    return endpoint.get(u"region_id") or endpoint.get(u"region") or u""


def _usable(endpoint):
    """Whether it is not one of Cinder's former APIs: ``volume`` was v1 once, then v2."""
    return not (
        endpoint.service_type.startswith((u"volume", u"block"))
        and _TOO_OLD.search(urlsplit(endpoint.url)[2])
    )


def choose_endpoint(catalog, service_types, interface, region):
    """
    :param catalog: of :class:`Endpoint`.
    :param service_types: texts; the first that the catalog has is taken.
    :param text interface: which interface.
    :param region: text, or ``None`` when the service is in one region only.
    :return: the URL.
    :raises EndpointMissing: when none fits, or too many do.
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
