# -*- test-case-name: tests._configuration.test_configuration -*-
"""
The table of the configuration's keys.

Validation, messages, environment variables and documentation are derived from the table.
"""

from __future__ import absolute_import, division, print_function

import difflib

import attr

from .._support.compat import as_text
from ..errors import InvalidConfiguration
from .value_types import (
    ADDRESS,
    ATTACH_THROUGH,
    BOOLEAN,
    FILE,
    INSTANCE_ID,
    INTERFACE,
    PROFILES,
    PROXY,
    RATE,
    SECONDS,
    SYSTEM_SCOPE,
    TEXT,
    UUID_VALUE,
)

MYPY = False
if MYPY:
    from typing import Any, Dict, FrozenSet, Iterable, Text, Tuple  # noqa: F401

    from .value_types import ValueType  # noqa: F401


@attr.s(frozen=True)
class Key(object):
    """
    One key of the configuration.

    :ivar str name: the name in ``agent.yml``.
    :ivar ValueType type: the type of the key's value.
    :ivar text purpose: a sentence for the documentation.
    :ivar default: the value when none is given.
    :ivar bool secret: whether the value must never be shown.
    :ivar tuple synonyms: other names of the key.
    :ivar tuple environment: OpenStack's own environment variables, used besides
        ``TXSTORAGE_<NAME>``.
    """

    name = attr.ib()  # type: str
    type = attr.ib()  # type: ValueType
    purpose = attr.ib()  # type: Text
    default = attr.ib(default=None)  # type: Any
    secret = attr.ib(default=False)  # type: bool
    synonyms = attr.ib(default=())  # type: Tuple[str, ...]
    environment = attr.ib(default=())  # type: Tuple[str, ...]


_OPENSTACK = (
    Key("cloud", TEXT,
        u"The cloud of clouds.yaml that supplies the keys that are not given here; needs the "
        u"extra 'clouds', on Python 3.",
        environment=("OS_CLOUD",)),
    Key("auth_url", ADDRESS, u"The address of Keystone.", environment=("OS_AUTH_URL",)),
    Key("username", TEXT, u"The user's name.", environment=("OS_USERNAME", "OS_USER_NAME")),
    Key("user_id", TEXT, u"The user's id, instead of the name.", environment=("OS_USER_ID",)),
    Key("user_domain_id", TEXT, u"The id of the user's domain (default: 'default').",
        environment=("OS_USER_DOMAIN_ID",)),
    Key("user_domain_name", TEXT, u"The name of the user's domain.",
        environment=("OS_USER_DOMAIN_NAME",)),
    Key("password", TEXT, u"The user's password.", secret=True, environment=("OS_PASSWORD",)),
    Key("password_file", FILE, u"A file that contains only the password."),
    Key("project_name", TEXT, u"The project's name.", synonyms=("tenant_name",),
        environment=("OS_PROJECT_NAME", "OS_TENANT_NAME")),
    Key("project_id", TEXT, u"The project's id, instead of the name.", synonyms=("tenant_id",),
        environment=("OS_PROJECT_ID", "OS_TENANT_ID")),
    Key("project_domain_id", TEXT, u"The id of the project's domain (default: 'default').",
        environment=("OS_PROJECT_DOMAIN_ID",)),
    Key("project_domain_name", TEXT, u"The name of the project's domain.",
        environment=("OS_PROJECT_DOMAIN_NAME",)),
    Key("default_domain_id", TEXT, u"The id of each of the two domains that is not given.",
        environment=("OS_DOMAIN_ID", "OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN")),
    Key("default_domain_name", TEXT, u"The name of each of the two domains that is not given.",
        environment=("OS_DOMAIN_NAME", "OS_DEFAULT_DOMAIN_NAME")),
    Key("trust_id", TEXT, u"The id of a trust to act in, instead of a project.",
        environment=("OS_TRUST_ID",)),
    Key("system_scope", SYSTEM_SCOPE,
        u"'all' to act on the whole system, instead of in a project; needs volume_endpoint, "
        u"because the catalog then lacks Block Storage.",
        environment=("OS_SYSTEM_SCOPE",)),
    Key("application_credential_id", TEXT, u"The application credential's id.",
        environment=("OS_APPLICATION_CREDENTIAL_ID",)),
    Key("application_credential_name", TEXT,
        u"The application credential's name, instead of the id; needs the user.",
        environment=("OS_APPLICATION_CREDENTIAL_NAME",)),
    Key("application_credential_secret", TEXT, u"The application credential's secret.",
        secret=True, environment=("OS_APPLICATION_CREDENTIAL_SECRET",)),
    Key("application_credential_secret_file", FILE,
        u"A file that contains only the application credential's secret."),
    Key("token", TEXT, u"A Keystone token.", secret=True,
        environment=("OS_TOKEN", "OS_AUTH_TOKEN")),
    Key("token_file", FILE, u"A file that contains only a Keystone token."),
    Key("interface", INTERFACE, u"The endpoint interface to use from the catalog.",
        default=u"public", environment=("OS_INTERFACE", "OS_ENDPOINT_TYPE")),
    Key("volume_endpoint", ADDRESS, u"The address of Block Storage, instead of the catalog's.",
        environment=("OS_BLOCK_STORAGE_ENDPOINT_OVERRIDE", "OS_VOLUMEV3_ENDPOINT_OVERRIDE",
                     "OS_VOLUME_ENDPOINT_OVERRIDE")),
    Key("compute_endpoint", ADDRESS, u"The address of Compute, instead of the catalog's.",
        environment=("OS_COMPUTE_ENDPOINT_OVERRIDE",)),
    Key("allow_insecure_endpoints", BOOLEAN,
        u"Whether tokens may be sent to the http endpoints of a catalog that came by https.",
        default=False),
    Key("attach_through", ATTACH_THROUGH,
        u"The service that attaches volumes: compute, or storage on a cloud without Compute.",
        default=u"compute"),
)
"""The keys of OpenStack."""

