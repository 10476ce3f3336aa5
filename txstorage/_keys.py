# -*- test-case-name: tests.test_configuration -*-
"""
The configuration's keys: one table, from which validation, messages,
environment variables and documentation all come.
"""

from __future__ import absolute_import, division, print_function

import io
from uuid import UUID

import attr

from ._compat import as_text, integer_types, text_type, urlsplit

# -- kinds: what a value must be ----------------------------------------------


def _text(value):
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    if not isinstance(value, text_type) or not value.strip():
        raise ValueError()
    return value


def _boolean(value):
    if not isinstance(value, bool):
        raise ValueError()
    return value


def _positive(value):
    if isinstance(value, bool) or not isinstance(value, integer_types + (float,)):
        raise ValueError()
    if not 0 < value < float("inf"):
        raise ValueError()
    return float(value)


def _uuid(value):
    return value if isinstance(value, UUID) else UUID(_text(value))


def _uuid_text(value):
    return text_type(_uuid(value))


def _address(value):
    parts = urlsplit(_text(value))
    # A password in an address would end up in logs and messages; for the same
    # reason a wrong address is not shown.
    if parts.scheme not in (u"http", u"https") or not parts.hostname or u"@" in parts.netloc:
        raise ValueError()
    parts.port  # Raises ValueError when it is not a number.
    return _text(value).rstrip(u"/")


def _readable_file(value):
    path = _text(value)
    if u"\0" in path:
        raise ValueError()  # which is what 3.x raises for it; 2.7 raises TypeError
    with io.open(path, "rb") as opened:
        opened.read(1)
    return path


def _profiles(value):
    if not callable(getattr(value, "items", None)):
        raise ValueError()
    return {_text(name): _text(volume_type) for name, volume_type in value.items()}


def _interface(value):
    # Older clients and openrc files say publicURL.
    value = _text(value)
    value = value[:-3] if value.endswith(u"URL") else value
    if value not in (u"public", u"internal", u"admin"):
        raise ValueError()
    return value


@attr.s(frozen=True)
class Kind(object):
    """
    What a key's value must be.

    :ivar text expected: completes "must be ...".
    :ivar parse: called with a value; returns the value to use, or raises
        ``ValueError`` or ``EnvironmentError``.
    :ivar bool literal: whether an environment variable's text is the value
        itself, rather than the YAML of it.
    :ivar bool shown: whether messages may show a wrong value.
    """

    expected = attr.ib()
    parse = attr.ib(repr=False)
    literal = attr.ib(default=True)
    shown = attr.ib(default=True)


TEXT = Kind(u"text that is not empty", _text)
BOOLEAN = Kind(u"true or false", _boolean, literal=False)
SECONDS = Kind(u"a number of seconds greater than 0", _positive, literal=False)
RATE = Kind(u"a number greater than 0", _positive, literal=False)
UUID_VALUE = Kind(u"a UUID", _uuid)
UUID_TEXT = Kind(u"a UUID", _uuid_text)
ADDRESS = Kind(u"an http or https address without a user or password", _address, shown=False)
FILE = Kind(u"the path of a file that can be read", _readable_file)
PROFILES = Kind(u"a mapping of profile names to volume types", _profiles, literal=False)
INTERFACE = Kind(u"public, internal or admin", _interface)

_TYPE_NAMES = (
    (bool, u"true or false"),
    (integer_types + (float,), u"a number"),
    ((text_type, bytes), u"text"),
    (dict, u"a mapping"),
    ((list, tuple), u"a list"),
)


def type_name(value):
    """
    What a value is, in an operator's words.

    :rtype: text
    """
    for types, name in _TYPE_NAMES:
        if isinstance(value, types):
            return name
    return as_text(type(value).__name__)


# -- the table ----------------------------------------------------------------


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
    Key("interface", INTERFACE, u"Which of the catalog's addresses to use.", default=u"public",
        environment=("OS_INTERFACE", "OS_ENDPOINT_TYPE")),
    Key("volume_endpoint", ADDRESS, u"The address of Block Storage, instead of the catalog's."),
    Key("compute_endpoint", ADDRESS, u"The address of Compute, instead of the catalog's."),
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
    u"trust_id": u"trusts are not supported; use an application credential",
}

SECRETS = ("password", "application_credential_secret", "token")

BY_NAME = {
    as_text(name): key for key in KEYS for name in (key.name,) + key.synonyms
}


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
        ("project_name", "project_id"),
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
_NONE = Plugin(u"none", (("volume_endpoint",), ("compute_endpoint",)))

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
    "Kind",
    "Plugin",
    "type_name",
]
