# -*- test-case-name: tests._configuration.test_configuration -*-
"""
Where keys and values come from: ``agent.yml`` and the environment.
"""

from __future__ import absolute_import, division, print_function

import yaml

from .._support.compat import as_text
from ..errors import InvalidConfiguration
from .files import load_yaml
from .keys import BY_NAME, KEYS, SECRETS, find_key

_PREFIX = "TXSTORAGE_"
# The command line's own variables, which are not keys.
_NOT_KEYS = frozenset(["TXSTORAGE_CONFIG"])

_BACKENDS = (u"txstorage", u"openstack")

# -- agent.yml ----------------------------------------------------------------


def dataset_section(path):
    """
    :param path: the path of an ``agent.yml``.
    :return: the ``dataset`` section without ``backend``, unchecked, and the
        line number of each of its keys.
    :raises InvalidConfiguration: naming the file and the line.
    """
    node, document = load_yaml(
        path,
        u"dataset",
        u"give the path of an agent.yml; in it, quote values that hold special characters",
    )
    section = document.get("dataset") if isinstance(document, dict) else None
    if not isinstance(section, dict):
        raise InvalidConfiguration(
            u"dataset", u"{} has no such section".format(as_text(path)),
            u"an agent.yml holds the backend's keys under 'dataset:'",
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
    return {
        as_text(key.value): key.start_mark.line + 1
        for name, section in root.value
        if name.value == "dataset"
        for key, _ in section.value
    }


# -- the environment ------------------------------------------------------------


def variables(name):
    """
    The environment variables of a key.

    :param text name: a key or a synonym.
    :return: a tuple of native strings, the one that wins first.
    """
    key = BY_NAME.get(name)
    if key is None:
        return ()
    return tuple(
        _PREFIX + known.upper() for known in (key.name,) + key.synonyms
    ) + key.environment


def _value_of(key, variable, value):
    if key.kind.literal:
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        raise InvalidConfiguration(
            as_text(key.name), u"must be {}".format(key.kind.expected),
            u"{} holds YAML".format(variable),
        )


def _check_names(environ):
    for name in environ:
        if name.startswith(_PREFIX) and name not in _NOT_KEYS:
            try:
                find_key(as_text(name[len(_PREFIX):].lower()))
            except InvalidConfiguration as error:
                raise InvalidConfiguration(
                    error.key, u"{} ({})".format(error.problem, name), error.remedy
                )


def from_variables(environ):
    _check_names(environ)
    ours, standard = {}, {}
    for key in KEYS:
        for variable in reversed(variables(key.name)):
            if variable in environ:
                chosen = ours if variable.startswith(_PREFIX) else standard
                chosen[key.name] = _value_of(key, variable, environ[variable])
    if "cloud" in ours or "cloud" in standard:
        # As openstacksdk has it: who names a cloud does not mean the variables
        # of another one, which may be left over from an openrc file.
        standard = {name: value for name, value in standard.items() if name == "cloud"}
    # A password_file of ours replaces an OS_PASSWORD, rather than clash with it.
    for name in SECRETS:
        if name + "_file" in ours:
            standard.pop(name, None)
    return dict(standard, **ours)


__all__ = ["dataset_section", "from_variables", "variables"]
