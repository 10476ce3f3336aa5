# -*- test-case-name: tests._configuration.test_configuration -*-
"""
Checks of the values of a configuration, one key at a time and together.
"""

from __future__ import absolute_import, division, print_function

from .._support.compat import as_text
from ..errors import InvalidConfiguration
from .cloud_keys import origin_of
from .damage import refuse_damaged, show
from .files import Secret
from .keys import EC2, EC2_KEYS, OPENSTACK_KEYS, PLUGINS, SECRETS, find_key, nearest
from .precedence import without_replaced
from .value_types import type_name

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Optional, Sequence, Text, Tuple  # noqa: F401

    from .clouds_yaml import CloudSettings  # noqa: F401
    from .keys import Key, Plugin  # noqa: F401

_ACCESS_KEY_SECRET = ("secret_access_key", "secret_access_key_file")

#: Each key of the first column requires one key of the second.
_REQUIRED_BY_KEY = (
    ("client_key", ("client_certificate",)),
    ("access_key_id", _ACCESS_KEY_SECRET),
    ("secret_access_key", ("access_key_id",)),
    ("secret_access_key_file", ("access_key_id",)),
    ("session_token", ("access_key_id",)),
    ("session_token_file", ("access_key_id",)),
)

_SCOPES = (("trust_id",), ("system_scope",), ("project_id", "project_name"))


def _parse(name, key, value):
    # type: (Text, Key, Any) -> Any
    """
    :raises InvalidConfiguration: with the value in the message, unless it is a secret.
    """
    if key.type.checked:
        refuse_damaged(name, value, key.secret)
    try:
        return key.type.parse(value)
    except (ValueError, EnvironmentError) as error:
        problem = u"must be {}".format(key.type.expected)
        if key.type.shown and not key.secret:
            problem += u", not {}: {}".format(type_name(value), show(as_text(value)))
        elif type_name(value) != u"text":
            problem += u", not {}".format(type_name(value))
        if isinstance(error, EnvironmentError):
            problem += u" ({})".format(as_text(error.strerror))
        reason = getattr(error, "reason", u"")
        problem += reason and u": " + reason
    # Outside the handler, so that no chained exception shows the value.
    quotes = u"put the value in quotes" if type_name(value) == u"a number" else u""
    raise InvalidConfiguration(name, problem, quotes if key.type.literal else u"")


def parse_values(mapping):
    # type: (Mapping[Any, Any]) -> Dict[str, Any]
    """
    Parse each given value.

    :param mapping: keys or synonyms to values; ``None`` counts as not given.
    :return: a ``dict`` of key names, without synonyms, to values.
    :raises InvalidConfiguration: naming the key.
    """
    values = {}  # type: Dict[str, Any]
    given_as = {}  # type: Dict[str, Text]
    for given_name in sorted(mapping, key=as_text):
        value, name = mapping[given_name], as_text(given_name)
        key = find_key(name)
        if value is None:
            continue
        value = _parse(name, key, value)
        if values.setdefault(key.name, value) != value:
            raise InvalidConfiguration(
                name, u"has another value than {}".format(given_as[key.name]), u"remove one"
            )
        given_as[key.name] = name
    return values


def add_cloud(given, cloud):
    # type: (Dict[str, Any], CloudSettings) -> Dict[str, Any]
    """
    :param dict given: parsed values, which win over the cloud's.
    :return: a ``dict`` of the given values and the cloud's.
    :raises InvalidConfiguration: naming the key, the cloud and its files.
    """
    try:
        return dict(parse_values(without_replaced(cloud.values, given)), **given)
    except InvalidConfiguration as error:
        raise InvalidConfiguration(
            error.key,
            u"{} ({} of {})".format(error.problem, origin_of(error.key), cloud.describe()),
            error.remedy,
        )


def add_default_domain(values):
    # type: (Dict[str, Any]) -> Dict[str, Any]
    """
    :return: a ``dict`` of the values, with the default domain for each domain that is missing.
    """
    default = [
        (kind, values["default_domain_" + kind])
        for kind in ("id", "name")
        if "default_domain_" + kind in values
    ]
    for owner in ("user_domain_", "project_domain_"):
        if default and not {owner + "id", owner + "name"} & set(values):
            kind, domain = default[0]
            values = dict(values, **{owner + kind: domain})
    return values


