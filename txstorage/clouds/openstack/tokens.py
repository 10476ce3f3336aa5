# -*- test-case-name: tests.clouds.openstack.test_tokens_and_catalog -*-
"""Keystone's tokens."""

from __future__ import absolute_import, division, print_function

from calendar import timegm
from datetime import datetime

import attr

from ..._support.compat import as_text, text_type
from .catalog import catalog_from_wire

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Optional, Text, Tuple  # noqa: F401

    from .catalog import Endpoint  # noqa: F401


@attr.s(frozen=True, hash=False)
class Token(object):
    """
    A token and the data that came with it.

    :ivar text secret: the token itself; never shown.
    :ivar lifetime: seconds from its issue to its end, or ``None`` when it has no known end.
    :ivar tuple catalog: of :class:`Endpoint`.
    :ivar text user_name: its user.
    :ivar text project_name: its project; empty for none.
    :ivar text project_id: likewise.
    """

    secret = attr.ib(repr=False)  # type: Any
    lifetime = attr.ib(default=None)  # type: Optional[float]
    catalog = attr.ib(default=(), repr=False)  # type: Tuple[Endpoint, ...]
    user_name = attr.ib(default=u"")  # type: Text
    project_name = attr.ib(default=u"")  # type: Text
    project_id = attr.ib(default=u"")  # type: Text

    @classmethod
    def from_wire(cls, secret, wire):
        # type: (Text, Mapping[Text, Any]) -> Token
        """
        :param text secret: the header ``X-Subject-Token``.
        :param dict wire: the member ``token`` of the body.
        :return: a :class:`Token`.
        """
        project = _dict(wire.get(u"project"))
        return cls(
            secret=secret,
            lifetime=_lifetime(wire.get(u"issued_at"), wire.get(u"expires_at")),
            catalog=catalog_from_wire(wire.get(u"catalog")),
            user_name=as_text(_dict(wire.get(u"user")).get(u"name") or u""),
            project_name=as_text(project.get(u"name") or u""),
            project_id=as_text(project.get(u"id") or u""),
        )


def _dict(value):
    # type: (Any) -> Dict[Text, Any]
    return value if isinstance(value, dict) else {}


def _seconds(timestamp):
    # type: (Any) -> Optional[int]
    """Seconds since the epoch from e.g. ``2026-11-22T16:27:04.000000Z``."""
    if not isinstance(timestamp, text_type):
        return None
    try:
        return timegm(datetime.strptime(timestamp[:19], "%Y-%m-%dT%H:%M:%S").timetuple())
    except ValueError:
        return None


def _lifetime(issued_at, expires_at):
    # type: (Any, Any) -> Optional[float]
    # Both times are the service's, so that the local clock may be wrong.
    issued, expires = _seconds(issued_at), _seconds(expires_at)
    if issued is None or expires is None:
        return None
    return float(max(0, expires - issued))


__all__ = ["Token"]
