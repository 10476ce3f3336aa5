# -*- test-case-name: tests.test_keystone -*-
"""
What is exchanged with Keystone, as values: credentials and tokens.
"""

from __future__ import absolute_import, division, print_function

from calendar import timegm
from datetime import datetime

import attr

from ..._compat import as_text, text_type
from ._catalog import catalog_from_wire

_DEFAULT_DOMAIN = u"default"


def reveal(secret):
    """
    :param secret: text, or a callable that returns it, so that a secret in a
        file is read again each time.
    :return: text.
    """
    return as_text(secret() if callable(secret) else secret)


@attr.s(frozen=True, hash=False)
class Credentials(object):
    """
    Who asks, and for which project.  Make one with :meth:`password`,
    :meth:`application_credential`, :meth:`token` or :meth:`none`.

    :ivar text kind: ``password``, ``application_credential``, ``token`` or
        ``none``.
    :ivar secret: text or a callable for it; never shown.
    """

    kind = attr.ib()
    secret = attr.ib(default=None, repr=False)
    user = attr.ib(default=None)
    project = attr.ib(default=None)
    application = attr.ib(default=None)

    @classmethod
    def password(
        cls,
        secret,
        username=None,
        user_id=None,
        user_domain_id=None,
        user_domain_name=None,
        project_id=None,
        project_name=None,
        project_domain_id=None,
        project_domain_name=None,
    ):
        """
        A user's password.  Domains are Keystone's ``default`` by default.

        :param secret: the password; text or a callable.
        """
        return cls(
            u"password",
            secret,
            _named(user_id, username, user_domain_id, user_domain_name),
            _named(project_id, project_name, project_domain_id, project_domain_name),
        )

    @classmethod
    def application_credential(
        cls,
        secret,
        id=None,
        name=None,
        username=None,
        user_id=None,
        user_domain_id=None,
        user_domain_name=None,
    ):
        """
        An application credential, which belongs to one project already.

        :param secret: its secret; text or a callable.
        :param id: its id (text); or give its ``name`` and the user's.
        """
        user = None if id else _named(user_id, username, user_domain_id, user_domain_name)
        return cls(
            u"application_credential",
            secret,
            user,
            application={u"id": id} if id else {u"name": name},
        )

    @classmethod
    def token(
        cls,
        secret,
        project_id=None,
        project_name=None,
        project_domain_id=None,
        project_domain_name=None,
    ):
        """
        A token that somebody else got.

        :param secret: the token; text or a callable.
        """
        project = _named(project_id, project_name, project_domain_id, project_domain_name)
        return cls(u"token", secret, project=project)

    @classmethod
    def none(cls, secret=None):
        """
        No Keystone at all: the services ask for no token, or for a fixed one.

        :param secret: what to send as the token; text, a callable or ``None``.
        """
        return cls(u"none", secret)

    def to_wire(self):
        """
        :return: the body of ``POST /v3/auth/tokens``.  It holds the secret.
        """
        secret = reveal(self.secret)
        if self.kind == u"password":
            method = {u"user": dict(self.user or {}, password=secret)}
        elif self.kind == u"token":
            method = {u"id": secret}
        else:
            method = dict(self.application, secret=secret)
            if self.user:
                method[u"user"] = self.user
        auth = {u"identity": {u"methods": [self.kind], self.kind: method}}
        if self.project:
            auth[u"scope"] = {u"project": self.project}
        return {u"auth": auth}

    def describe(self):
        """
        :return: text that says who and for what, without any secret.
        """
        parts = ((u"application credential", self.application), (u"user", self.user),
                 (u"project", self.project))
        named = [
            u"{} '{}'".format(what, value.get(u"name") or value.get(u"id"))
            for what, value in parts
            if value
        ]
        return u", ".join(named) or u"the given token"


def _named(id, name, domain_id, domain_name):
    """A user or a project: its id, or its name with its domain."""
    if id:
        return {u"id": id}
    if not name:
        return None
    if domain_name and not domain_id:
        return {u"name": name, u"domain": {u"name": domain_name}}
    return {u"name": name, u"domain": {u"id": domain_id or _DEFAULT_DOMAIN}}


@attr.s(frozen=True, hash=False)
class Token(object):
    """
    A token and what came with it.

    :ivar text secret: the token itself; never shown.
    :ivar lifetime: seconds it lives from when it was issued, or ``None`` when
        it does not end or does not say so.
    :ivar tuple catalog: of :class:`Endpoint`.
    :ivar text user_name: whose.
    :ivar text project_name: for which project; empty for none.
    :ivar text project_id: likewise.
    """

    secret = attr.ib(repr=False)
    lifetime = attr.ib(default=None)
    catalog = attr.ib(default=(), repr=False)
    user_name = attr.ib(default=u"")
    project_name = attr.ib(default=u"")
    project_id = attr.ib(default=u"")

    @classmethod
    def from_wire(cls, secret, wire):
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
    return value if isinstance(value, dict) else {}


def _seconds(timestamp):
    """Seconds since the epoch from e.g. ``2026-11-22T16:27:04.000000Z``."""
    if not isinstance(timestamp, text_type):
        return None
    try:
        return timegm(datetime.strptime(timestamp[:19], "%Y-%m-%dT%H:%M:%S").timetuple())
    except ValueError:
        return None


def _lifetime(issued_at, expires_at):
    # Both times are of the service's clock, so that ours may be wrong.
    issued, expires = _seconds(issued_at), _seconds(expires_at)
    if issued is None or expires is None:
        return None
    return float(max(0, expires - issued))


__all__ = ["Credentials", "Token", "reveal"]
