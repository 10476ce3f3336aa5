# -*- test-case-name: tests.test_configuration -*-
"""
From a mapping, ``agent.yml`` or the environment to a checked
:class:`Configuration`.  Nothing in here talks to the network.
"""

from __future__ import absolute_import, division, print_function

import difflib
import io

import attr
import yaml

from ._compat import as_text
from ._keys import BY_NAME, KEYS, PLUGINS, REFUSED, SECRETS, type_name
from .errors import InvalidConfiguration

_PREFIX = "TXSTORAGE_"
# The command line's own variables, which are not keys.
_NOT_KEYS = frozenset(["TXSTORAGE_CONFIG"])

_BACKENDS = (u"txstorage", u"openstack")


@attr.s(frozen=True)
class Secret(object):
    """
    A secret, given in the configuration or kept in a file, which is read
    again each time the secret is needed.  Its repr does not show it.

    :ivar text key: the configuration key it belongs to.
    """

    key = attr.ib()
    _value = attr.ib(default=None, repr=False)
    path = attr.ib(default=None)

    def __call__(self):
        """
        :return: the secret, text.
        :raises InvalidConfiguration: when its file can't be read (any more)
            or is empty.
        """
        if self.path is None:
            return self._value
        try:
            with io.open(self.path, encoding="utf-8") as opened:
                secret = opened.read().rstrip(u"\r\n")
            problem = u"it is empty"
        except (EnvironmentError, ValueError) as error:
            secret = None
            # A decoding error would show a piece of the secret.
            problem = as_text(getattr(error, "strerror", None) or u"it is not UTF-8 text")
        if not secret:
            raise InvalidConfiguration(
                self.key, u"can't use {}: {}".format(as_text(self.path), problem)
            )
        return secret


def _nearest(name, names):
    found = difflib.get_close_matches(name, sorted(names), 1)
    return u"did you mean {}?".format(found[0]) if found else u""


def _find_key(name):
    if name in REFUSED:
        raise InvalidConfiguration(name, REFUSED[name])
    if name not in BY_NAME:
        raise InvalidConfiguration(name, u"is not known", _nearest(name, BY_NAME))
    return BY_NAME[name]


def _parse(name, key, value):
    """
    :raises InvalidConfiguration: which shows the value only when it is no
        secret.
    """
    try:
        return key.kind.parse(value)
    except (ValueError, EnvironmentError) as error:
        problem = u"must be {}".format(key.kind.expected)
        if key.kind.shown and not key.secret:
            problem += u", not {}: {}".format(type_name(value), as_text(value))
        elif type_name(value) != u"text":
            problem += u", not {}".format(type_name(value))
        if isinstance(error, EnvironmentError):
            problem += u" ({})".format(as_text(error.strerror))
    # Outside the handler, so that no chained exception shows the value.
    quotes = u"put the value in quotes" if type_name(value) == u"a number" else u""
    raise InvalidConfiguration(name, problem, quotes if key.kind.literal else u"")


def _collect(mapping):
    """
    Parse every given value.

    :return: a ``dict`` of key names, without synonyms, to values.
    """
    values, given_as = {}, {}
    for name in sorted(mapping, key=as_text):
        value, name = mapping[name], as_text(name)
        key = _find_key(name)
        if value is None:
            continue
        value = _parse(name, key, value)
        if values.setdefault(key.name, value) != value:
            raise InvalidConfiguration(
                name, u"says something else than {}".format(given_as[key.name]), u"drop one"
            )
        given_as[key.name] = name
    return values


def _choose_plugin(values):
    name = values.get("auth_plugin")
    if name is None:
        by_application = (
            "application_credential_id" in values or "application_credential_name" in values
        )
        name = u"v3applicationcredential" if by_application else u"password"
    if name == u"rackspace":
        raise InvalidConfiguration(
            u"auth_plugin", u"Rackspace's authentication is not supported", u"use password"
        )
    if name not in PLUGINS:
        known = u", ".join(sorted(PLUGINS))
        raise InvalidConfiguration(
            u"auth_plugin",
            u"{} is not known; these are: {}".format(name, known),
            _nearest(name, PLUGINS),
        )
    return PLUGINS[name]


def _require(names, values, why):
    if not any(name in values for name in names):
        others = u" (or {})".format(u" or ".join(map(as_text, names[1:]))) if names[1:] else u""
        raise InvalidConfiguration(
            as_text(names[0]), u"is missing{}; it is needed {}".format(others, why)
        )


def _check_needs(plugin, values):
    why = u"with auth_plugin {}".format(plugin.name)
    for names in plugin.needs:
        _require(names, values, why)
    # The id says whose credential it is; the name alone does not.
    if "application_credential_name" in values and "application_credential_id" not in values:
        _require(("username", "user_id"), values, u"with application_credential_name")