def _by_given_keys(values):
    # type: (Dict[str, Any]) -> Text
    of_ec2 = EC2_KEYS & set(values)
    if of_ec2:
        others = OPENSTACK_KEYS & set(values)
        if others:
            raise InvalidConfiguration(
                as_text(min(of_ec2)),
                u"is a key of EC2, and {} is one of OpenStack".format(as_text(min(others))),
                u"remove the keys of one cloud",
            )
        return EC2
    if "application_credential_id" in values or "application_credential_name" in values:
        return u"v3applicationcredential"
    return u"password"


def choose_plugin(values):
    # type: (Dict[str, Any]) -> Plugin
    """
    :return: the :class:`~txstorage._configuration.keys.Plugin` to authenticate with.
    :raises InvalidConfiguration: when ``auth_plugin`` names no plugin, or is not given, and there
        are keys of two clouds.
    """
    name = values.get("auth_plugin")
    if name is None:
        name = _by_given_keys(values)
    if name == u"rackspace":
        raise InvalidConfiguration(
            u"auth_plugin", u"Rackspace's authentication is not supported", u"use password"
        )
    if name not in PLUGINS:
        known = u", ".join(sorted(PLUGINS))
        raise InvalidConfiguration(
            u"auth_plugin",
            u"{} is not known; use one of: {}".format(name, known),
            nearest(name, PLUGINS),
        )
    return PLUGINS[name]


def _require(names, values, reason):
    # type: (Sequence[str], Dict[str, Any], Text) -> None
    if not any(name in values for name in names):
        others = u" (or {})".format(u" or ".join(map(as_text, names[1:]))) if names[1:] else u""
        raise InvalidConfiguration(
            as_text(names[0]), u"is missing{}; {} requires it".format(others, reason)
        )


def check_required(plugin, values):
    # type: (Plugin, Dict[str, Any]) -> None
    """
    :raises InvalidConfiguration: when a key is missing that the plugin, or another key, requires.
    """
    for names in plugin.required:
        _require(names, values, u"auth_plugin {}".format(plugin.name))
    # An id identifies the credential; a name is unique only among its user's credentials.
    if "application_credential_name" in values and "application_credential_id" not in values:
        _require(("username", "user_id"), values, u"application_credential_name")
    for name, required in _REQUIRED_BY_KEY:
        if name in values:
            _require(required, values, as_text(name))


def check_cloud(plugin, values):
    # type: (Plugin, Dict[str, Any]) -> None
    """
    :raises InvalidConfiguration: when a key is given that has no meaning on the plugin's cloud.
    """
    foreign = sorted(plugin.foreign & set(values))
    if foreign:
        raise InvalidConfiguration(
            as_text(foreign[0]),
            u"has no meaning with auth_plugin {}".format(plugin.name),
            u"remove it, or set auth_plugin",
        )
    if "aws_profile" in values and "access_key_id" in values:
        raise InvalidConfiguration(
            u"aws_profile", u"can't be given together with access_key_id", u"remove one"
        )


def check_scope(plugin, values):
    # type: (Plugin, Dict[str, Any]) -> None
    """
    :raises InvalidConfiguration: when several scopes are given, or one that the plugin excludes.
    """
    given = [name for names in _SCOPES for name in names if name in values]
    scopes = [names for names in _SCOPES if set(names) & set(values)]
    if len(scopes) > 1:
        raise InvalidConfiguration(
            as_text(given[0]), u"can't be given together with {}".format(given[1]), u"remove one"
        )
    if plugin.name == u"v3applicationcredential" and {"trust_id", "system_scope"} & set(given):
        raise InvalidConfiguration(
            as_text(given[0]),
            u"can't be given with an application credential, which is limited to the project it "
            u"was created in",
            u"remove it",
        )


def take_secrets(values):
    # type: (Dict[str, Any]) -> Dict[str, Any]
    """
    :return: a ``dict`` of the values, with each secret or its file as one
        :class:`~txstorage._configuration.files.Secret`, or ``None``.
    :raises InvalidConfiguration: when both are given, or the file can't be used.
    """
    values = dict(values)
    for name in SECRETS:
        value, path = values.pop(name, None), values.pop(name + "_file", None)
        if value is not None and path is not None:
            raise InvalidConfiguration(
                as_text(name), u"is given twice: here and as {}_file".format(name), u"remove one"
            )
        values[name] = None if value is None else Secret(as_text(name), value)
        if path is not None:
            values[name] = Secret(as_text(name + "_file"), path=path)
            # An unusable file is reported now, not at the first request.
            values[name]()
    return values


__all__ = [
    "add_cloud",
    "add_default_domain",
    "check_cloud",
    "check_required",
    "check_scope",
    "choose_plugin",
    "parse_values",
    "take_secrets",
]
