# -*- test-case-name: tests._configuration.test_clouds_yaml -*-
"""
``clouds.yaml``, where OpenStack's own clients find their clouds.

See "Configuring OpenStack SDK Applications" in openstacksdk's documentation.
Where openstacksdk is installed its own loader reads the files, with its vendor
profiles and whatever it learns to read; elsewhere they are read here.
"""

from __future__ import absolute_import, division, print_function

import os

import attr

from .._support.compat import as_text, integer_types, native
from ..errors import InvalidConfiguration
from .clouds_yaml_keys import CloudProblem, holds_secret, our_keys, without_effect
from .files import load_yaml
from .keys import nearest

_SUFFIXES = (".yaml", ".yml", ".json")
_SYSTEM = "/etc/openstack"
_QUOTE = u"quote values that hold special characters"


@attr.s(frozen=True, hash=False)
class NamedCloud(object):
    """
    What ``clouds.yaml`` says about one cloud.

    :ivar text name: its name there.
    :ivar tuple files: the paths it was read from.
    :ivar tuple secret_files: those of them that hold its secrets.
    :ivar dict values: by our keys' names, unchecked.
    :ivar dict origins: what the cloud calls each of these keys.
    :ivar tuple without_effect: the names of its keys that mean nothing here.
    """

    name = attr.ib()
    files = attr.ib()
    secret_files = attr.ib()
    values = attr.ib(repr=False)
    origins = attr.ib(repr=False)
    without_effect = attr.ib()

    def describe(self):
        """
        :return: text that says where it is.
        """
        return u"cloud '{}' in {}".format(self.name, u" and ".join(self.files))


def _openstacksdk():
    # It takes longer to import than all of this package, and is needed by
    # nobody who has no clouds.yaml.
    try:
        from openstack.config import OpenStackConfig
        from openstack.config.vendors import get_profile
    except ImportError:
        return None
    return OpenStackConfig, get_profile


class CloudFiles(object):
    """
    Where ``clouds.yaml`` and ``secure.yaml`` are looked for.

    :param environ: for ``OS_CLIENT_CONFIG_FILE``, ``OS_CLIENT_SECURE_FILE``
        and ``HOME``.
    :param directory: the current one, by default; it is looked up only now, so
        that a daemon which leaves it finds its files again.
    :param loader: called for openstacksdk's ``OpenStackConfig`` and
        ``get_profile``, or ``None``.
    """

    def __init__(self, environ, directory=None, loader=None):
        home = environ.get("HOME") or os.path.expanduser("~")
        self._directories = [
            os.getcwd() if directory is None else native(directory),
            os.path.join(home, ".config", "openstack"),
            _SYSTEM,
        ]
        self._named = {
            "clouds": environ.get("OS_CLIENT_CONFIG_FILE"),
            "secure": environ.get("OS_CLIENT_SECURE_FILE"),
        }
        self._loader = _openstacksdk if loader is None else loader

    def cloud(self, name, region=None):
        """
        :param text name: which one.
        :param region: of its regions, text; ``None`` for the first.
        :return: the :class:`NamedCloud` as it is now.
        :raises InvalidConfiguration: when there is none, or what it says can't
            be honoured; the key is ``cloud``.
        """
        paths = [path for path in map(self._find, ("clouds", "secure")) if path is not None]
        if not paths or self._find("clouds") is None:
            raise InvalidConfiguration(
                u"cloud",
                u"there is no clouds.yaml in {}".format(
                    u", ".join(as_text(each) for each in self._directories)
                ),
                u"or name the file in OS_CLIENT_CONFIG_FILE",
            )
        files = tuple(as_text(path) for path in paths)
        try:
            layers = _layers(paths, name)
            raw = _overlaid(*layers)
            secret = tuple(path for path, layer in zip(files, layers) if holds_secret(layer))
            config = self._loaded(raw, name, region, paths)
            values, origins = our_keys(config)
        except CloudProblem as error:
            problem = error.problem
        else:
            return NamedCloud(name, files, secret, values, origins, tuple(without_effect(raw)))
        raise InvalidConfiguration(
            u"cloud", u"cloud '{}' in {}: {}".format(name, u" and ".join(files), problem)
        )

    def _find(self, kind):
        if self._named[kind]:
            return self._named[kind]
        for directory in self._directories:
            for suffix in _SUFFIXES:
                path = os.path.join(directory, kind + suffix)
                if os.path.exists(path):
                    return path
        return None

    def _loaded(self, raw, name, region, paths):
        chosen = _region(raw, region)
        sdk = self._loader()
        if sdk is None:
            return _completed(raw, chosen)
        if chosen is not None:
            region = chosen[u"name"]
        elif not _profile(raw):
            # It knows one region only, which a key of ours may replace.
            region = None
        return _by_openstacksdk(sdk, raw, name, region, paths)


