# -*- test-case-name: tests._assembly.test_assembly -*-
"""
The HTTP client of a configuration.
"""

from __future__ import absolute_import, division, print_function

from .._http.client import HTTPClient
from .._http.client_certificates import ClientCertificate
from .._http.connections import agent_for, no_proxy
from .._log import PEER_NOT_VERIFIED
from .._support.monotonic import use_monotonic_time
from .._support.token_bucket import TokenBucket

MYPY = False
if MYPY:
    from typing import Any, Optional  # noqa: F401

    from twisted.web.iweb import IAgent  # noqa: F401

    from .._configuration.configuration import Configuration  # noqa: F401
    from .._http.connections import ProxyFor  # noqa: F401


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
            PEER_NOT_VERIFIED(url=configuration.address).write()
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


__all__ = ["http_client"]
