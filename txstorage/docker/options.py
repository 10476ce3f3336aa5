# -*- test-case-name: tests.docker.test_options -*-
"""
The names of volumes, their options, and the labels that carry both in the cloud.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Callable
from uuid import UUID, uuid5

import attr

from .._support.notations.sizes import LARGEST, format_size, parse_size
from ..errors import InvalidFilesystem, InvalidName, InvalidOption
from ..filesystem import KINDS, Options, words

#: The label of a volume's name.
NAME = "docker-name"
#: The label of a volume that has never been mounted.
NEW = "docker-new"
#: The label of an attached volume that its node will detach soon: the node's id.
IDLE = "docker-idle"
#: The label of a volume whose removal has begun, which no node may mount: the id of the node that
#: removes it.
REMOVING = "docker-removing"
#: The label of the folder that containers see, which the first mount of an adopted volume chooses.
FOLDER = "docker-folder"

_PREFIX = "docker-"
_GIB = 2**30

# As Docker's own names, moby's volume/names; a label's value has at most 255 characters.
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,199}")

_HIGHEST_ID = 2**32 - 2


def _any(value: str) -> str:
    if not value:
        raise ValueError("it is empty")
    if len(value) > 255 or not value.isprintable():
        raise ValueError("it is longer than 255 characters, or not printable")
    return value


def _size(value: str) -> str:
    if re.fullmatch(r"[0-9]+", value):
        if int(value) >= 2**20:
            raise ValueError(f"{value} GiB are too many: bytes need the unit B")
        value += "GiB"
    size = parse_size(value)
    if size > LARGEST:
        raise ValueError(f"it is more than {format_size(LARGEST)}")
    return str(size)


def _kind(value: str) -> str:
    if value not in KINDS:
        raise ValueError("it is not one of " + ", ".join(KINDS))
    return value


def _id(value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) > _HIGHEST_ID:
        raise ValueError("it is not a number of a user or a group")
    return str(int(value))


def _mode(value: str) -> str:
    if not re.fullmatch(r"[0-7]{3,4}", value):
        raise ValueError("it is not an octal number such as 0750")
    return f"{int(value, 8):04o}"


def _encryption(value: str) -> str:
    if value != "luks":
        raise ValueError("it is not 'luks'")
    return value


def _takeover(value: str) -> str:
    if value not in ("never", "dead"):
        raise ValueError("it is neither 'never' nor 'dead'")
    return value


def _mkfs(value: str) -> str:
    Options(make=words(_any(value)))
    return value


def _mount(value: str) -> str:
    Options(mount=tuple(_any(value).split(",")))
    return value


@attr.s(auto_attribs=True, frozen=True)
class _Option:
    """
    An option of ``docker volume create``.

    :ivar read: checks a value, and returns its canonical form; raises ``ValueError``.
    :ivar example: a remedy for an invalid value.
    """

    read: Callable[[str], str]
    example: str


#: The options, by name.
OPTIONS: dict[str, _Option] = {
    "size": _Option(_size, "use a size such as 20GiB; a number alone counts GiB"),
    "profile": _Option(_any, "use a profile of the configuration, such as gold"),
    "fs": _Option(_kind, "use one of " + ", ".join(KINDS)),
    "mkfs-options": _Option(_mkfs, "use options of the file system's mkfs, such as '-i 8192'"),
    "mount-options": _Option(_mount, "use options of mount(8), such as noatime,nodiratime"),
    "encryption": _Option(_encryption, "use 'luks', or omit it"),
    "uid": _Option(_id, "use a number such as 999"),
    "gid": _Option(_id, "use a number such as 999"),
    "mode": _Option(_mode, "use an octal number such as 0750"),
    "from": _Option(_any, "use the id of a volume that belongs to no cluster"),
    "snapshot": _Option(_any, "use the name or the id of a snapshot"),
    "clone": _Option(_any, "use the name or the id of a volume"),
    "takeover": _Option(_takeover, "use 'dead' to take the volume from a dead node, or 'never'"),
}

#: The options that give a volume its first contents; at most one is possible.
SOURCES = ("from", "snapshot", "clone")

# The options of a new file system, and those of a new volume besides.
_OF_NEW = ("fs", "mkfs-options", "uid", "gid", "mode")
_OF_NEW_VOLUMES = {"snapshot": _OF_NEW, "clone": _OF_NEW, "from": (*_OF_NEW, "size", "profile")}

# Those that are not labels: the volume itself has its size.
_NOT_LABELS = ("size",)


def checked_name(name: str) -> str:
    """
    :param name: of a volume.
    :return: the name.
    :raises InvalidName: it is not one.
    """
    if not _NAME.fullmatch(name):
        raise InvalidName(name)
    return name


def dataset_of(cluster_id: UUID, name: str) -> UUID:
    """
    :return: the dataset of a volume's name, the same on every node, so that a name's volume is made
        exactly once.
    """
    return uuid5(cluster_id, "docker:" + name)


def checked_options(name: str, given: Mapping[str, object] | None) -> dict[str, str]:
    """
    Check the options of ``docker volume create``.

    :param name: the volume's.
    :param given: the options by name, or ``None``.
    :return: their canonical values by name; sizes are bytes.
    :raises InvalidOption: one is unknown, or has an invalid value.
    """
    found = {key: _checked(name, key, value) for key, value in (given or {}).items()}
    sources = [key for key in SOURCES if key in found]
    if len(sources) > 1:
        raise InvalidOption(
            name, sources[1], f"{sources[0]} is given, too", f"use one of {', '.join(SOURCES)}"
        )
    for source in sources:
        for key in _OF_NEW_VOLUMES[source]:
            if key in found:
                raise InvalidOption(
                    name, key, f"a volume made with {source} has its own", "omit it"
                )
    return found


def _checked(name: str, key: str, value: object) -> str:
    option = OPTIONS.get(key)
    if option is None:
        nearest = get_close_matches(key.lower(), OPTIONS, 1, 0.5)
        remedy = f"did you mean {nearest[0]}?" if nearest else "use one of " + ", ".join(OPTIONS)
        raise InvalidOption(name, key, "there is no such option", remedy)
    if not isinstance(value, str):
        raise InvalidOption(name, key, f"{value!r} is not a text", option.example)
    try:
        return option.read(value.strip())
    except InvalidFilesystem as error:
        raise InvalidOption(name, key, error.message, option.example) from None
    except ValueError as error:
        problem = str(error) if " " in str(error) else f"can't read {value!r}"
        raise InvalidOption(name, key, problem, option.example) from None


def labels_for(name: str, options: Mapping[str, str], kind: str) -> dict[str, str]:
    """
    :param name: a new volume's.
    :param options: of :func:`checked_options`.
    :param kind: the kind of file system when the options have none.
    :return: the labels for the volume, text to text.
    """
    labels = {NAME: name}
    for key, value in options.items():
        if key not in _NOT_LABELS:
            labels[_PREFIX + key] = value
    if not any(key in options for key in SOURCES):
        labels[NEW] = "1"
        labels.setdefault(_PREFIX + "fs", kind)
    return labels


def options_in(labels: Mapping[str, str]) -> dict[str, str]:
    """
    :param labels: a volume's, which other programs may have changed.
    :return: its options by name; those that can't be read are left out.
    """
    found = {}
    for key, option in OPTIONS.items():
        value = labels.get(_PREFIX + key)
        if value is not None:
            try:
                found[key] = option.read(value)
            except (ValueError, InvalidFilesystem):
                continue
    return found


def differences(
    asked: Mapping[str, str], labels: Mapping[str, str], size: int, unit: int
) -> list[str]:
    """
    Compare options with those of an existing volume.  Options that are not given do not matter.

    :param asked: of :func:`checked_options`.
    :param labels: the volume's.
    :param size: the volume's, in bytes.
    :param unit: bytes that sizes are rounded up to.
    :return: a text for each difference.
    """
    has = options_in(labels)
    found = []
    for key, value in asked.items():
        if key == "size":
            if -(-int(value) // unit) * unit != size:
                found.append(f"size is {format_size(size)}, not {format_size(int(value))}")
        elif has.get(key) != value:
            found.append(f"{key} is {has.get(key, 'not set')}, not {value}")
    return found


def filesystem_options(labels: Mapping[str, str]) -> Options:
    """
    :param labels: a volume's.
    :return: the :class:`~txstorage.filesystem.Options` of its file system.
    """
    has = options_in(labels)
    mount = has.get("mount-options")
    return Options(
        kind=has.get("fs", "ext4"),
        make=words(has.get("mkfs-options", "")),
        mount=tuple(mount.split(",")) if mount else (),
        uid=int(has.get("uid", "0")),
        gid=int(has.get("gid", "0")),
        mode=int(has.get("mode", "0755"), 8),
        encrypted="encryption" in has,
    )


__all__ = [
    "FOLDER",
    "IDLE",
    "NAME",
    "NEW",
    "OPTIONS",
    "REMOVING",
    "SOURCES",
    "checked_name",
    "checked_options",
    "dataset_of",
    "differences",
    "filesystem_options",
    "labels_for",
    "options_in",
]
