# -*- test-case-name: tests.docker.diagnosis.test_examination -*-
"""
All checks of the machine, in their order.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from typing import Callable

import attr

from ..._support import linux
from ...filesystem import Options
from ...interfaces import LabelledVolume
from ..options import NAME, filesystem_options
from .local_volumes import check_local_volumes
from .node import check_encryption, check_journal, check_programs, check_view
from .results import CheckResult
from .sockets import check_sockets


@attr.s(auto_attribs=True, frozen=True, kw_only=True)
class Surroundings:
    """
    The places to look at.

    :ivar journal: the path of the plugin's journal.
    :ivar mounts: the directory of the mount points.
    :ivar kind: the kind of file system of new volumes.
    :ivar key_file: the path of the key of encrypted volumes, or ``None``.
    :ivar volumes: the file systems of the plugin's volumes, by their names.
    :ivar engine: the path of the engine's socket.
    :ivar pid_file: the file with the engine's process id.
    :ivar sockets: the directory of plugins' sockets.
    :ivar specs: the directories of files that describe plugins.
    :ivar wanted: the link by which systemd opens the plugin's socket.
    """

    journal: str
    mounts: str
    kind: str = "ext4"
    key_file: str | None = None
    volumes: Mapping[str, Options] = attr.Factory(dict)
    engine: str = "/var/run/docker.sock"
    pid_file: str = "/var/run/docker.pid"
    sockets: str = "/run/docker/plugins"
    specs: tuple[str, ...] = ("/etc/docker/plugins", "/usr/lib/docker/plugins")
    wanted: str = "/etc/systemd/system/sockets.target.wants/txstorage-docker.socket"


#: The checks by their names.
CHECKS: dict[str, Callable[[Surroundings], CheckResult]] = {
    "programs": lambda at: check_programs({at.kind, *(each.kind for each in at.volumes.values())}),
    "encryption": lambda at: check_encryption(_encrypted(at), at.key_file),
    "journal": lambda at: check_journal(at.journal),
    "sockets": lambda at: check_sockets(at.sockets, at.specs),
    "mounts": lambda at: check_view(at.mounts, at.journal, at.pid_file),
    "local volumes": lambda at: check_local_volumes(at.engine, at.volumes),
}


def filesystems_of(volumes: Iterable[LabelledVolume]) -> dict[str, Options]:
    """
    :param volumes: those of the cluster.
    :return: the file systems of the plugin's volumes, by their names.
    """
    return {
        each.labels[NAME]: filesystem_options(each.labels)
        for each in volumes
        if NAME in each.labels
    }


def _encrypted(at: Surroundings) -> list[str]:
    return sorted(name for name, each in at.volumes.items() if each.encrypted)


def concerns(surroundings: Surroundings) -> bool:
    """:return: whether this machine has an engine, or is to run the plugin."""
    places = (surroundings.engine, surroundings.wanted, surroundings.journal)
    programs = ("dockerd", "podman")
    return any(map(os.path.lexists, places)) or any(
        shutil.which(each, path=linux.SYSTEM_PATH) for each in programs
    )


def examine(surroundings: Surroundings) -> dict[str, CheckResult]:
    """
    Carry out all checks.  They block: call this in a thread, and never in a plugin that serves an
    engine.

    :param surroundings: the :class:`Surroundings`.
    :return: the findings by the names of the checks.
    """
    return {name: check(surroundings) for name, check in CHECKS.items()}


__all__ = ["CHECKS", "Surroundings", "concerns", "examine", "filesystems_of"]
