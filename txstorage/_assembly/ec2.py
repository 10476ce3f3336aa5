# -*- test-case-name: tests._assembly.test_ec2 -*-
"""
The client of Amazon EC2, and its credentials.
"""

from __future__ import absolute_import, division, print_function

import os

from twisted.internet.defer import maybeDeferred

from .._configuration.keys import EC2
from .._http.client import HTTPClient
from .._http.connections import plain_agent
from .._support.compat import as_text, urlsplit
from .._support.json_values import Malformed
from ..clouds.ec2 import (
    STS_ADDRESS,
    AccessKeys,
    EC2Service,
    EC2Session,
    InstanceMetadata,
    KeySource,
    ServiceCodec,
    check_region,
    default_chain,
    endpoint_of,
    split_type,
    sts_endpoint,
)
from ..errors import InvalidConfiguration
from ..interfaces import MandatoryProfiles

MYPY = False
if MYPY:
    from typing import Any, Dict, Optional, Text  # noqa: F401

    from .._configuration.configuration import Configuration  # noqa: F401

#: Seconds that the metadata service may take: outside of EC2 nothing answers.
_METADATA_TIMEOUT = 5.0
_METADATA_ADDRESS = u"AWS_EC2_METADATA_SERVICE_ENDPOINT"

#: The ends of the host names of Amazon's services.
_AMAZON = (u".amazonaws.com", u".amazonaws.com.cn", u".amazonaws.eu")

#: The volume types of the profiles, as in Flocker's own aws backend.
_PROFILES = {
    MandatoryProfiles.GOLD.value: u"io1",
    MandatoryProfiles.SILVER.value: u"gp2",
    MandatoryProfiles.BRONZE.value: u"standard",
}


def _environment():
    # type: () -> Dict[Text, Text]
    return {as_text(name): as_text(value) for name, value in os.environ.items()}


def _metadata_client(reactor):
    # type: (Any) -> HTTPClient
    return HTTPClient(reactor, plain_agent(reactor), timeout=_METADATA_TIMEOUT)


def instance_metadata(reactor):
    # type: (Any) -> InstanceMetadata
    """
    Create the client of the instance's metadata service.

    :param reactor: provides ``IReactorTime`` and ``IReactorTCP``.
    """
    address = _environment().get(_METADATA_ADDRESS)
    client = _metadata_client(reactor)
    return InstanceMetadata(reactor, client, *([address] if address else []))


def profiles_of(configuration):
    # type: (Configuration) -> Optional[Dict[Text, Text]]
    """
    :param Configuration configuration: its cloud, and the profiles that it names.
    :return: a dict of profile names to volume types, or ``None``.
    """
    if configuration.auth_plugin != EC2:
        return configuration.profiles
    return dict(_PROFILES, **(configuration.profiles or {}))


def _configured_keys(configuration):
    # type: (Configuration) -> AccessKeys
    fresh = configuration.reread()
    secret, token = fresh.secret_access_key, fresh.session_token
    try:
        return AccessKeys.checked(
            fresh.access_key_id,
            None if secret is None else secret(),
            None if token is None else token(),
            origin=u"the configuration's access_key_id",
        )
    except Malformed as error:
        problem = as_text(str(error))
    # Outside the handler, so that no chained exception shows the value.
    raise InvalidConfiguration(u"secret_access_key", u"can't be used: {}".format(problem))


def key_source(reactor, configuration, http):
    # type: (Any, Configuration, HTTPClient) -> KeySource
    """
    Create the source of the access keys: the configuration, or the first of Amazon's usual sources
    that has any.

    :param reactor: provides ``IReactorTime`` and ``IReactorTCP``.
    :param Configuration configuration: the access key, or the profile.
    :param http: an :class:`~txstorage._http.client.HTTPClient`.
    """
    if configuration.access_key_id is not None:
        return KeySource(reactor, lambda: maybeDeferred(_configured_keys, configuration))
    chain = default_chain(
        reactor,
        http,
        _metadata_client(reactor),
        _environment(),
        configuration.region or u"",
        configuration.aws_profile,
    )
    return KeySource(reactor, chain.keys)


def ec2_service(reactor, configuration, http):
    # type: (Any, Configuration, HTTPClient) -> EC2Service
    """
    Create the client of EC2.

    :param reactor: provides ``IReactorTime`` and ``IReactorTCP``.
    :param Configuration configuration: the region, the zone and the credentials.
    :param http: an :class:`~txstorage._http.client.HTTPClient`.
    :raises InvalidConfiguration: there is no such region, a profile's volume type can't be read, or
        botocore is not installed.
    """
    region = configuration.region or u""
    endpoint = configuration.ec2_endpoint
    if endpoint is None:
        if configuration.validate_region:
            check_region(u"ec2", region)
        endpoint = endpoint_of(u"ec2", region)
    if configuration.access_key_id is not None:
        # A malformed key is reported now, not at the first request.
        _configured_keys(configuration)
    for volume_type in (configuration.profiles or {}).values():
        split_type(volume_type)
    session = EC2Session(
        reactor,
        http,
        key_source(reactor, configuration, http),
        ServiceCodec.load("ec2"),
        region,
        endpoint,
    )
    zone = configuration.availability_zone or u""
    return EC2Service(reactor, session, zone, kms_key_id=configuration.kms_key_id)


def sts_session(configuration, session):
    # type: (Configuration, EC2Session) -> EC2Session
    """
    Create a session with the Security Token Service, with the keys of one with EC2.  It is at EC2's
    address unless Amazon's EC2 is, which has no other service there.

    :param Configuration configuration: the region, or the address of EC2.
    :param EC2Session session: the session with EC2.
    :raises InvalidConfiguration: there is no such region.
    """
    environ = _environment()
    of_ec2 = configuration.ec2_endpoint or u""
    host = urlsplit(of_ec2).hostname
    if host and not host.endswith(_AMAZON):
        environ.setdefault(STS_ADDRESS, of_ec2)
    endpoint = sts_endpoint(configuration.region or u"", environ)
    return session.of_service(ServiceCodec.load("sts"), endpoint)


__all__ = ["ec2_service", "instance_metadata", "key_source", "profiles_of", "sts_session"]
