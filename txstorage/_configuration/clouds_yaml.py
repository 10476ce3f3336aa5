# -*- test-case-name: tests._configuration.test_clouds_yaml -*-
"""
Clouds from ``clouds.yaml``, the configuration file of OpenStack's own clients.

openstacksdk's loader interprets the files; see "Configuring OpenStack SDK Applications" in its
documentation.
"""

from __future__ import absolute_import, division, print_function

import os

import attr

from .._support.compat import as_text, native
from ..errors import InvalidConfiguration
from .cloud_keys import contains_secret, values_of, without_effect
from .files import load_section
from .keys import nearest
from .openstacksdk import check_installed, load, profile_notes

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Mapping, Optional, Text, Tuple  # noqa: F401

_SUFFIXES = (".yaml", ".yml", ".json")
_SYSTEM = "/etc/openstack"


@attr.s(frozen=True, hash=False)
class CloudSettings(object):
    """
    The settings of one cloud of ``clouds.yaml``.

    :ivar text name: the cloud's name.
    :ivar tuple files: the paths of the files that were read, text.
    :ivar tuple secret_files: the paths of the files that contain the cloud's secrets, text.
    :ivar dict values: unchecked values by txstorage's key names.
    :ivar tuple notes: texts about keys without effect, and about a deprecated vendor profile.
    """

    name = attr.ib()  # type: Text
    files = attr.ib()  # type: Tuple[Text, ...]
    secret_files = attr.ib()  # type: Tuple[Text, ...]
    values = attr.ib(repr=False)  # type: Dict[Text, Any]
    notes = attr.ib()  # type: Tuple[Text, ...]

    def describe(self):
        # type: () -> Text
        """
        :return: the cloud's name and files, as text for messages.
        """
        return _description(self.name, self.files)


class CloudFiles(object):
    """
    The files ``clouds.yaml``, ``secure.yaml`` and ``clouds-public.yaml``.

    :param environ: variables, of which ``OS_CLIENT_CONFIG_FILE``, ``OS_CLIENT_SECURE_FILE``,
        ``XDG_CONFIG_HOME``, ``XDG_CONFIG_DIRS`` and ``HOME`` are used.
    :param directory: the directory to search first; the current one by default, which is
        determined now, so that a daemon can change its directory later.
    """

    def __init__(self, environ, directory=None):
        # type: (Mapping[str, str], Optional[Text]) -> None
        self._directories = [
            os.getcwd() if directory is None else native(directory)
        ] + search_directories(environ)
        self._named = {
            "clouds": environ.get("OS_CLIENT_CONFIG_FILE"),
            "secure": environ.get("OS_CLIENT_SECURE_FILE"),
        }

    def cloud(self, name, region=None):
        # type: (Text, Optional[Text]) -> CloudSettings
        """
        Read the files, and return the current settings of a cloud.

        :param text name: the cloud's name.
        :param text region: one of the cloud's regions; ``None`` for the first.
        :rtype: CloudSettings
        :raises InvalidConfiguration: when openstacksdk is not installed, or the cloud does not
            exist or cannot be used; the key is ``cloud``.
        """
        check_installed()
        clouds, secure = self._find("clouds"), self._find("secure")
        if clouds is None:
            raise InvalidConfiguration(
                u"cloud",
                u"no clouds.yaml in {}".format(u", ".join(map(as_text, self._directories))),
                u"or name the file in OS_CLIENT_CONFIG_FILE",
            )
        paths = [clouds] if secure is None else [clouds, secure]
        files = tuple(map(as_text, paths))
        layers = _layers(paths, name)
        cloud = _merge(*layers)
        notes = [u"{} has no effect here".format(each) for each in without_effect(cloud)]
        try:
            public = self._find("clouds-public")
            notes += profile_notes(cloud, public)
            values = values_of(load(name, cloud, region, public))
        except InvalidConfiguration as error:
            raise InvalidConfiguration(
                u"cloud", u"{}: {}".format(_description(name, files), error.problem)
            )
        secret_files = [path for path, layer in zip(files, layers) if contains_secret(layer)]
        return CloudSettings(name, files, tuple(secret_files), values, tuple(notes))

    def _find(self, kind):
        # type: (str) -> Optional[str]
        named = self._named.get(kind)
        if named:
            return named
        for directory in self._directories:
            for suffix in _SUFFIXES:
                path = os.path.join(directory, kind + suffix)
                if os.path.exists(path):
                    return path
        return None


def search_directories(environ):
    # type: (Mapping[str, str]) -> List[str]
    """
    :param environ: variables, names to values.
    :return: a list of the paths to search, in the order of openstacksdk, besides the current
        directory.
    """
    home = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")
    user = environ.get("XDG_CONFIG_HOME", "")
    system = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    # The XDG base directory specification ignores relative paths.
    bases = [path for path in [user, home] + system if os.path.isabs(path)]
    found = [os.path.join(base, "openstack") for base in bases] + [_SYSTEM]
    return [path for number, path in enumerate(found) if path not in found[:number]]


def _description(name, files):
    # type: (Text, Tuple[Text, ...]) -> Text
    return u"cloud '{}' in {}".format(name, u" and ".join(files))


def _without_empty(value):
    # type: (Any) -> Any
    """Drop keys without a value; spell the others with underscores."""
    if isinstance(value, dict):
        return {
            as_text(name).replace(u"-", u"_"): _without_empty(each)
            for name, each in value.items()
            if each is not None
        }
    return [_without_empty(each) for each in value] if isinstance(value, list) else value


def _merge(cloud, secure=None):
    # type: (Dict[Text, Any], Optional[Dict[Text, Any]]) -> Dict[Text, Any]
    """Lay ``secure.yaml`` over ``clouds.yaml``."""
    secure = secure or {}
    auth = dict(cloud.get(u"auth", {}), **secure.get(u"auth", {}))
    return dict(cloud, **dict(secure, auth=auth))


def _layers(paths, name):
    # type: (List[str], Text) -> List[Dict[Text, Any]]
    """Read a cloud's keys from each file; the first file must contain the cloud."""
    sections = [load_section(path, u"clouds", u"cloud") for path in paths]
    if name not in sections[0]:
        raise InvalidConfiguration(
            u"cloud",
            u"'{}' is not in {}, which contains: {}".format(
                name, as_text(paths[0]), u", ".join(sorted(sections[0])) or u"no cloud"
            ),
            nearest(name, sections[0]),
        )
    layers = [_without_empty(section.get(name) or {}) for section in sections]
    for path, layer in zip(paths, layers):
        if not isinstance(layer, dict) or not isinstance(layer.get(u"auth", {}), dict):
            raise InvalidConfiguration(
                u"cloud",
                u"{}, or its auth, is not a mapping".format(_description(name, (as_text(path),))),
            )
    return layers


__all__ = ["CloudFiles", "CloudSettings", "search_directories"]