_EC2 = (
    Key("access_key_id", TEXT,
        u"The id of the access key, which selects auth_plugin ec2 (default: the first of the "
        u"usual sources of Amazon's clients that has credentials)."),
    Key("secret_access_key", TEXT, u"The access key's secret.", secret=True),
    Key("secret_access_key_file", FILE, u"A file that contains only the access key's secret."),
    Key("session_token", TEXT, u"The session token of a temporary access key.", secret=True),
    Key("session_token_file", FILE, u"A file that contains only the session token."),
    Key("aws_profile", TEXT,
        u"The profile of the shared credentials and configuration files to take the credentials "
        u"from."),
    Key("validate_region", BOOLEAN,
        u"Whether the region must be one that the installed botocore knows.", default=True),
    Key("ec2_endpoint", ADDRESS, u"The address of EC2, instead of the region's."),
    Key("kms_key_id", TEXT,
        u"The key of KMS to encrypt new volumes with (default: as the account's settings say)."),
)
"""The keys of Amazon EC2."""

_OF_ALL = (
    Key("region", TEXT, u"The region; required on EC2, and when OpenStack's catalog has several.",
        environment=("OS_REGION_NAME",)),
    Key("auth_plugin", TEXT,
        u"The way to authenticate: password, v3applicationcredential, token or none on "
        u"OpenStack, or ec2 (default: by the keys that are given; without any, password).",
        environment=("OS_AUTH_TYPE", "OS_AUTH_PLUGIN")),
    Key("verify_peer", BOOLEAN, u"Whether to verify the services' certificates.", default=True),
    Key("verify_ca_path", FILE,
        u"A PEM file of the certificate authorities to trust, instead of the system's.",
        environment=("OS_CACERT",)),
    Key("client_certificate", FILE,
        u"A PEM file of the client certificate, for services that request one.",
        environment=("OS_CERT",)),
    Key("client_key", FILE,
        u"A PEM file of the client certificate's private key (default: in client_certificate).",
        environment=("OS_KEY",)),
    Key("proxy", PROXY,
        u"The HTTP proxy of all requests, also of those to this machine, such as "
        u"http://USER:PASSWORD@proxy:3128; or none (default: by the variables http_proxy, "
        u"https_proxy, all_proxy and no_proxy)."),
    Key("instance_id", INSTANCE_ID, u"The id of this node's instance, when it cannot be detected."),
    Key("profiles", PROFILES,
        u"The volume type for each profile (gold, silver, bronze); EC2's have defaults."),
    Key("availability_zone", TEXT,
        u"The availability zone to create volumes in; required on EC2 (default: the cloud's "
        u"choice).",
        synonyms=("zone",)),
    Key("timeout", SECONDS, u"The longest time that one operation may take, in seconds.",
        default=110.0),
    Key("copy_timeout", SECONDS,
        u"The longest time that an operation may take that makes the cloud copy data (snapshots, "
        u"volumes made from them, and clones), in seconds.",
        default=3600.0),
    Key("poll_interval", SECONDS, u"The longest time between two polls, in seconds.",
        default=2.0),
    Key("max_requests_per_second", RATE, u"A limit on the rate of HTTP requests (default: none)."),
    Key("device_directory", TEXT,
        u"The directory of devices when the embedded service runs without root."),
    Key("cluster_id", UUID_VALUE, u"The cluster's id; Flocker passes its own."),
)
"""The keys of every cloud."""

