# -*- test-case-name: tests.clouds.openstack.test_credentials -*-
"""
Who asks, and for what: the credentials that are exchanged for a token.

What goes over the wire is described in "Authentication and token management"
of the Identity API's reference, version 3.
"""

from __future__ import absolute_import, division, print_function

import attr

from ..._log import CREDENTIALS_KEPT
from ..._support.compat import as_text
from ...errors import InvalidConfiguration

_DEFAULT_DOMAIN = u"default"


def reveal(secret):
    """
    :param secret: text, or a callable that returns it, so that a secret in a
        file is read again each time.
    :return: text.
    """
    return as_text(secret() if callable(secret) else secret)


def named(id, name, domain_id=None, domain_name=None):
    """
    :return: a user or a project on the wire: its id, or its name with its
        domain, which is Keystone's ``default`` by default; ``None`` for neither.
    """
    if id:
        return {u"id": id}
    if not name:
        return None
    if domain_name and not domain_id:
        return {u"name": name, u"domain": {u"name": domain_name}}
    return {u"name": name, u"domain": {u"id": domain_id or _DEFAULT_DOMAIN}}


def scope_of(
    project_id=None,
    project_name=None,
    project_domain_id=None,
    project_domain_name=None,
    trust_id=None,
    system_scope=None,
):
    """
    What a token is to be for: a trust, the whole system or a project.

    :param system_scope: text; ``u"all"`` is the only one that there is.
    :return: the ``scope`` of a request for a token, or ``None`` for the user's
        default project.
    """
    if trust_id:
        return {u"OS-TRUST:trust": {u"id": trust_id}}
    if system_scope:
        return {u"system": {system_scope: True}}
    project = named(project_id, project_name, project_domain_id, project_domain_name)
    return None if project is None else {u"project": project}


@attr.s(frozen=True, hash=False)
class Credentials(object):
    """
    Who asks, and for what.  Make one with :meth:`password`,
    :meth:`application_credential`, :meth:`token` or :meth:`none`.

    :ivar text kind: ``password``, ``application_credential``, ``token`` or
        ``none``.
    :ivar secret: text or a callable for it; never shown.
    :ivar user: on the wire, or ``None``.
    :ivar scope: on the wire, see :func:`scope_of`, or ``None``.
    :ivar application: an application credential's id or name on the wire.
    """

    kind = attr.ib()
    secret = attr.ib(default=None, repr=False)
    user = attr.ib(default=None)
    scope = attr.ib(default=None)
    application = attr.ib(default=None)

    @classmethod
    def password(
        cls,
        secret,
        username=None,
        user_id=None,
        user_domain_id=None,
        user_domain_name=None,
        **scope
    ):
        """
        A user's password.  Domains are Keystone's ``default`` by default.

        :param secret: the password; text or a callable.
        :param scope: as for :func:`scope_of`.
        """
        user = named(user_id, username, user_domain_id, user_domain_name)
        return cls(u"password", secret, user, scope_of(**scope))

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
        user = None if id else named(user_id, username, user_domain_id, user_domain_name)
        return cls(
            u"application_credential",
            secret,
            user,
            application={u"id": id} if id else {u"name": name},
        )

    @classmethod
    def token(cls, secret, **scope):
        """
        A token that somebody else got.

        :param secret: the token; text or a callable.
        :param scope: as for :func:`scope_of`.
        """
        return cls(u"token", secret, scope=scope_of(**scope))

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
        if self.scope:
            auth[u"scope"] = self.scope
        return {u"auth": auth}

    def describe(self):
        """
        :return: text that says who and for what, without any secret.
        """
        scope = self.scope or {}
        parts = (
            (u"application credential", self.application),
            (u"user", self.user),
            (u"project", scope.get(u"project")),
            (u"trust", scope.get(u"OS-TRUST:trust")),
        )
        texts = [
            u"{} '{}'".format(what, value.get(u"name") or value.get(u"id"))
            for what, value in parts
            if value
        ]
        texts += [u"system-wide"] if u"system" in scope else []
        return u", ".join(texts) or u"the given token"


class CredentialSource(object):
    """
    Credentials that are looked up again for each authentication, as the files
    they are in may have changed.

    A file that can't be used, because it is just being written for example,
    changes nothing: what was there before is used further, and the log says so.

    :param load: called without arguments for :class:`Credentials` whose
        secret is text; raises ``InvalidConfiguration``.
    :ivar Credentials worked: those that the cloud accepted last, or ``None``.
    """

    def __init__(self, load):
        self._load = load
        self._current = load()
        self.worked = None

    @classmethod
    def fixed(cls, credentials):
        """
        :param Credentials credentials: never others than these.
        """
        return cls(lambda: credentials)

    @property
    def kind(self):
        """How to authenticate, which never changes (text)."""
        return self._current.kind

    def current(self):
        """
        :return: the :class:`Credentials` as they are now.
        """
        try:
            self._current = self._load()
        except InvalidConfiguration as error:
            CREDENTIALS_KEPT(reason=error.message).write()
        return self._current


__all__ = ["CredentialSource", "Credentials", "named", "reveal", "scope_of"]
