# -*- test-case-name: tests.clouds.ec2.test_credentials -*-
"""
Access keys: the credentials that requests are signed with.
"""

from __future__ import absolute_import, division, print_function

import re

import attr

from ...._support.json_values import Malformed, member, text_member
from ...._support.notations.timestamps import seconds_since_epoch

MYPY = False
if MYPY:
    from typing import Any, Mapping, Optional, Text  # noqa: F401

# A header's value: anything else would be sent on as another header, or not at all.
_PRINTABLE = re.compile(u"[!-~]+\\Z")

# Seconds: a longer lifetime comes of a wrong time.
_CREDIBLE = 7 * 86400.0


@attr.s(frozen=True, hash=False)
class AccessKeys(object):
    """
    An access key, and its secrets.

    :ivar text access_key: the key's id.
    :ivar text secret_key: the key; never shown.
    :ivar token: the session token of temporary keys (text), or ``None``; never shown.
    :ivar lifetime: seconds from the keys' arrival to their end, or ``None`` when they have no known
        end.
    :ivar text origin: a description of the place that the keys come from.
    """

    access_key = attr.ib()  # type: Text
    secret_key = attr.ib(repr=False)  # type: Text
    token = attr.ib(default=None, repr=False)  # type: Optional[Text]
    lifetime = attr.ib(default=None)  # type: Optional[float]
    origin = attr.ib(default=u"", cmp=False)  # type: Text

    @property
    def secrets(self):
        # type: () -> Any
        """The tuple of the texts that no message may contain."""
        return tuple(each for each in (self.secret_key, self.token) if each)

    @classmethod
    def checked(cls, access_key, secret_key, token=None, lifetime=None, origin=u""):
        # type: (Any, Any, Any, Optional[float], Text) -> AccessKeys
        """
        :param access_key: the key's id.
        :param secret_key: the key.
        :param token: the session token; ``None`` or empty for none.
        :param lifetime: as for the class.
        :param text origin: as for the class.
        :return: the :class:`AccessKeys`.
        :raises Malformed: one of them is missing, or is not a word.
        """
        for name, value in (
            (u"access key's id", access_key),
            (u"secret access key", secret_key),
            (u"session token", token or u"-"),
        ):
            if not value:
                raise Malformed(u"the {} is missing".format(name))
            if not _PRINTABLE.match(value):
                raise Malformed(u"the {} is not a word".format(name))
        return cls(access_key, secret_key, token or None, lifetime, origin)

    @classmethod
    def from_wire(cls, wire, answered_at, token=u"Token", origin=u""):
        # type: (Mapping[Text, Any], Optional[float], Text, Text) -> AccessKeys
        """
        :param dict wire: keys as the metadata services and STS describe them.
        :param answered_at: the header ``Date`` of the answer, in seconds since the epoch, or
            ``None``.
        :param text token: the name of the session token's member.
        :param text origin: as for the class.
        :return: the :class:`AccessKeys`.
        :raises Malformed: a member is missing, or the keys have expired.
        """
        ends_at = seconds_since_epoch(member(wire, u"Expiration"))
        lifetime = None
        # Both times are the service's, so that the local clock may be wrong.
        if ends_at is not None and answered_at is not None:
            lifetime = ends_at - answered_at
            if lifetime <= 0:
                raise Malformed(u"the keys have expired")
            lifetime = min(lifetime, _CREDIBLE)
        return cls.checked(
            text_member(wire, u"AccessKeyId"),
            text_member(wire, u"SecretAccessKey"),
            text_member(wire, token),
            lifetime,
            origin,
        )


__all__ = ["AccessKeys"]
