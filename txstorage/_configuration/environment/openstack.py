# -*- test-case-name: tests._configuration.test_environment -*-
"""
The environment variables of OpenStack's clients that are not those of keys.

keystoneauth, openstacksdk (formerly os-client-config) and openstackclient know these variables.  A
variable is refused if requests would go elsewhere, or be protected less, without its effect.  One
that concerns other services than txstorage's is ignored.  The rest are noted as without effect.
"""

from __future__ import absolute_import, division, print_function

import re

import attr

from ...errors import InvalidConfiguration

MYPY = False
if MYPY:
    from typing import Dict, List, Mapping, Optional, Text  # noqa: F401

REFUSED, NO_EFFECT, IGNORED, USED = u"refused", u"no effect", u"ignored", u"used"


@attr.s(frozen=True)
class ClientVariable(object):
    """
    An environment variable of OpenStack's clients.

    :ivar str name: its name.
    :ivar text outcome: ``refused``, ``no effect`` (with a note in the log and in ``txstorage
        doctor``), ``ignored`` or ``used``.
    :ivar text reason: the reason, or the use.
    """

    name = attr.ib()  # type: str
    outcome = attr.ib()  # type: Text
    reason = attr.ib()  # type: Text


def _all(names, outcome, reason):
    # type: (str, Text, Text) -> List[ClientVariable]
    return [ClientVariable("OS_" + name, outcome, reason) for name in names.split()]


_OTHER_WAYS = u"it belongs to a way to authenticate that txstorage does not have"

CLIENT_VARIABLES = (
    _all(
        "CLIENT_CONFIG_FILE CLIENT_SECURE_FILE", USED,
        u"the files clouds.yaml and secure.yaml, with the key cloud",
    )
    + _all("INSECURE", USED, u"true: as verify_peer: false")
    + _all("IDENTITY_API_VERSION", USED, u"any other than 3 has no effect, which is noted")
    + _all("VOLUME_API_VERSION BLOCK_STORAGE_API_VERSION", USED,
           u"any other than 3 has no effect, which is noted")
    + _all("COMPUTE_API_VERSION", USED, u"any other than 2 has no effect, which is noted")
    + _all(
        "SERVICE_PROVIDER REMOTE_PROJECT_ID REMOTE_PROJECT_NAME REMOTE_PROJECT_DOMAIN_ID "
        "REMOTE_PROJECT_DOMAIN_NAME",
        REFUSED,
        u"Keystone-to-Keystone federation is not supported, and without it the volumes would be "
        u"of another cloud",
    )
    + _all("IDENTITY_ENDPOINT_OVERRIDE", REFUSED, u"the address of Keystone is OS_AUTH_URL")
    + _all(
        " ".join(
            "{}_{}".format(service, setting)
            for service in ("BLOCK_STORAGE", "VOLUME", "COMPUTE", "IDENTITY")
            for setting in ("INTERFACE", "REGION_NAME", "SERVICE_NAME", "SERVICE_TYPE")
        ),
        REFUSED, u"a setting of one service is not supported; txstorage has the same for all",
    )
    + _all(
        "TLS_CIPHERS TLS_MIN_VERSION", REFUSED,
        u"the settings of TLS are those of the system's OpenSSL",
    )
    + _all(
        "ACCESS_TOKEN ACCESS_TOKEN_ENDPOINT ACCESS_TOKEN_TYPE AUTHORIZATION_CODE AUTH_METHODS "
        "CLIENT_ID CLIENT_SECRET CODE CODE_CHALLENGE_METHOD DEVICE_AUTHORIZATION_ENDPOINT "
        "DISCOVERY_ENDPOINT IDENTITY_PROVIDER IDENTITY_PROVIDER_URL IDP_OTP_KEY LOGIN_TIMEOUT "
        "MUTUAL_AUTH OAUTH2_CLIENT_ID OAUTH2_CLIENT_SECRET OAUTH2_ENDPOINT OAUTH_CONSUMER_KEY "
        "OAUTH_CONSUMER_SECRET OPENID_SCOPE PASSCODE PROTOCOL REDIRECT_HOST REDIRECT_PORT "
        "REDIRECT_URI SERVICE_PROVIDER_ENDPOINT SERVICE_PROVIDER_ENTITY_ID",
        NO_EFFECT, _OTHER_WAYS,
    )
    + _all(
        "ENDPOINT URL", NO_EFFECT,
        u"each service has an address of its own; see volume_endpoint and compute_endpoint",
    )
    + _all("VERIFY", NO_EFFECT, u"use OS_CACERT, OS_INSECURE or TXSTORAGE_VERIFY_PEER")
    + _all(
        "FORCE_IPV4 PREFER_IPV6", NO_EFFECT,
        u"addresses of both kinds are tried, in the order in which they resolve",
    )
    + _all("PROFILE", NO_EFFECT, u"OpenStack's profiler is not supported")
    + _all("CLOUD_NAME", IGNORED, u"a name for the cloud of the variables themselves")
    + _all(
        "ACCELERATOR_API_VERSION IMAGE_API_VERSION NETWORK_API_VERSION OBJECT_API_VERSION "
        "OBJECT_STORE_API_VERSION SHARE_API_VERSION TRUSTED_IMAGE_CERTIFICATE_IDS",
        IGNORED, u"it concerns a service that txstorage does not use",
    )
)
"""All variables of OpenStack's clients, except those that are a key's."""

_BY_NAME = {each.name: each for each in CLIENT_VARIABLES}  # type: Dict[str, ClientVariable]

#: The major version of each API, by its variable.
_VERSIONS = {
    "OS_IDENTITY_API_VERSION": u"3",
    "OS_VOLUME_API_VERSION": u"3",
    "OS_BLOCK_STORAGE_API_VERSION": u"3",
    "OS_COMPUTE_API_VERSION": u"2",
}
_MAJOR = re.compile(u"v?([0-9]+)(\\.[0-9]+)?\\Z")


def check_client_variables(environ):
    # type: (Mapping[str, str]) -> List[Text]
    """
    :param environ: names to values, native strings, without empty ones.
    :return: a list of texts: the notes about the variables without effect.
    :raises InvalidConfiguration: for a variable that is refused.
    """
    notes = []  # type: List[Text]
    for name in sorted(environ):
        variable = _BY_NAME.get(name)
        if variable is None:
            continue
        if variable.outcome == REFUSED:
            raise InvalidConfiguration(
                u"{}".format(name), variable.reason, u"unset {}".format(name)
            )
        if variable.outcome == NO_EFFECT:
            notes.append(u"{} has no effect here: {}".format(name, variable.reason))
        elif _other_version(name, environ[name]):
            notes.append(
                u"{} has no effect here: txstorage uses version {}".format(name, _VERSIONS[name])
            )
    return notes


def _other_version(name, value):
    # type: (str, str) -> bool
    if name not in _VERSIONS:
        return False
    match = _MAJOR.match(value.strip())
    return match is None or match.group(1) != _VERSIONS[name]


def insecure(environ):
    # type: (Mapping[str, str]) -> Optional[bool]
    """
    :param environ: as for :func:`check_client_variables`.
    :return: ``False`` where ``OS_INSECURE`` turns the verification of certificates off, as
        ``verify_peer`` does; otherwise ``None``.
    """
    return False if environ.get("OS_INSECURE", "").lower() == "true" else None


__all__ = ["CLIENT_VARIABLES", "ClientVariable", "check_client_variables", "insecure"]
