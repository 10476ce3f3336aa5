# -*- test-case-name: tests.clouds.openstack.test_credentials -*-
"""
Credentials: the user, the secret and the scope that are exchanged for a token.

The wire format is described in "Authentication and token management" of the Identity API's
reference, version 3.
"""

from __future__ import absolute_import, division, print_function

import attr

from ..._log import CREDENTIALS_KEPT
from ..._support.compat import as_text
from ..._support.json_values import same_id
from ...errors import InvalidConfiguration

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Optional, Text, Union  # noqa: F401

    Secret = Union[Text, Callable[[], Text]]

_DEFAULT_DOMAIN = u"default"


def reveal(secret):
    # type: (Secret) -> Text
    """
    :param secret: text, or a callable that returns it, so that a secret in a file is read again
        each time.
    :return: text.
    """
    return as_text(secret() if callable(secret) else secret)


def named(id, name, domain_id=None, domain_name=None):
    # type: (Optional[Text], Optional[Text], Optional[Text], Optional[Text]) -> Optional[Dict[Text, Any]]
    """
    :return: a user or a project on the wire: its id, or its name with its domain, by default
        Keystone's ``default``; ``None`` for neither.
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
    # type: (Optional[Text], Optional[Text], Optional[Text], Optional[Text], Optional[Text], Optional[Text]) -> Optional[Dict[Text, Any]]
    """
    Return the scope of a token: a trust, the whole system or a project.

    :param system_scope: text; ``u"all"`` is the only one.
    :return: the ``scope`` of a request for a token, or ``None`` for the user's default project.
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
    A user, a secret and a scope.  Make one with :meth:`password`, :meth:`application_credential`,
    :meth:`token` or :meth:`none`.

    :ivar text kind: ``password``, ``application_credential``, ``token`` or ``none``.
    :ivar secret: text or a callable for it; never shown.
    :ivar user: on the wire, or ``None``.
    :ivar scope: on the wire, see :func:`scope_of`, or ``None``.
    :ivar application: an application credential's id or name on the wire.
    """

    kind = attr.ib()  # type: Text
    secret = attr.ib(default=None, repr=False)  # type: Any
    user = attr.ib(default=None)  # type: Optional[Dict[Text, Any]]
    scope = attr.ib(default=None)  # type: Optional[Dict[Text, Any]]
    application = attr.ib(default=None)  # type: Optional[Dict[Text, Any]]

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
        # type: (Secret, Optional[Text], Optional[Text], Optional[Text], Optional[Text], **Any) -> Credentials
        """
        Make credentials with a user's password.  Domains are Keystone's ``default`` by default.

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
        # type: (Secret, Optional[Text], Optional[Text], Optional[Text], Optional[Text], Optional[Text], Optional[Text]) -> Credentials
        """
        Make credentials with an application credential, which belongs to one project.

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
        # type: (Secret, **Any) -> Credentials
        """
        Make credentials with a token that another program obtained.

        :param secret: the token; text or a callable.
        :param scope: as for :func:`scope_of`.
        """
        return cls(u"token", secret, scope=scope_of(**scope))

    @classmethod
    def none(cls, secret=None):
        # type: (Optional[Secret]) -> Credentials
        """
        Make credentials without Keystone: the services require no token, or a fixed one.

        :param secret: the fixed token; text, a callable or ``None``.
        """
        return cls(u"none", secret)

    def to_wire(self):
        # type: () -> Dict[Text, Any]
        """
        :return: the body of ``POST /v3/auth/tokens``.  It holds the secret.
        """
        secret = reveal(self.secret)
        if self.kind == u"password":
            method = {u"user": dict(self.user or {}, password=secret)}  # type: Dict[Text, Any]
        elif self.kind == u"token":
            method = {u"id": secret}
        else:
            method = dict(self.application or {}, secret=secret)
            if self.user:
                method[u"user"] = self.user
        auth = {u"identity": {u"methods": [self.kind], self.kind: method}}
        if self.scope:
            auth[u"scope"] = self.scope
        return {u"auth": auth}

    def allow(self, user_id, project_id):
        # type: (Text, Text) -> bool
        """
        Check whether a token can be the answer to these credentials.  Only ids are compared, since
        the comparison of names has rules of its own in Keystone.

        :param text user_id: the token's; empty when it is unknown.
        :param text project_id: the token's; empty when it is unknown.
        """
        wanted = (self.user or {}).get(u"id"), (self.scope or {}).get(u"project", {}).get(u"id")
        return all(
            same_id(as_text(expected), found)
            for expected, found in zip(wanted, (user_id, project_id))
            if expected and found
        )

    def describe(self):
        # type: () -> Text
        """:return: text that names the user and the scope, without any secret."""
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
    Credentials that are loaded again for each authentication, as their files may have changed.

    A file that can't be used, for example because it is being written, changes nothing: the last
    valid credentials stay in use, and the log reports it.

    :param load: called without arguments for :class:`Credentials` whose secret is text; raises
        ``InvalidConfiguration``.
    :ivar Credentials worked: those that the cloud accepted last, or ``None``.
    """

    def __init__(self, load):
        # type: (Callable[[], Credentials]) -> None
        self._load = load
        self._current = load()
        self.worked = None  # type: Optional[Credentials]

    @classmethod
    def fixed(cls, credentials):
        # type: (Credentials) -> CredentialSource
        """:param Credentials credentials: the only credentials."""
        return cls(lambda: credentials)

    @property
    def kind(self):
        # type: () -> Text
        """The kind of the credentials, which never changes (text)."""
        return self._current.kind

    def current(self):
        # type: () -> Credentials
        """:return: the present :class:`Credentials`."""
        try:
            self._current = self._load()
        except InvalidConfiguration as error:
            CREDENTIALS_KEPT(reason=error.message).write()
        return self._current


__all__ = ["CredentialSource", "Credentials", "named", "reveal", "scope_of"]