# -- reading ------------------------------------------------------------------


def _plain(value):
    """
    As openstacksdk has it: underscores in names, and text for numbers, which
    ids and versions that look like one are meant to be.
    """
    if isinstance(value, dict):
        return {as_text(name).replace(u"-", u"_"): _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, integer_types + (float,)) and not isinstance(value, bool):
        return as_text(value)
    return as_text(value) if isinstance(value, bytes) else value


def _overlaid(below, above=()):
    """One mapping over another, and so on inside of them."""
    merged = dict(below)
    for name, value in dict(above).items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _overlaid(merged[name], value) if both else value
    return merged


def _clouds_in(path):
    document = load_yaml(path, u"cloud", _QUOTE)[1]
    if not isinstance(document, dict):
        # Also what is there while the file is being written.
        raise InvalidConfiguration(u"cloud", u"{} is empty or no mapping".format(as_text(path)))
    clouds = document.get(u"clouds") or {}
    if not isinstance(clouds, dict):
        raise InvalidConfiguration(
            u"cloud", u"'clouds' is no mapping in {}".format(as_text(path))
        )
    return {as_text(name): value for name, value in clouds.items()}


def _layers(paths, name):
    """What each file says about a cloud; the first one must know it."""
    clouds = [_clouds_in(path) for path in paths]
    if name not in clouds[0]:
        raise InvalidConfiguration(
            u"cloud",
            u"'{}' is not in {}; these are: {}".format(
                name, as_text(paths[0]), u", ".join(sorted(clouds[0])) or u"none"
            ),
            nearest(name, clouds[0]),
        )
    layers = [each.get(name, {}) for each in clouds]
    if not all(isinstance(layer, dict) for layer in layers):
        raise CloudProblem(u"it is no mapping")
    return [_plain(layer) for layer in layers]


def _regions(config):
    """A cloud's regions, each with the keys that differ there."""
    regions = config.get(u"regions") or []
    if not isinstance(regions, list):
        raise CloudProblem(u"regions is no list")
    described = [each if isinstance(each, dict) else {u"name": each} for each in regions]
    for each in described:
        if set(each) - {u"name", u"values"} or not each.get(u"name"):
            raise CloudProblem(u"a region has other keys than name and values, or no name")
        if not isinstance(each.get(u"values") or {}, dict):
            raise CloudProblem(u"the values of region {} are no mapping".format(each[u"name"]))
    return described


def _region(config, wanted):
    regions = _regions(config)
    if not regions:
        return None
    wanted = wanted or config.get(u"region_name") or regions[0][u"name"]
    for each in regions:
        if each[u"name"] == wanted:
            return each
    raise CloudProblem(
        u"it has no region {}; these are: {}".format(
            as_text(wanted), u", ".join(as_text(each[u"name"]) for each in regions)
        )
    )


def _profile(raw):
    """The vendor's profile that a cloud, or another profile, names; may be empty."""
    # It was called "cloud" once.
    profile = as_text(raw.get(u"profile") or raw.get(u"cloud") or u"")
    if u"://" in profile:
        raise CloudProblem(
            u"the profile {} would have to be fetched; write what it says into the "
            u"file".format(profile)
        )
    return profile


def _completed(raw, region):
    """A cloud with what its region adds, as openstacksdk would have it."""
    if _profile(raw):
        raise CloudProblem(
            u"the vendor profile {} is known to openstacksdk only: install that, or write "
            u"what the profile says into the file".format(_profile(raw))
        )
    config = dict(raw)
    if region is not None:
        config = _overlaid(config, region.get(u"values") or {})
        config[u"region_name"] = region[u"name"]
    return config


def _by_openstacksdk(sdk, raw, name, region, paths):
    config_class, get_profile = sdk
    # The defaults that it adds would count as given.
    absent = {"auth_type": None, "interface": None}
    options = {} if region is None else {"region_name": region}
    try:
        if _profile(raw):
            _profile(get_profile(_profile(raw)) or {})
        loader = config_class(
            config_files=paths[:1],
            secure_files=paths[1:],
            load_envvars=False,
            override_defaults=absent,
        )
        config = _plain(loader.get_one(cloud=name, validate=False, **options).config)
        if config.get(u"auth_type") is None:
            # It overlooks other spellings.
            config[u"auth_type"] = raw.get(u"auth_type") or raw.get(u"auth_plugin")
        return config
    except CloudProblem:
        raise
    except Exception as error:
        # Its own words may show a secret.
        kind = as_text(type(error).__name__)
    raise CloudProblem(u"openstacksdk can't read it ({})".format(kind))


__all__ = ["CloudFiles", "NamedCloud"]
