# -*- test-case-name: tests._configuration.test_configuration -*-
"""
The configuration's keys: one table, from which validation, messages,
environment variables and documentation all come.
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
    INTERFACE,
    PROFILES,
    RATE,
    SECONDS,
    SYSTEM_SCOPE,
    TEXT,
    UUID_TEXT,
    UUID_VALUE,
)


@attr.s(frozen=True)
class Key(object):
    """
    One key of the configuration.

    :ivar str name: as in ``agent.yml``.
    :ivar Kind kind: what its value must be.
    :ivar text purpose: what it is for, in a sentence.
    :ivar default: the value when it is not given.
    :ivar bool secret: whether its value must never be shown.
    :ivar tuple synonyms: other names of the same key.
    :ivar tuple environment: OpenStack's own environment variables for it,
        besides ``TXSTORAGE_<NAME>``.
    """

    name = attr.ib()
    kind = attr.ib()
    purpose = attr.ib()
    default = attr.ib(default=None)
    secret = attr.ib(default=False)
    synonyms = attr.ib(default=())
    environment = attr.ib(default=())


KEYS = (
    Key("cloud", TEXT,
        u"A cloud of clouds.yaml, for the keys that are not given here.",
        environment=("OS_CLOUD",)),
    Key("region", TEXT, u"The region of the catalog; needed when it has several.",
        environment=("OS_REGION_NAME",)),
    Key("auth_plugin", TEXT,
        u"How to authenticate: password, v3applicationcredential, token or none. When it is not "
        u"given: v3applicationcredential with an application credential, else password.",
        environment=("OS_AUTH_TYPE",)),
    Key("auth_url", ADDRESS, u"The address of Keystone.", environment=("OS_AUTH_URL",)),
    Key("username", TEXT, u"The user's name.", environment=("OS_USERNAME",)),
    Key("user_id", TEXT, u"The user's id, instead of the name.", environment=("OS_USER_ID",)),
    Key("user_domain_id", TEXT, u"The id of the user's domain (default: 'default').",
        environment=("OS_USER_DOMAIN_ID",)),
    Key("user_domain_name", TEXT, u"The name of the user's domain.",
        environment=("OS_USER_DOMAIN_NAME",)),
    Key("password", TEXT, u"The user's password.", secret=True, environment=("OS_PASSWORD",)),
    Key("password_file", FILE, u"A file that holds the password and nothing else."),
    Key("project_name", TEXT, u"The project's name.", synonyms=("tenant_name",),
        environment=("OS_PROJECT_NAME", "OS_TENANT_NAME")),
    Key("project_id", TEXT, u"The project's id, instead of the name.", synonyms=("tenant_id",),
        environment=("OS_PROJECT_ID", "OS_TENANT_ID")),
    Key("project_domain_id", TEXT, u"The id of the project's domain (default: 'default').",
        environment=("OS_PROJECT_DOMAIN_ID",)),
    Key("project_domain_name", TEXT, u"The name of the project's domain.",
        environment=("OS_PROJECT_DOMAIN_NAME",)),
    Key("default_domain_id", TEXT, u"The id of both domains, where they are not given.",
        environment=("OS_DEFAULT_DOMAIN_ID",)),
    Key("default_domain_name", TEXT, u"The name of both domains, where they are not given.",
        environment=("OS_DEFAULT_DOMAIN_NAME",)),
    Key("trust_id", TEXT, u"The trust in which to act, instead of a project.",
        environment=("OS_TRUST_ID",)),
    Key("system_scope", SYSTEM_SCOPE,
        u"'all' to act system-wide, instead of in a project; needs volume_endpoint, as the "
        u"catalog then has no Block Storage.",
        environment=("OS_SYSTEM_SCOPE",)),
    Key("application_credential_id", TEXT, u"The application credential's id.",
        environment=("OS_APPLICATION_CREDENTIAL_ID",)),
    Key("application_credential_name", TEXT,
        u"The application credential's name, instead of the id; needs the user.",
        environment=("OS_APPLICATION_CREDENTIAL_NAME",)),
    Key("application_credential_secret", TEXT, u"The application credential's secret.",
        secret=True, environment=("OS_APPLICATION_CREDENTIAL_SECRET",)),
    Key("application_credential_secret_file", FILE,
        u"A file that holds the application credential's secret and nothing else."),
    Key("token", TEXT, u"A Keystone token.", secret=True, environment=("OS_TOKEN",)),
    Key("token_file", FILE, u"A file that holds a Keystone token and nothing else."),
    Key("verify_peer", BOOLEAN, u"Whether certificates must verify.", default=True),
    Key("verify_ca_path", FILE,
        u"A PEM file of the authorities to trust, instead of the system's.",
        environment=("OS_CACERT",)),
    Key("client_certificate", FILE,
        u"A PEM file of this client's own certificate, for services that ask for one.",
        environment=("OS_CERT",)),
    Key("client_key", FILE,
        u"A PEM file of its key (default: it is in client_certificate).",
        environment=("OS_KEY",)),
    Key("interface", INTERFACE, u"Which of the catalog's addresses to use.", default=u"public",
        environment=("OS_INTERFACE", "OS_ENDPOINT_TYPE")),
    Key("volume_endpoint", ADDRESS, u"The address of Block Storage, instead of the catalog's."),
    Key("compute_endpoint", ADDRESS, u"The address of Compute, instead of the catalog's."),
    Key("attach_through", ATTACH_THROUGH,
        u"What attaches volumes: compute, or storage where there is no Compute.",
        default=u"compute"),
    Key("instance_id", UUID_TEXT, u"This node's server id, when it can't be found out."),
    Key("profiles", PROFILES, u"Which volume type each profile (gold, silver, bronze) means."),
    Key("availability_zone", TEXT, u"Where to create volumes (default: the cloud's choice)."),
    Key("timeout", SECONDS, u"How long one operation may take, in seconds.", default=110.0),
    Key("poll_interval", SECONDS,
        u"The longest time between two looks at what an operation waits for, in seconds.",
        default=2.0),
    Key("max_requests_per_second", RATE, u"A limit on HTTP requests (default: none)."),
    Key("device_directory", TEXT,
        u"Where the embedded service puts devices when it runs without root."),
    Key("cluster_id", UUID_VALUE, u"The cluster's id; Flocker passes its own."),
)

# Known to Flocker's openstack backend or to Keystone, and of no use here.
REFUSED = {
    u"api_key": u"Rackspace's authentication is not supported",
    u"domain_id": u"a token for a domain can't use volumes; use user_domain_id and "
                  u"project_domain_id",
    u"domain_name": u"a token for a domain can't use volumes; use user_domain_name and "
                    u"project_domain_name",
}

SECRETS = ("password", "application_credential_secret", "token")

BY_NAME = {
    as_text(name): key for key in KEYS for name in (key.name,) + key.synonyms
}


def nearest(name, names):
    """
    :return: a remedy that names the nearest of the names, or empty text.
    """
    found = difflib.get_close_matches(name, sorted(names), 1)
    return u"did you mean {}?".format(found[0]) if found else u""


def find_key(name):
    """
    :param text name: a key or a synonym.
    :return: the :class:`Key`.
    :raises InvalidConfiguration: when there is none.
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
    :ivar tuple needs: of tuples of key names; one of each must be given.
    """

    name = attr.ib()
    needs = attr.ib()


_SECRET_OF = {name: (name, name + "_file") for name in SECRETS}

_PASSWORD = Plugin(
    u"password",
    (
        ("auth_url",),
        ("username", "user_id"),
        _SECRET_OF["password"],
        ("project_name", "project_id", "trust_id", "system_scope"),
    ),
)
_APPLICATION_CREDENTIAL = Plugin(
    u"v3applicationcredential",
    (
        ("auth_url",),
        ("application_credential_id", "application_credential_name"),
        _SECRET_OF["application_credential_secret"],
    ),
)
_TOKEN = Plugin(u"token", (("auth_url",), _SECRET_OF["token"]))
_NONE = Plugin(u"none", (("volume_endpoint",), ("compute_endpoint", "attach_through")))

PLUGINS = {
    u"password": _PASSWORD,
    u"v2password": _PASSWORD,
    u"v3password": _PASSWORD,
    u"v3applicationcredential": _APPLICATION_CREDENTIAL,
    u"token": _TOKEN,
    u"v3token": _TOKEN,
    u"none": _NONE,
}

__all__ = [
    "BY_NAME",
    "KEYS",
    "PLUGINS",
    "REFUSED",
    "SECRETS",
    "Key",
    "Plugin",
    "find_key",
    "nearest",
]
