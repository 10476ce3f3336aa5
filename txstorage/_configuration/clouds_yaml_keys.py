# -*- test-case-name: tests._configuration.test_clouds_yaml -*-
"""
From the keys of a cloud in ``clouds.yaml`` to ours: one table, and what is
not in it.

A key that changes how the cloud is reached, and that can't be honoured, is an
error.  One that has no meaning for volumes is told in the log.
"""

from __future__ import absolute_import, division, print_function

import os

from .._support.compat import as_text, text_type
from .keys import PLUGINS

#: What may be in a cloud's ``auth``, or beside it: our name and theirs; of
#: several names, those after the first are older.
AUTH = tuple(
    (name, (name,))
    for name in (
        u"auth_url",
        u"username",
        u"user_id",
        u"user_domain_id",
        u"user_domain_name",
        u"password",
        u"project_domain_id",
        u"project_domain_name",
        u"default_domain_id",
        u"default_domain_name",
        u"domain_id",
        u"domain_name",
        u"trust_id",
        u"system_scope",
        u"application_credential_id",
        u"application_credential_name",
        u"application_credential_secret",
    )
) + (
    (u"project_id", (u"project_id", u"tenant_id")),
    (u"project_name", (u"project_name", u"tenant_name")),
    (u"token", (u"token", u"auth_token")),
)

#: What is beside ``auth``, likewise.
BESIDE = (
    (u"region", (u"region_name",)),
    (u"auth_plugin", (u"auth_type", u"auth_plugin")),
    (u"interface", (u"interface", u"endpoint_type")),
    (u"verify_peer", (u"verify",)),
    (u"verify_ca_path", (u"cacert",)),
    (u"client_certificate", (u"cert",)),
    (u"client_key", (u"key",)),
    (
        u"volume_endpoint",
        (
            u"block_storage_endpoint_override",
            u"block_store_endpoint_override",
            u"volumev3_endpoint_override",
            u"volume_endpoint_override",
        ),
    ),
    (u"compute_endpoint", (u"compute_endpoint_override",)),
)

_SECRETS = (u"password", u"application_credential_secret", u"token", u"auth_token")
_PATHS = (u"verify_ca_path", u"client_certificate", u"client_key")

#: Versions of the APIs that the driver speaks.
VERSIONS = (
    (u"identity_api_version", u"3"),
    (u"block_storage_api_version", u"3"),
    (u"block_store_api_version", u"3"),
    (u"volume_api_version", u"3"),
    (u"volumev3_api_version", u"3"),
    (u"compute_api_version", u"2"),
)

# Of these services what changes where requests go is never ignored.
_SERVICES = (u"block_storage", u"block_store", u"volume", u"volumev3", u"compute", u"identity")
_SAME_FOR_ALL = ((u"_interface", u"interface"), (u"_endpoint_type", u"interface"),
                 (u"_region_name", u"region"))
_NOT_SUPPORTED = (u"_service_type", u"_service_name", u"_endpoint_override")

# What says where the rest comes from, and is dealt with before.
_STRUCTURE = (u"auth", u"regions", u"profile", u"cloud", u"insecure")

_PASSWORD = ("password", "password_file")
_APPLICATION = ("application_credential_id", "application_credential_name")
_APPLICATION_SECRET = ("application_credential_secret", "application_credential_secret_file")
_TOKEN = ("token", "token_file")
_EITHER = (
    ("username", "user_id"),
    ("user_domain_id", "user_domain_name"),
    ("project_name", "project_id", "trust_id", "system_scope"),
    ("project_domain_id", "project_domain_name"),
    ("default_domain_id", "default_domain_name"),
    ("client_certificate", "client_key"),
)
_OTHER_WAYS = (
    (_PASSWORD + _TOKEN, _PASSWORD + _TOKEN + _APPLICATION + _APPLICATION_SECRET),
    (_APPLICATION, _PASSWORD + _TOKEN + _APPLICATION),
    (_APPLICATION_SECRET, _PASSWORD + _TOKEN + _APPLICATION_SECRET),
)

#: What a key that is given replaces of a cloud's, besides itself: other ways to
#: say the same, which must not be mixed with it.
REPLACES = dict(
    [(name, names) for names in _EITHER for name in names]
    + [
        (name, replaced + ("auth_plugin",))
        for names, replaced in _OTHER_WAYS
        for name in names
    ]
)


class CloudProblem(Exception):
    """
    A cloud's key can't be honoured.

    :param text problem: which one, and why.
    """

    def __init__(self, problem):
        Exception.__init__(self, problem)
        self.problem = problem


def without_replaced(values, given):
    """
    :param dict values: a cloud's, by our names.
    :param given: the names of the keys that are given besides.
    :return: those of the cloud's that still count.
    """
    replaced = set(given)
    for name in given:
        replaced.update(REPLACES.get(name, ()))
    return {name: value for name, value in values.items() if name not in replaced}


