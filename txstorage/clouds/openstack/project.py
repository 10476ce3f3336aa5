# -*- test-case-name: tests.clouds.openstack.test_project -*-
"""
A project's limits in Block Storage: quota, volume types, availability zones and storage pools.

The driver itself needs none of it; ``txstorage doctor`` checks a configuration with it.  All of it
is in the first microversion, 3.0, so that no request names one.
"""

from __future__ import absolute_import, division, print_function

import attr

from ..._support.json_values import object_member, text_member, whole_number
from .cinder import GIB, MAX_GIB, SERVICE_TYPES
from .paths_and_pages import all_pages, read_each

MYPY = False
if MYPY:
    from typing import Any, List, Mapping, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from ..._http.messages import Response  # noqa: F401
    from .session import Session  # noqa: F401


@attr.s(frozen=True)
class Quota(object):
    """
    A project's usage and limits.

    :ivar volumes_used: the number of volumes; ``None`` when the user may not see it.
    :ivar volumes_limit: the maximum number of volumes; ``None`` for no limit.
    :ivar bytes_used: the sum of the volumes' sizes; ``None`` as above.
    :ivar bytes_limit: bytes, or ``None`` for no limit.
    """

    volumes_used = attr.ib()  # type: Optional[int]
    volumes_limit = attr.ib()  # type: Optional[int]
    bytes_used = attr.ib()  # type: Optional[int]
    bytes_limit = attr.ib()  # type: Optional[int]

    @classmethod
    def from_wire(cls, wire):
        # type: (Any) -> Quota
        """
        :param wire: the member ``absolute`` of the limits; -1 is "none".
        :return: a :class:`Quota`.
        """

        def number(name, unit):
            # type: (Text, int) -> Optional[int]
            value = whole_number(wire, name, MAX_GIB)
            return None if value is None else value * unit

        return cls(
            number(u"totalVolumesUsed", 1),
            number(u"maxTotalVolumes", 1),
            number(u"totalGigabytesUsed", GIB),
            number(u"maxTotalVolumeGigabytes", GIB),
        )


@attr.s(frozen=True)
class VolumeType(object):
    """
    A volume type.

    :ivar text type_id: its id, which a request may give instead of the name.
    :ivar text name: its name.
    """

    type_id = attr.ib()  # type: Text
    name = attr.ib()  # type: Text

    @classmethod
    def from_wire(cls, wire):
        # type: (Mapping[Text, Any]) -> VolumeType
        """
        :param dict wire: one volume type.
        :return: a :class:`VolumeType`.
        """
        return cls(text_member(wire, u"id"), text_member(wire, u"name"))


@attr.s(frozen=True)
class Zone(object):
    """
    An availability zone.

    :ivar text name: its name.
    :ivar bool available: whether volumes can be made there now.
    """

    name = attr.ib()  # type: Text
    available = attr.ib()  # type: bool

    @classmethod
    def from_wire(cls, wire):
        # type: (Mapping[Text, Any]) -> Zone
        """
        :param dict wire: one member of ``availabilityZoneInfo``.
        :return: a :class:`Zone`.
        """
        available = object_member(wire, u"zoneState").get(u"available") is not False
        return cls(text_member(wire, u"zoneName"), available)


@attr.s(frozen=True)
class Pool(object):
    """
    A pool of storage, from which volumes get their space.

    :ivar text name: its name.
    :ivar total: the bytes that it can hold; ``None`` when that is unlimited or unknown.
    :ivar free: the bytes of it that are free; ``None`` as above.
    :ivar promised: the sum of its volumes' sizes, in bytes; ``None`` when that is unknown.
    :ivar float ratio: how many times the total may be promised.
    """

    name = attr.ib()  # type: Text
    total = attr.ib()  # type: Optional[int]
    free = attr.ib()  # type: Optional[int]
    promised = attr.ib()  # type: Optional[int]
    ratio = attr.ib(default=1.0)  # type: float

    @classmethod
    def from_wire(cls, wire):
        # type: (Mapping[Text, Any]) -> Pool
        """
        :param dict wire: one member of ``pools``; a number may be text, or a word.
        :return: a :class:`Pool`.
        """
        found = object_member(wire, u"capabilities")
        total, free, promised = [
            _gigabytes(found.get(name))
            for name in (u"total_capacity_gb", u"free_capacity_gb", u"provisioned_capacity_gb")
        ]
        ratio = _number(found.get(u"max_over_subscription_ratio"))
        return cls(text_member(wire, u"name"), total, free, promised, ratio or 1.0)


def _number(value):
    # type: (Any) -> Optional[float]
    """Return a number that is not negative, given as such or as text; ``None`` for others."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number <= MAX_GIB else None


def _gigabytes(value):
    # type: (Any) -> Optional[int]
    number = _number(value)
    return None if number is None else int(number * GIB)


def _read(kind, item):
    # type: (Any, Any) -> Any
    return kind.from_wire(item) if isinstance(item, dict) else None


def _by_name(found):
    # type: (List[Any]) -> Tuple[Any, ...]
    return tuple(sorted((each for each in found if each is not None), key=lambda each: each.name))


class Project(object):
    """
    The limits of the credentials' project.

    :param session: a :class:`~txstorage.clouds.openstack.session.Session`.
    """

    def __init__(self, session):
        # type: (Session) -> None
        self._session = session

    def quota(self):
        # type: () -> Deferred[Quota]
        """
        :return: a ``Deferred`` that fires with the :class:`Quota`.
        """
        return self._get(u"/limits").addCallback(
            lambda response: Quota.from_wire(response.field(u"limits", dict).get(u"absolute"))
        )

    def volume_types(self):
        # type: () -> Deferred[Tuple[VolumeType, ...]]
        """
        :return: a ``Deferred`` that fires with a tuple of :class:`VolumeType`, by name: the public
            ones, and private ones that the project has access to.
        """
        # Cinder names these links in the singular, unlike those of volumes.
        listed = all_pages(
            self._session.slices,
            lambda params: self._get(u"/types", params),
            [],
            u"volume_types",
            lambda response, item: _read(VolumeType, item),
            links=u"volume_type_links",
        )
        return listed.addCallback(lambda result: _by_name(result[0]))

    def availability_zones(self):
        # type: () -> Deferred[Tuple[Zone, ...]]
        """
        :return: a ``Deferred`` that fires with a tuple of :class:`Zone`, by name.
        """

        def found(response):
            # type: (Response) -> Deferred[List[Any]]
            items = response.field(u"availabilityZoneInfo", list)
            return read_each(self._session.slices, items, lambda item: _read(Zone, item))

        return self._get(u"/os-availability-zone").addCallback(found).addCallback(_by_name)

    def pools(self):
        # type: () -> Deferred[Tuple[Pool, ...]]
        """
        :return: a ``Deferred`` that fires with a tuple of :class:`Pool`, by name.  Most clouds show
            them to administrators only.
        """

        def found(response):
            # type: (Response) -> Deferred[List[Any]]
            items = response.field(u"pools", list)
            return read_each(self._session.slices, items, lambda item: _read(Pool, item))

        asked = self._get(u"/scheduler-stats/get_pools", [(u"detail", u"true")])
        return asked.addCallback(found).addCallback(_by_name)

    def _get(self, path, params=()):
        # type: (Text, Any) -> Deferred[Response]
        return self._session.request(SERVICE_TYPES, u"GET", path, params=params)


__all__ = ["Pool", "Project", "Quota", "VolumeType", "Zone"]
