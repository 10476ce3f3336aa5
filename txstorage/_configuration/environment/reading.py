# -*- test-case-name: tests._configuration.test_environment -*-
"""
Keys and values from environment variables.
"""

from __future__ import absolute_import, division, print_function

import attr
import yaml

from ..._support.compat import as_text
from ...errors import InvalidConfiguration
from ..damage import refuse_damaged
from ..keys import BY_NAME, EC2, EC2_KEYS, KEYS, REFUSED, find_key
from ..precedence import without_replaced
from .openstack import check_client_variables, insecure

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Text, Tuple  # noqa: F401

    from ..keys import Key  # noqa: F401

_PREFIX = "TXSTORAGE_"
# Variables of the command line that are not keys.
_NOT_KEYS = frozenset(["TXSTORAGE_CONFIG"])

# openstacksdk: the domain of both the user and the project, stronger than a default domain.
_DOMAINS = ("OS_DOMAIN_ID", "OS_DOMAIN_NAME")
_DEFAULT_DOMAINS = ("OS_DEFAULT_DOMAIN", "OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN_NAME")
_SCOPES = ("project_id", "project_name", "trust_id", "system_scope")


@attr.s(frozen=True, hash=False)
class EnvironmentValues(object):
    """
    The keys that environment variables give.

    :ivar dict values: key names to unchecked values.
    :ivar list notes: texts about variables without effect.
    """

    values = attr.ib(repr=False)  # type: Dict[str, Any]
    notes = attr.ib()  # type: Any


def variables(name):
    # type: (Text) -> Tuple[str, ...]
    """
    List the environment variables of a key.

    :param text name: a key or a synonym.
    :return: a tuple of native strings, in order of precedence.
    """
    key = BY_NAME.get(name)
    if key is None:
        return ()
    return tuple(
        _PREFIX + known.upper() for known in (key.name,) + key.synonyms
    ) + key.environment


def _value_of(key, variable, value):
    # type: (Key, str, str) -> Any
    if key.type.literal:
        return value
    refuse_damaged(as_text(key.name), value)
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        raise InvalidConfiguration(
            as_text(key.name), u"must be {}".format(key.type.expected),
            u"write the value of {} as YAML".format(variable),
        )


def _check_names(environ):
    # type: (Mapping[str, str]) -> None
    for name in environ:
        if name.startswith(_PREFIX) and name not in _NOT_KEYS:
            try:
                find_key(as_text(name[len(_PREFIX):].lower()))
            except InvalidConfiguration as error:
                raise InvalidConfiguration(
                    error.key, u"{} ({})".format(error.problem, name), error.remedy
                )


def from_variables(environ):
    # type: (Mapping[str, str]) -> EnvironmentValues
    """
    Read the keys that are given by environment variables.

    :param environ: names to values, native strings; an empty variable counts as not set.
    :rtype: EnvironmentValues
    :raises InvalidConfiguration: when a ``TXSTORAGE_...`` variable is not a key's, its value is not
        YAML where YAML is expected, or a variable of OpenStack's clients is refused.
    """
    environ = {name: value for name, value in environ.items() if value}
    _check_names(environ)
    ours = _given(environ, ours=True)
    if "cloud" in ours or environ.get("OS_CLOUD"):
        # As in openstacksdk: OpenStack's other variables may be of another cloud, left over from
        # an openrc file.
        standard = {name: environ[name] for name in ("OS_CLOUD",) if name in environ}
        return EnvironmentValues(dict(_given(standard, ours=False), **ours), [])
    if ours.get("auth_plugin") == EC2 or EC2_KEYS & set(ours):
        # OpenStack's variables are of another cloud.
        return EnvironmentValues(ours, [])
    notes = check_client_variables(environ)
    given = _given(_without_weaker_domains(environ), ours=False)
    if insecure(environ) is False:
        given["verify_peer"] = False
    # TXSTORAGE_PASSWORD_FILE replaces OS_PASSWORD; both would be an error.
    values = dict(without_replaced(given, ours), **ours)
    _check_domain_scope(environ, values)
    return EnvironmentValues(values, notes)


def _given(environ, ours):
    # type: (Mapping[str, str], bool) -> Dict[str, Any]
    """
    :param bool ours: whether to read txstorage's own variables, or those of OpenStack's clients.
    :return: a ``dict`` of key names to values; the first variable of each key wins.
    """
    return {
        key.name: _value_of(key, names[0], environ[names[0]])
        for key in KEYS
        for names in [
            [
                name
                for name in variables(key.name)
                if name in environ and name.startswith(_PREFIX) == ours
            ]
        ]
        if names
    }


def _without_weaker_domains(environ):
    # type: (Mapping[str, str]) -> Mapping[str, str]
    if not any(name in environ for name in _DOMAINS):
        return environ
    return {name: value for name, value in environ.items() if name not in _DEFAULT_DOMAINS}


def _check_domain_scope(environ, values):
    # type: (Mapping[str, str], Dict[str, Any]) -> None
    """
    :raises InvalidConfiguration: when the variables ask for a token for a domain.
    """
    by_application = any(name.startswith("application_credential") for name in values)
    if by_application or any(name in values for name in _SCOPES):
        return
    for name in _DOMAINS:
        if name in environ:
            key = as_text(name[len("OS_"):].lower())
            raise InvalidConfiguration(
                key, u"{}, and no project is given ({})".format(REFUSED[key], name)
            )


__all__ = ["EnvironmentValues", "from_variables", "variables"]
