# -*- test-case-name: tests._configuration.test_cloud_keys -*-
"""
A mapping from the keys of a cloud in ``clouds.yaml`` to txstorage's keys.

A key that changes how the cloud is reached, and that txstorage does not support, is an error.
Other unknown keys are ignored and reported in the log.
"""

from __future__ import absolute_import, division, print_function

import os

from .._support.compat import as_text
from ..errors import InvalidConfiguration
from .keys import EC2, PLUGINS

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Optional, Text, Tuple  # noqa: F401

    from openstack.config.cloud_region import CloudRegion  # noqa: F401

#: Keys below ``auth``.  Older files have them beside it.
AUTH = frozenset(
    u"""
    application_credential_id application_credential_name application_credential_secret
    auth_url default_domain_id default_domain_name domain_id domain_name password
    project_domain_id project_domain_name project_id project_name system_scope
    tenant_id tenant_name token trust_id user_domain_id user_domain_name user_id username
    """.split()
)
#: txstorage's names for the keys beside ``auth``, and the names in the file.
BESIDE_AUTH = {
    u"region": u"region_name",
    u"auth_plugin": u"auth_type",
    u"interface": u"interface",
    u"verify_peer": u"verify",
    u"verify_ca_path": u"cacert",
    u"client_certificate": u"cert",
    u"client_key": u"key",
    u"volume_endpoint": u"block_storage_endpoint_override",
    u"compute_endpoint": u"compute_endpoint_override",
}
_OTHERS_WITH_EFFECT = u"auth auth_plugin auth_token cloud endpoint_type insecure profile regions"
_SECRETS = (u"password", u"application_credential_secret", u"token", u"auth_token")

#: The services that the driver uses, by openstacksdk's names, and the version of each API.
_VERSIONS = ((u"block-storage", u"3"), (u"compute", u"2"), (u"identity", u"3"))
_PREFIXES = (
    u"block_storage_", u"block_store_", u"volume_", u"volumev3_", u"compute_", u"identity_",
)
_ENDINGS = (u"_version", u"_endpoint", u"_override", u"_type", u"_interface", u"_name")


def origin_of(name):
    # type: (Text) -> Text
    """
    :return: the name in ``clouds.yaml`` of one of txstorage's keys, text.
    """
    return BESIDE_AUTH.get(name, u"auth." + name if name in AUTH else name)


def contains_secret(cloud):
    # type: (Dict[Text, Any]) -> bool
    """
    :param dict cloud: a cloud as in one file.
    """
    places = (cloud, cloud.get(u"auth", {}))
    return any(place.get(name) for place in places for name in _SECRETS)


def without_effect(cloud):
    # type: (Dict[Text, Any]) -> Tuple[Text, ...]
    """
    :param dict cloud: a cloud as in the files.
    :return: the sorted names of the keys that txstorage ignores.
    """
    ignored = set(cloud) - AUTH - set(BESIDE_AUTH.values()) - set(_OTHERS_WITH_EFFECT.split())
    return tuple(
        sorted(
            name
            for name in ignored
            if not (name.startswith(_PREFIXES) and name.endswith(_ENDINGS))
        )
    )


def _unsupported(problem):
    # type: (Text) -> InvalidConfiguration
    return InvalidConfiguration(u"cloud", problem)


def _same_for_all(name, setting):
    # type: (Text, Callable[[str], Any]) -> Any
    """Return a setting that the driver has once for all services."""
    values = [setting(service) for service, _ in _VERSIONS]
    if any(value != values[0] for value in values):
        raise _unsupported(
            u"{} differs between services; txstorage uses the same for all".format(name)
        )
    return values[0]


def _check_services(region, auth_url):
    # type: (CloudRegion, Optional[Text]) -> None
    for service, supported in _VERSIONS:
        version = region.get_api_version(service)
        if version is not None and version.split(u".")[0] != supported:
            raise _unsupported(
                u"API version {} of {} is not supported; txstorage uses {}".format(
                    version, service, supported
                )
            )
        if region.get_service_type(service) != service or region.get_service_name(service):
            raise _unsupported(
                u"a service_type or service_name of {} is not supported".format(service)
            )
    if region.get_endpoint(u"identity") not in (None, auth_url):
        raise _unsupported(u"an endpoint of identity is not supported; change auth_url")


def _auth(config):
    # type: (Dict[str, Any]) -> Dict[Text, Any]
    """Return the keys below ``auth``, and those of older files, by txstorage's names."""
    known = sorted(set(PLUGINS) - {EC2})
    if config.get(u"auth_type") is not None and as_text(config[u"auth_type"]) not in known:
        raise _unsupported(
            u"auth_type {} is not supported; use one of: {}".format(
                as_text(config[u"auth_type"]), u", ".join(known)
            )
        )
    beside = {name: config[name] for name in AUTH if name in config}
    auth = dict(beside, **config[u"auth"])
    unknown = sorted(set(auth) - AUTH)
    if unknown:
        raise _unsupported(u"auth.{} is not supported".format(unknown[0]))
    return {name.replace(u"tenant_", u"project_"): value for name, value in auth.items()}


def values_of(region):
    # type: (CloudRegion) -> Dict[Text, Any]
    """
    :param region: openstacksdk's description of a region of a cloud.
    :return: unchecked values by txstorage's key names.
    :raises InvalidConfiguration: when a key is not supported.
    """
    config = region.config
    values = _auth(config)
    _check_services(region, values.get(u"auth_url"))
    values.update((ours, config.get(name)) for ours, name in BESIDE_AUTH.items())
    for name in (u"verify_ca_path", u"client_certificate", u"client_key"):
        if isinstance(values[name], str):
            values[name] = os.path.expanduser(values[name])
    if config.get(u"insecure"):
        values[u"verify_peer"] = False
    values.update(
        region=_same_for_all(u"region_name", region.get_region_name),
        interface=_same_for_all(u"interface", region.get_interface),
        volume_endpoint=region.get_endpoint(u"block-storage"),
        compute_endpoint=region.get_endpoint(u"compute"),
    )
    # openstacksdk returns empty text for a region that is not given.
    return {name: value for name, value in values.items() if value not in (None, u"")}


__all__ = [
    "AUTH",
    "BESIDE_AUTH",
    "contains_secret",
    "origin_of",
    "values_of",
    "without_effect",
]