KEYS = _OPENSTACK + _EC2 + _OF_ALL

#: The names of the keys that have a meaning only on OpenStack, and only on EC2.
OPENSTACK_KEYS, EC2_KEYS = (
    frozenset(key.name for key in keys) for keys in (_OPENSTACK, _EC2)
)

#: The ``auth_plugin`` of Amazon EC2.
EC2 = u"ec2"

#: Keys of Flocker's backends, of Keystone and of EC2 that have no use here, and the reasons.
REFUSED = {
    u"api_key": u"Rackspace's authentication is not supported",
    u"domain_id": u"a token for a domain can't use volumes; use user_domain_id and "
                  u"project_domain_id",
    u"domain_name": u"a token for a domain can't use volumes; use user_domain_name and "
                    u"project_domain_name",
    u"multi_attach": u"a dataset has one writer, and a file system on several nodes at once is "
                     u"destroyed",
}

SECRETS = (
    "password",
    "application_credential_secret",
    "token",
    "secret_access_key",
    "session_token",
)

BY_NAME = {
    as_text(name): key for key in KEYS for name in (key.name,) + key.synonyms
}  # type: Dict[Text, Key]


def nearest(name, names):
    # type: (Text, Iterable[Text]) -> Text
    """
    :return: a remedy that names the most similar of the names, or empty text.
    """
    found = difflib.get_close_matches(name, sorted(names), 1)
    return u"did you mean {}?".format(found[0]) if found else u""


def find_key(name):
    # type: (Text) -> Key
    """
    :param text name: a key or a synonym.
    :rtype: Key
    :raises InvalidConfiguration: when there is no such key.
    """
    if name in REFUSED:
        raise InvalidConfiguration(name, REFUSED[name])
    if name not in BY_NAME:
        raise InvalidConfiguration(name, u"is not known", nearest(name, BY_NAME))
    return BY_NAME[name]


@attr.s(frozen=True)
class Plugin(object):
    """
    A way to authenticate.

    :ivar text name: the canonical ``auth_plugin``.
    :ivar tuple required: tuples of key names; one key of each tuple is required.
    :ivar frozenset foreign: the keys of other clouds, which have no meaning here.
    """

    name = attr.ib()  # type: Text
    required = attr.ib()  # type: Tuple[Tuple[str, ...], ...]
    foreign = attr.ib(default=EC2_KEYS)  # type: FrozenSet[str]


_PASSWORD = Plugin(
    u"password",
    (
        ("auth_url",),
        ("username", "user_id"),
        ("password", "password_file"),
        ("project_name", "project_id", "trust_id", "system_scope"),
    ),
)
_APPLICATION_CREDENTIAL = Plugin(
    u"v3applicationcredential",
    (
        ("auth_url",),
        ("application_credential_id", "application_credential_name"),
        ("application_credential_secret", "application_credential_secret_file"),
    ),
)
_TOKEN = Plugin(u"token", (("auth_url",), ("token", "token_file")))
_NONE = Plugin(u"none", (("volume_endpoint",), ("compute_endpoint", "attach_through")))
_BY_ACCESS_KEY = Plugin(EC2, (("region",), ("availability_zone",)), foreign=OPENSTACK_KEYS)

PLUGINS = {
    u"password": _PASSWORD,
    u"v2password": _PASSWORD,
    u"v3password": _PASSWORD,
    u"v3applicationcredential": _APPLICATION_CREDENTIAL,
    u"token": _TOKEN,
    u"v3token": _TOKEN,
    u"none": _NONE,
    EC2: _BY_ACCESS_KEY,
}

__all__ = [
    "BY_NAME",
    "EC2",
    "EC2_KEYS",
    "KEYS",
    "OPENSTACK_KEYS",
    "PLUGINS",
    "REFUSED",
    "SECRETS",
    "Key",
    "Plugin",
    "find_key",
    "nearest",
]
