# -*- test-case-name: tests.docker.diagnosis.test_node -*-
"""
The node's own part: programs, the journal, and what the engine sees of the mounts.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from urllib.parse import quote

from ...errors import ProgramMissing
from ...filesystem import KINDS, Options, installed, problem_of
from ..options import filesystem_options
from .results import CheckResult, together

#: The programs that all kinds of file systems need.
ALWAYS = ("blkid", "mount", "umount")


def programs_for(kind: str) -> list[str]:
    """:return: the names of the programs for a kind of file system."""
    chosen = KINDS[kind]
    return [command[0] for command in (chosen.make, chosen.check, chosen.grow) if command]


def _missing(programs: Collection[str]) -> dict[str, str]:
    """:return: the remedies, by the names of the programs that are not installed."""
    found = {}
    for program in programs:
        try:
            installed(program)
        except ProgramMissing as error:
            found[program] = error.remedy
    return found


def check_programs(used: Collection[str]) -> CheckResult:
    """
    Look for the programs that make, check, mount and grow file systems.

    :param used: the kinds of the volumes, and of new ones.
    """
    problems = [
        CheckResult("fail", f"{program} is not installed", remedy)
        for program, remedy in _missing(ALWAYS).items()
    ]
    usable = []
    for kind in KINDS:
        missing = _missing(programs_for(kind))
        if not missing:
            usable.append(kind)
        elif kind in used:
            problems += [
                CheckResult("fail", f"{program}, for {kind}, is not installed", remedy)
                for program, remedy in missing.items()
            ]
    return together(problems, "programs for: " + ", ".join(usable))


def check_encryption(encrypted: Collection[str], key_file: str | None) -> CheckResult:
    """
    Look for what encrypted volumes need.

    :param encrypted: the names of the volumes that are encrypted.
    :param key_file: the path of their key, or ``None``.
    """
    if not encrypted and key_file is None:
        return CheckResult("skipped", "no volume is encrypted")
    problems = [
        CheckResult("fail", f"{program}, for encrypted volumes, is not installed", remedy)
        for program, remedy in _missing(["cryptsetup"]).items()
    ]
    problem = problem_of(key_file)
    if problem is not None:
        problems.append(CheckResult("fail", *problem))
    return together(problems, "encrypted volumes can be opened")


def known_volumes(path: str) -> dict[str, Options]:
    """
    :param path: the journal's.
    :return: the file systems of the volumes in it, by their names; empty when it can't be read.
    """
    with suppress(sqlite3.Error, ValueError), closing(_opened(path)) as database:
        rows = database.execute("SELECT name, labels FROM volumes").fetchall()
        return {name: filesystem_options(json.loads(labels)) for name, labels in rows}
    return {}


def _opened(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)


def check_journal(path: str) -> CheckResult:
    """
    Look at the plugin's journal, which may be in use.

    :param path: the file's.
    """
    if not os.path.exists(path):
        return CheckResult("skipped", f"there is no {path} before the plugin's first start")
    try:
        with closing(_opened(path)) as database:
            [state] = database.execute("PRAGMA quick_check(1)").fetchone()
            [volumes] = database.execute("SELECT count(*) FROM volumes").fetchone()
    except sqlite3.Error as error:
        state, volumes = str(error), 0
    problems = []
    if state != "ok":
        problems.append(
            CheckResult(
                "fail",
                f"{path} is damaged: {state}",
                "restart the plugin, which makes it again from the cloud's volumes",
            )
        )
    if os.path.exists(path + ".damaged"):
        problems.append(
            CheckResult(
                "warning",
                f"the journal was damaged once, and is kept as {path}.damaged",
                f"check the disk and its file system, and remove {path}.damaged",
            )
        )
    return together(problems, f"{path} knows {volumes} volume{'' if volumes == 1 else 's'}")


# -- the engine's view ---------------------------------------------------------------


def process_with(path: str, proc: str = "/proc") -> int | None:
    """:return: the id of a process that has a file open, or ``None``."""
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):
        directory = os.path.join(proc, str(pid), "fd")
        with suppress(OSError):
            for name in os.listdir(directory):
                if os.readlink(os.path.join(directory, name)) == path:
                    return pid
    return None


def engine_process(pid_file: str, proc: str = "/proc") -> int | None:
    """:return: the id of the engine's process, from the file in which it keeps it, or ``None``."""
    with suppress(OSError, ValueError), open(pid_file, encoding="ascii") as opened:
        pid = int(opened.read())
        with open(os.path.join(proc, str(pid), "comm"), encoding="utf-8") as name:
            return pid if name.read().strip() == "dockerd" else None
    return None


def _groups(pid: int, proc: str) -> Iterator[tuple[str, set[str], set[str]]]:
    """
    :return: for each mount that a process sees, the mount point, and the numbers of the groups to
        which it sends mounts, and of those from which it receives them.
    """
    path = os.path.join(proc, str(pid), "mountinfo")
    with open(path, encoding="utf-8", errors="surrogateescape") as opened:
        for line in opened:
            words = line.partition(" - ")[0].split(" ")
            fields = [word.partition(":") for word in words[6:]]
            sends = {number for name, _, number in fields if name == "shared"}
            receives = {number for name, _, number in fields if name in ("shared", "master")}
            yield words[4], sends, receives


def shares(directory: str, plugin: int, engine: int, proc: str = "/proc") -> bool:
    """
    :param directory: of the plugin's mounts.
    :param plugin: its process.
    :param engine: the engine's process.
    :return: whether the engine sees what the plugin mounts there.
    """
    ours, theirs = (os.path.join(proc, str(pid), "ns", "mnt") for pid in (plugin, engine))
    if os.readlink(ours) == os.readlink(theirs):
        return True
    sends: set[str] = set()
    longest = ""
    for mounted_at, numbers, _ in _groups(plugin, proc):
        above = directory == mounted_at or directory.startswith(mounted_at.rstrip("/") + "/")
        if above and len(mounted_at) >= len(longest):
            longest, sends = mounted_at, numbers
    return any(sends & receives for _, _, receives in _groups(engine, proc))


def check_view(directory: str, journal: str, pid_file: str, proc: str = "/proc") -> CheckResult:
    """
    Check that the engine sees what the plugin mounts.

    :param directory: of the mounts.
    :param journal: the path of the journal, which the plugin has open.
    :param pid_file: the file of the engine's process id.
    """
    engine = engine_process(pid_file, proc)
    if engine is None:
        return CheckResult("skipped", "no engine of Docker runs")
    plugin = process_with(journal, proc)
    if plugin is None:
        return CheckResult("skipped", "the plugin does not run; engines start it when they need it")
    try:
        seen = shares(directory, plugin, engine, proc)
    except OSError as error:
        return CheckResult(
            "skipped", f"the mounts of process {engine} can't be read: {error.strerror}"
        )
    if seen:
        return CheckResult("ok", f"the engine sees the mounts in {directory}")
    return CheckResult(
        "fail",
        f"the engine does not see the mounts in {directory}: the plugin has a mount namespace of "
        "its own, and refuses to mount",
        "remove PrivateTmp=, PrivateMounts=, ProtectSystem= and the like from the plugin's unit; "
        "share the directory with a container: --volume DIRECTORY:DIRECTORY:rshared",
    )


__all__ = [
    "check_encryption",
    "check_journal",
    "check_programs",
    "check_view",
    "known_volumes",
    "programs_for",
]
