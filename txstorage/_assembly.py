# -*- test-case-name: tests._assembly.test_assembly -*-
"""
The assembly of a driver from a configuration, without network traffic.
"""

from __future__ import absolute_import, division, print_function

from twisted.python.filepath import FilePath

from ._configuration.configuration import Configuration
from ._devices.connected import ConnectedDevices
from ._devices.connector import HostConnector
from ._devices.finder import DeviceFinder
from ._http.client import HTTPClient
from ._http.client_certificates import ClientCertificate
from ._http.connections import agent_for, no_proxy
from ._log import PEER_NOT_VERIFIED
from ._node.instance_id import NodeIdentity
from ._node.machine_id import HostIdentity
from ._support.compat import as_text, urlsplit
from ._support.monotonic import use_monotonic_time
from ._support.token_bucket import TokenBucket
from .clouds.openstack import (
    Credentials,
    CredentialSource,
    OpenStackService,
    Session,
    StandaloneService,
)
from .driver.operations import BlockDeviceDriver
from .driver.polling import Intervals
from .errors import InvalidConfiguration

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Iterable, Optional, Text, Union  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.web.iweb import IAgent  # noqa: F401

    from ._http.connections import ProxyFor  # noqa: F401
    from .clouds.interface import IVolumeService  # noqa: F401

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


def _client_certificate(configuration):
    # type: (Configuration) -> Optional[ClientCertificate]
    if configuration.client_certificate is None:
        return None
    return ClientCertificate(configuration.client_certificate, configuration.client_key)


def http_client(reactor, configuration, agent=None):
    # type: (Any, Configuration, Optional[IAgent]) -> HTTPClient
    """
    Create the HTTP client.

    :param reactor: provides ``IReactorTime`` and ``IReactorTCP``; its time becomes monotonic.
    :param Configuration configuration: the trusted authorities and the maximum request rate.
    :param agent: an ``IAgent`` to use instead of one that verifies certificates.
    :return: an :class:`~txstorage._http.client.HTTPClient`.
    :raises InvalidConfiguration: a certificate file is invalid.
    """
    use_monotonic_time(reactor)
    proxy_for = no_proxy  # type: ProxyFor
    if agent is None:
        proxy_for = configuration.proxies.for_url
        if not configuration.verify_peer:
            PEER_NOT_VERIFIED(url=configuration.auth_url or configuration.volume_endpoint).write()
        agent = agent_for(
            reactor,
            configuration.verify_peer,
            configuration.verify_ca_path,
            client=_client_certificate(configuration),
            proxy_for=proxy_for,
        )
    rate = configuration.max_requests_per_second
    return HTTPClient(
        reactor,
        agent,
        limiter=None if rate is None else TokenBucket(reactor, rate),
        proxy_for=proxy_for,
    )


def volume_service(reactor, configuration, agent=None):
    # type: (Any, Configuration, Optional[IAgent]) -> Union[OpenStackService, StandaloneService]
    """
    Create the client of the cloud.

    :param reactor: provides ``IReactorTime`` and ``IReactorTCP``.
    :param Configuration configuration: the cloud and the credentials.
    :param agent: an ``IAgent`` to use instead of one that verifies certificates.
    :return: an :class:`~txstorage.clouds.IVolumeService`.
    :raises InvalidConfiguration: a certificate file is invalid.
    """
    http = http_client(reactor, configuration, agent)
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


def driver_for(reactor, configuration, service, marking=True):
    # type: (Any, Configuration, IVolumeService, bool) -> BlockDeviceDriver
    """
    Create a driver on an existing client of the cloud.

    :param reactor: provides ``IReactorTime`` and ``IReactorFDSet``.
    :param Configuration configuration: the cluster and the node.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param bool marking: whether lists label the second volumes of datasets.
    :return: a :class:`~txstorage.driver.operations.BlockDeviceDriver`.
    :raises InvalidConfiguration: the configuration has no ``cluster_id``.
    """
    if configuration.cluster_id is None:
        raise InvalidConfiguration(
            u"cluster_id", u"is missing", u"set it to the UUID that all nodes of the cluster share"
        )
    use_monotonic_time(reactor)
    directory = configuration.device_directory
    finder = DeviceFinder(reactor, directory=None if directory is None else FilePath(directory))
    if configuration.attach_through == u"compute":
        devices = finder  # type: Any
        node = NodeIdentity(reactor, service, configured=configuration.instance_id)  # type: Any
    else:
        standalone = service  # type: Any
        devices = ConnectedDevices(standalone, finder)
        node = standalone.node
    return BlockDeviceDriver(
        reactor,
        service,
        configuration.cluster_id,
        devices,
        node,
        profiles=configuration.profiles,
        timeout=configuration.timeout,
        marking=marking,
        intervals=Intervals(longest=configuration.poll_interval),
        copy_timeout=configuration.copy_timeout,
    )


def block_device_driver(reactor, cluster_id, agent=None, **configuration):
    # type: (Any, UUID, Optional[IAgent], **Any) -> BlockDeviceDriver
    """
    Create an asynchronous driver.

    :param reactor: provides ``IReactorTime``, ``IReactorTCP`` and ``IReactorFDSet``. A Twisted
        reactor's ``seconds`` becomes monotonic, so that steps of the wall clock end no wait early
        or late.
    :param UUID cluster_id: the cluster; the driver ignores the volumes of other clusters.
    :param agent: an ``IAgent`` to use instead of one that verifies certificates.
    :param configuration: keys and values as in the ``dataset`` section of ``agent.yml``;
        ``docs/configuration.rst`` documents all of them.
    :return: a :class:`~txstorage.driver.operations.BlockDeviceDriver`, whose operations return
        Deferreds.
    :raises InvalidConfiguration: names the invalid key.
    """
    checked = Configuration.from_mapping(dict(configuration, cluster_id=cluster_id))
    return driver_for(reactor, checked, volume_service(reactor, checked, agent))


__all__ = [
    "block_device_driver",
    "driver_for",
    "http_client",
    "volume_service",
]