def _take_secret(name, values):
    """
    Move a secret and its file from the values into one :class:`Secret`.

    :raises InvalidConfiguration: when both are given, or the file is no use.
    """
    value, path = values.pop(name, None), values.pop(name + "_file", None)
    if value is not None and path is not None:
        raise InvalidConfiguration(
            as_text(name), u"is given twice: here and as {}_file".format(name), u"drop one"
        )
    if path is not None:
        secret = Secret(as_text(name + "_file"), path=path)
        secret()
        return secret
    return None if value is None else Secret(as_text(name), value)


def _attributes():
    names = [key for key in KEYS if not key.name.endswith("_file")]
    return {key.name: attr.ib(default=key.default, repr=not key.secret) for key in names}


@attr.s(these=_attributes(), frozen=True, hash=False)
class Configuration(object):
    """
    A checked configuration.  It has an attribute for each key of
    :data:`txstorage._keys.KEYS`, except that

    - ``auth_plugin`` is the canonical name: ``password``,
      ``v3applicationcredential``, ``token`` or ``none``;
    - ``password``, ``application_credential_secret`` and ``token`` are a
      :class:`Secret` or ``None``, wherever they come from;
    - ``cluster_id`` is a ``UUID`` or ``None``.
    """

    @classmethod
    def from_mapping(cls, mapping):
        """
        :param mapping: keys and values as in ``agent.yml``'s ``dataset``
            section, without ``backend``.
        :rtype: Configuration
        :raises InvalidConfiguration: naming the key.
        """
        values = _collect(mapping)
        plugin = _choose_plugin(values)
        _check_needs(plugin, values)
        for name in SECRETS:
            values[name] = _take_secret(name, values)
        return cls(**dict(values, auth_plugin=plugin.name))

    @classmethod
    def from_file(cls, path, **overrides):
        """
        :param path: the path of an ``agent.yml``.
        :param overrides: keys that replace the file's.
        :rtype: Configuration
        :raises InvalidConfiguration: naming the key, the file and the line.
        """
        section, lines = dataset_section(path)
        try:
            return cls.from_mapping(dict(section, **overrides))
        except InvalidConfiguration as error:
            where = _place(path, lines.get(error.key))
            raise InvalidConfiguration(
                error.key, u"{} (in {})".format(error.problem, where), error.remedy
            )

    @classmethod
    def from_environment(cls, environ, **overrides):
        """
        From variables ``TXSTORAGE_<KEY>`` and, where none is set for a key,
        OpenStack's own ``OS_...``.  An empty variable counts as not set.

        :param environ: names to values, native strings.
        :param overrides: keys that replace the environment's.
        :rtype: Configuration
        :raises InvalidConfiguration: naming the key and its variables.
        """
        values = _from_variables({name: value for name, value in environ.items() if value})
        values.update(overrides)
        try:
            return cls.from_mapping(values)
        except InvalidConfiguration as error:
            names = u" or ".join(map(as_text, variables(error.key)))
            raise InvalidConfiguration(
                error.key,
                u"{} (in the environment{})".format(error.problem, names and u": " + names),
                error.remedy,
            )


# -- agent.yml ----------------------------------------------------------------


def _place(path, line):
    return as_text(path) if line is None else u"{}, line {}".format(as_text(path), line)


def _load(path):
    """
    :return: the YAML's root node and what it says.
    """
    try:
        with io.open(path, encoding="utf-8") as opened:
            loader = yaml.SafeLoader(opened.read())
        node = loader.get_single_node()
        return node, loader.construct_document(node) if node is not None else None
    except EnvironmentError as error:
        problem = u"can't be read: {}".format(as_text(error.strerror))
        line = None
    except (ValueError, yaml.YAMLError) as error:
        # What YAML stumbled over may be a secret, so only the place is told.
        mark = getattr(error, "problem_mark", None)
        problem, line = u"is not YAML", mark and mark.line + 1
    raise InvalidConfiguration(
        u"dataset",
        u"{} {}".format(_place(path, line), problem),
        u"give the path of an agent.yml; in it, quote values that hold special characters",
    )


def dataset_section(path):
    """
    :param path: the path of an ``agent.yml``.
    :return: the ``dataset`` section without ``backend``, unchecked, and the
        line number of each of its keys.
    :raises InvalidConfiguration: naming the file and the line.
    """
    node, document = _load(path)
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
                _find_key(as_text(name[len(_PREFIX):].lower()))
            except InvalidConfiguration as error:
                raise InvalidConfiguration(
                    error.key, u"{} ({})".format(error.problem, name), error.remedy
                )


def _from_variables(environ):
    _check_names(environ)
    ours, standard = {}, {}
    for key in KEYS:
        for variable in reversed(variables(key.name)):
            if variable in environ:
                chosen = ours if variable.startswith(_PREFIX) else standard
                chosen[key.name] = _value_of(key, variable, environ[variable])
    # A password_file of ours replaces an OS_PASSWORD, rather than clash with it.
    for name in SECRETS:
        if name + "_file" in ours:
            standard.pop(name, None)
    return dict(standard, **ours)


__all__ = ["Configuration", "Secret", "dataset_section", "variables"]
