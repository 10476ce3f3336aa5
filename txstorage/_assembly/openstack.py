# -*- test-case-name: tests._assembly.test_assembly -*-
"""
The client of an OpenStack, and its credentials.
"""

from __future__ import absolute_import, division, print_function

from .._devices.connector import HostConnector
from .._node.machine_id import HostIdentity
from .._support.compat import as_text, urlsplit
from ..clouds.openstack import (
    Credentials,
    CredentialSource,
    OpenStackService,
    Session,
    StandaloneService,
)
from ..errors import InvalidConfiguration

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Iterable, Text, Union  # noqa: F401

    from .._configuration.configuration import Configuration  # noqa: F401
    from .._http.client import HTTPClient  # noqa: F401

_USER = ("username", "user_id", "user_domain_id", "user_domain_name")
_SCOPE = (
    "project_id",
    "project_name",
    "project_domain_id",
    "project_domain_name",
    "trust_id",
    "system_scope",
)

# Entries per page of a list.  A cloud may have configured more, and the bounds of an answer may not
# suffice then: a volume takes up to about 4 KB.
_PAGE_SIZE = 500

# A change of these keys selects another cloud, which requires more than new credentials.
_FIXED = ("auth_url", "auth_plugin")


def _picked(configuration, names):
    # type: (Configuration, Iterable[str]) -> Dict[str, Any]
    return {name: getattr(configuration, name) for name in names}


def _by_password(configuration):
    # type: (Configuration) -> Credentials
    return Credentials.password(
        configuration.password(),  # type: ignore[misc]  # the plugin requires it
        **_picked(configuration, _USER + _SCOPE)
    )


def _by_application_credential(configuration):
    # type: (Configuration) -> Credentials
    return Credentials.application_credential(
        configuration.application_credential_secret(),  # type: ignore[misc]
        id=configuration.application_credential_id,
        name=configuration.application_credential_name,
        **_picked(configuration, _USER)
    )


def _by_token(configuration):
    # type: (Configuration) -> Credentials
    secret = configuration.token()  # type: ignore[misc]
    return Credentials.token(secret, **_picked(configuration, _SCOPE))


def _by_nothing(configuration):
    # type: (Configuration) -> Credentials
    return Credentials.none(None if configuration.token is None else configuration.token())


_CREDENTIALS = {
    u"password": _by_password,
    u"v3applicationcredential": _by_application_credential,
    u"token": _by_token,
    u"none": _by_nothing,
}  # type: Dict[Text, Callable[[Configuration], Credentials]]


def credential_source(configuration):
    # type: (Configuration) -> CredentialSource
    """
    Create the source of the credentials, which follows changes of the files that hold them.

    :param Configuration configuration: the user and the secret.
    :return: a :class:`~txstorage.clouds.openstack.CredentialSource`, which reads the files of the
        configuration again.
    :raises InvalidConfiguration: names the invalid key.
    """

    def load():
        # type: () -> Credentials
        fresh = configuration.reread()
        for name in _FIXED:
            if getattr(fresh, name) != getattr(configuration, name):
                raise InvalidConfiguration(
                    as_text(name), u"has changed; restart to apply it"
                )
        return _CREDENTIALS[fresh.auth_plugin](fresh)

    return CredentialSource(load)


def openstack_service(reactor, configuration, http):
    # type: (Any, Configuration, HTTPClient) -> Union[OpenStackService, StandaloneService]
    """
    Create the client of an OpenStack.

    :param reactor: provides ``IReactorTime`` and ``IReactorTCP``.
    :param Configuration configuration: the cloud and the credentials.
    :param http: an :class:`~txstorage._http.client.HTTPClient`.
    :return: an :class:`~txstorage.clouds.IVolumeService`.
    """
    endpoints = {
        u"block-storage": configuration.volume_endpoint,
        u"compute": configuration.compute_endpoint,
    }
    session = Session(
        reactor,
        http,
        configuration.auth_url,
        credential_source(configuration),
        region=configuration.region,
        interface=configuration.interface,
        endpoints={service: url for service, url in endpoints.items() if url is not None},
        allow_insecure=configuration.allow_insecure_endpoints,
    )
    zone = configuration.availability_zone
    if configuration.attach_through == u"compute":
        return OpenStackService(session, availability_zone=zone, page_size=_PAGE_SIZE)
    address = urlsplit(configuration.volume_endpoint or configuration.auth_url)  # type: Any
    return StandaloneService(
        session,
        HostIdentity(configuration.instance_id),
        HostConnector(reactor, (address.hostname, address.port or 0)),
        availability_zone=zone,
        page_size=_PAGE_SIZE,
    )


__all__ = ["credential_source", "openstack_service"]
