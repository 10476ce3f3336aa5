# -*- test-case-name: tests._configuration.test_configuration -*-
"""
From a mapping, ``agent.yml`` or the environment to a checked
:class:`Configuration`.  Nothing in here talks to the network.
"""

from __future__ import absolute_import, division, print_function

import os

import attr

from .._log import CONFIGURATION_NOTE
from .._support.compat import as_text
from ..errors import InvalidConfiguration
from .clouds_yaml import CloudFiles
from .clouds_yaml_keys import without_replaced
from .files import Secret, place
from .keys import KEYS, PLUGINS, SECRETS, find_key, nearest
from .sources import dataset_section, from_variables, variables
from .value_types import type_name


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
        key = find_key(name)
        if value is None:
            continue
        value = _parse(name, key, value)
        if values.setdefault(key.name, value) != value:
            raise InvalidConfiguration(
                name, u"says something else than {}".format(given_as[key.name]), u"drop one"
            )
        given_as[key.name] = name
    return values


def _with_cloud(given, cloud):
    """What is given, and what the cloud says about the rest."""
    try:
        return dict(_collect(without_replaced(cloud.values, given)), **given)
    except InvalidConfiguration as error:
        origin = cloud.origins.get(error.key, error.key)
        raise InvalidConfiguration(
            error.key,
            u"{} ({} of {})".format(error.problem, origin, cloud.describe()),
            error.remedy,
        )


def _with_domains(values):
    """The default domain, in place of each one that is not given."""
    default = [
        (kind, values["default_domain_" + kind])
        for kind in ("id", "name")
        if "default_domain_" + kind in values
    ]
    for which in ("user_domain_", "project_domain_"):
        if default and not {which + "id", which + "name"} & set(values):
            kind, domain = default[0]
            values = dict(values, **{which + kind: domain})
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
            nearest(name, PLUGINS),
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


_SCOPES = (("trust_id",), ("system_scope",), ("project_id", "project_name"))


def _check_scope(plugin, values):
    given = [name for names in _SCOPES for name in names if name in values]
    kinds = [names for names in _SCOPES if set(names) & set(values)]
    if len(kinds) > 1:
        raise InvalidConfiguration(
            as_text(given[0]), u"can't be given together with {}".format(given[1]), u"drop one"
        )
    if plugin.name == u"v3applicationcredential" and {"trust_id", "system_scope"} & set(given):
        raise InvalidConfiguration(
            as_text(given[0]), u"can't be given with an application credential, which is for "
            u"the project it was made in", u"drop it"
        )
    if "client_key" in values:
        _require(("client_certificate",), values, u"with client_key")


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
    attributes = {key.name: attr.ib(default=key.default, repr=not key.secret) for key in names}
    attributes["secret_files"] = attr.ib(default=(), repr=False, cmp=False)
    attributes["_load"] = attr.ib(default=None, repr=False, cmp=False)
    return attributes


@attr.s(these=_attributes(), frozen=True, hash=False)
class Configuration(object):
    """
    A checked configuration.  It has an attribute for each key of
    :data:`txstorage._configuration.keys.KEYS`, except that

    - ``auth_plugin`` is the canonical name: ``password``,
      ``v3applicationcredential``, ``token`` or ``none``;
    - ``password``, ``application_credential_secret`` and ``token`` are a
      :class:`Secret` or ``None``, wherever they come from;
    - ``cluster_id`` is a ``UUID`` or ``None``.

    :ivar tuple secret_files: the paths of the ``clouds.yaml`` and
        ``secure.yaml`` whose secrets it has.
    """

    @classmethod
    def from_mapping(cls, mapping, environ=None):
        """
        :param mapping: keys and values as in ``agent.yml``'s ``dataset``
            section, without ``backend``.
        :param environ: names to values, which say where ``clouds.yaml`` is;
            this process's by default.
        :rtype: Configuration
        :raises InvalidConfiguration: naming the key.
        """
        given = _collect(mapping)
        files = None
        if "cloud" in given:
            files = CloudFiles(os.environ if environ is None else environ)

        def load():
            cloud = None
            if files is not None:
                cloud = files.cloud(given["cloud"], given.get("region"))
            return cls._checked(given, cloud, load), cloud

        made, cloud = load()
        for name in cloud.without_effect if cloud else ():
            CONFIGURATION_NOTE(
                source=cloud.describe(), reason=u"{} has no effect here".format(name)
            ).write()
        return made

    @classmethod
    def _checked(cls, given, cloud, load):
        values = _with_domains(given if cloud is None else _with_cloud(given, cloud))
        plugin = _choose_plugin(values)
        _check_needs(plugin, values)
        _check_scope(plugin, values)
        values = dict(values)
        for name in SECRETS:
            values[name] = _take_secret(name, values)
        return cls(
            auth_plugin=plugin.name,
            secret_files=() if cloud is None else cloud.secret_files,
            load=load,
            **{name: value for name, value in values.items() if name != "auth_plugin"}
        )

    def reread(self):
        """
        :return: the :class:`Configuration` as it is now that the files that it
            names may have changed.
        :raises InvalidConfiguration: naming the key.
        """
        return self._load()[0]

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
            where = place(path, lines.get(error.key))
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
        values = from_variables({name: value for name, value in environ.items() if value})
        values.update(overrides)
        try:
            return cls.from_mapping(values, environ)
        except InvalidConfiguration as error:
            names = u" or ".join(map(as_text, variables(error.key)))
            raise InvalidConfiguration(
                error.key,
                u"{} (in the environment{})".format(error.problem, names and u": " + names),
                error.remedy,
            )


__all__ = ["Configuration", "Secret", "dataset_section", "variables"]