def _translated(table, config):
    """Pairs of our name and value, and of our name and theirs."""
    values, origins = {}, {}
    for ours, names in table:
        # openstacksdk has empty text for a region that is not given.
        found = [(name, config[name]) for name in names if config.get(name) not in (None, u"")]
        if any(value != found[0][1] for _, value in found):
            raise CloudProblem(
                u"{} say different things".format(u" and ".join(name for name, _ in found))
            )
        if found:
            origins[ours], values[ours] = found[0]
    return values, origins


def _check_versions(config):
    for name, wanted in VERSIONS:
        version = config.get(name)
        if version is not None and as_text(version).lstrip(u"v").split(u".")[0] != wanted:
            raise CloudProblem(
                u"{} is {}, and the driver speaks {}".format(name, as_text(version), wanted)
            )


def _check_services(config, values):
    for service in _SERVICES:
        for ending, ours in _SAME_FOR_ALL:
            value = config.get(service + ending)
            if value is not None and value != values.get(ours):
                raise CloudProblem(
                    u"{}{} can't be honoured: it would have to be the same for all "
                    u"services".format(service, ending)
                )
        for ending in _NOT_SUPPORTED:
            name = service + ending
            if config.get(name) is not None and name not in _KNOWN:
                raise CloudProblem(u"{} can't be honoured".format(name))


def _check_type(auth_type):
    if auth_type is not None and as_text(auth_type) not in PLUGINS:
        raise CloudProblem(
            u"auth_type {} is not supported; these are: {}".format(
                as_text(auth_type), u", ".join(sorted(PLUGINS))
            )
        )


def _credentials(config):
    """What ``auth`` says, and what older files have beside it."""
    auth = config.get(u"auth") or {}
    if not isinstance(auth, dict):
        raise CloudProblem(u"auth is no mapping")
    strange = sorted(set(auth) - _AUTH_NAMES)
    if strange:
        raise CloudProblem(u"auth.{} can't be honoured".format(strange[0]))
    auth = {name: value for name, value in auth.items() if value is not None}
    for name in _AUTH_NAMES:
        value = config.get(name)
        if value is not None and auth.setdefault(name, value) != value:
            raise CloudProblem(u"{} and auth.{} say different things".format(name, name))
    return auth


def _text_paths(values):
    for name in _PATHS:
        if isinstance(values.get(name), (text_type, bytes)):
            values[name] = as_text(os.path.expanduser(values[name]))
    return values


def _split_domain(values):
    """Older files name the one domain of both user and project."""
    if not (values.get(u"project_id") or values.get(u"project_name")):
        return values
    for kind in (u"id", u"name"):
        domain = values.pop(u"domain_" + kind, None)
        for which in (u"user_domain_", u"project_domain_"):
            if domain is not None and not {which + u"id", which + u"name"} & set(values):
                values[which + kind] = domain
    return values


def our_keys(config):
    """
    :param dict config: one cloud, with text for keys, and with underscores.
    :return: ``(values, origins)``: values by our names, unchecked, and what
        the cloud calls each of them.
    :raises CloudProblem: when a key can't be honoured.
    """
    values, origins = _translated(BESIDE, config)
    _check_type(values.get(u"auth_plugin"))
    auth, names = _translated(AUTH, _credentials(config))
    if u"{" in as_text(auth.get(u"auth_url") or u""):
        raise CloudProblem(u"auth.auth_url has a placeholder; write the address out")
    values.update(_split_domain(auth))
    origins.update((ours, u"auth." + name) for ours, name in names.items())
    if as_text(config.get(u"insecure")).lower() == u"true":
        values[u"verify_peer"], origins[u"verify_peer"] = False, u"insecure"
    _check_versions(config)
    _check_services(config, values)
    return _text_paths(values), origins


_AUTH_NAMES = frozenset(name for _, names in AUTH for name in names)
_KNOWN = frozenset(
    [name for _, names in BESIDE for name in names]
    + [name for name, _ in VERSIONS]
    + [service + ending for service in _SERVICES for ending, _ in _SAME_FOR_ALL]
    + list(_AUTH_NAMES)
    + list(_STRUCTURE)
)


def holds_secret(config):
    """
    :param dict config: what one file says about a cloud.
    :return: whether a secret is in it.
    """
    auth = config.get(u"auth")
    places = [config] + ([auth] if isinstance(auth, dict) else [])
    return any(place.get(name) for place in places for name in _SECRETS)


def without_effect(config):
    """
    :param dict config: one cloud, as it is in the file.
    :return: the sorted names of what means nothing to the driver.
    """
    return sorted(set(config) - _KNOWN)


__all__ = [
    "AUTH",
    "BESIDE",
    "REPLACES",
    "CloudProblem",
    "holds_secret",
    "our_keys",
    "without_effect",
    "without_replaced",
]
