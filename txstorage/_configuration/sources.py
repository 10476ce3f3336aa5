# -*- test-case-name: tests._configuration.test_configuration -*-
"""
Sources of keys and values: ``agent.yml`` and the environment.
"""

from __future__ import absolute_import, division, print_function

import yaml

from .._support.compat import as_text
from ..errors import InvalidConfiguration
from .files import load_yaml
from .keys import BY_NAME, KEYS, SECRETS, find_key

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Optional, Text, Tuple  # noqa: F401

    from .keys import Key  # noqa: F401

_PREFIX = "TXSTORAGE_"
# Variables of the command line that are not keys.
_NOT_KEYS = frozenset(["TXSTORAGE_CONFIG"])

_BACKENDS = (u"txstorage", u"openstack")

# -- agent.yml ----------------------------------------------------------------


def dataset_section(path):
    # type: (Text) -> Tuple[Dict[Text, Any], Dict[Text, int]]
    """
    Read the ``dataset`` section of an ``agent.yml``.

    :param path: the path of the file.
    :return: the section without ``backend``, unchecked, and the line number of each key.
    :raises InvalidConfiguration: naming the file and the line.
    """
    node, document = load_yaml(
        path,
        u"dataset",
        u"put values with special characters in quotes",
    )
    section = document.get("dataset") if isinstance(document, dict) else None
    if not isinstance(section, dict):
        raise InvalidConfiguration(
            u"dataset", u"{} has no such section".format(as_text(path)),
            u"an agent.yml has the backend's keys under 'dataset:'",
        )
    section = {as_text(name): value for name, value in section.items()}
    backend = section.pop(u"backend", _BACKENDS[0])
    if backend not in _BACKENDS:
        raise InvalidConfiguration(
            u"backend", u"{} is for another backend".format(as_text(path)),
            u"set it to txstorage",
        )
    return section, _line_numbers(node)


def _line_numbers(root):
    # type: (Any) -> Dict[Text, int]
    return {
        as_text(key.value): key.start_mark.line + 1
        for name, section in root.value
        if name.value == "dataset"
        for key, _ in section.value
    }


# -- the environment ------------------------------------------------------------


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
    # type: (Mapping[str, str]) -> Dict[str, Any]
    """
    Read the keys that are given by environment variables.

    :param environ: names to values, native strings.
    :return: a ``dict`` of key names to unchecked values.
    :raises InvalidConfiguration: when a ``TXSTORAGE_...`` variable is not a key's, or its value is
        not YAML where YAML is expected.
    """
    _check_names(environ)
    ours, standard = {}, {}  # type: Dict[str, Any], Dict[str, Any]
    for key in KEYS:
        for variable in reversed(variables(key.name)):
            if variable in environ:
                chosen = ours if variable.startswith(_PREFIX) else standard
                chosen[key.name] = _value_of(key, variable, environ[variable])
    if "cloud" in ours or "cloud" in standard:
        # As in openstacksdk: OpenStack's other variables may be of another cloud, left over from
        # an openrc file.
        standard = {name: value for name, value in standard.items() if name == "cloud"}
    # TXSTORAGE_PASSWORD_FILE replaces OS_PASSWORD; both would be an error.
    for name in SECRETS:
        if name + "_file" in ours:
            standard.pop(name, None)
    return dict(standard, **ours)


__all__ = ["dataset_section", "from_variables", "variables"]
