"""
The parts of txstorage, and which of them uses which.
"""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import Any, Dict, FrozenSet, Iterator, List, Tuple

import attr
from twisted.internet.task import Clock

from tests.imports import imported, modules
from txstorage.backend import block_device_driver, flocker_driver

Edge = Tuple[str, str]


@attr.s(frozen=True, auto_attribs=True)
class Part:
    """
    :ivar name: as it is drawn.
    :ivar purpose: what it is for, in a few words.
    :ivar modules: below ``txstorage``; a package stands for all in it.
    """

    name: str
    purpose: str
    modules: Tuple[str, ...]


PARTS = (
    Part("cli", "the command line", ("cli",)),
    Part("dataset agent", "Flocker's, asynchronous", ("dataset_agent", "discovery")),
    Part("server", "the embedded service", ("server",)),
    Part("testing", "for authors of drivers", ("testing",)),
    Part("backend", "puts the parts together", ("backend",)),
    Part("blocking", "a reactor in a thread", ("blocking", "_crossing")),
    Part(
        "configuration",
        "agent.yml, clouds.yaml",
        (
            "_configuration",
            "_keys",
            "_kinds",
            "_sources",
            "_files",
            "_clouds",
            "_cloud_keys",
        ),
    ),
    Part("driver", "the operations", ("driver", "attachment", "convergence", "creation")),
    Part("lifecycle", "decides: tables, no I/O", ("lifecycle", "labels")),
    Part("watcher", "waits for all at once", ("watcher",)),
    Part(
        "devices",
        "which device is the volume's",
        ("devices", "connected", "_matching", "_blockdevices", "_places", "_uevents"),
    ),
    Part(
        "node",
        "which instance this is",
        ("node", "_configdrive", "_images", "_iso9660", "_vfat"),
    ),
    Part("services", "Keystone, Cinder, Nova", ("services",)),
    Part("connector", "a host without Compute", ("connector", "host", "_brick")),
    Part(
        "http",
        "one exchange: retries, TLS",
        (
            "http",
            "_agents",
            "_tls",
            "_client_certificates",
            "_bodies",
            "_messages",
            "_failures",
            "_ratelimit",
        ),
    ),
)

#: What every part uses, so that nobody needs an arrow to be told.
GROUND = Part(
    "interfaces, errors, log",
    "Flocker's contract, errors with remedies, every Eliot message; and what makes 2.7 and 3 one",
    ("interfaces", "_standins", "errors", "_logging", "_compat", "_version", "_deferreds"),
)


def part_of(module: str) -> Part:
    """
    :param module: a dotted name below ``txstorage``.
    :raises KeyError: when it belongs to none, or to two.
    """
    found = [
        part
        for part in (*PARTS, GROUND)
        if any((module + ".").startswith(name + ".") for name in part.modules)
    ]
    if len(found) != 1:
        message = "{} has to be in one part of docs/rendering/parts.py, and is in {}"
        raise KeyError(message.format(module, len(found)))
    return found[0]


@lru_cache(maxsize=None)
def imports() -> FrozenSet[Edge]:
    """Pairs of parts, the first of which imports a module of the second."""
    pairs = {
        (part_of(name).name, part_of(target).name)
        for name, path in modules()
        for target in imported(name, path)
    }
    return frozenset((one, other) for one, other in pairs if one != other)


# -- what is handed over at run time ----------------------------------------------

_SOMEWHERE: Dict[str, Any] = {
    "auth_url": "http://cloud.invalid/v3",
    "username": "u",
    "password": "p",
    "project_name": "p",
}


def _drivers() -> List[Any]:
    """Drivers as the factories make them, which talk to nobody until they are asked to."""
    cluster, clock = uuid.UUID(int=1), Clock()
    return [
        flocker_driver(clock, cluster, **_SOMEWHERE),
        block_device_driver(clock, cluster, attach_through="storage", **_SOMEWHERE),
    ]


def _held(thing: Any) -> Iterator[Any]:
    for value in vars(thing).values():
        if type(value).__module__.startswith("txstorage.") and hasattr(value, "__dict__"):
            yield value


def _module(thing: Any) -> str:
    return type(thing).__module__[len("txstorage.") :]


@lru_cache(maxsize=None)
def handed() -> FrozenSet[Edge]:
    """
    Pairs of parts, the first of which holds an object of the second, in a
    driver; but for those of which the first imports the second anyway.
    """
    found, seen, waiting = set(), set(), _drivers()
    # Held on to, so that no id is used twice.
    all_of_them = list(waiting)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        for value in _held(thing):
            found.add((part_of(_module(thing)).name, part_of(_module(value)).name))
            waiting.append(value)
            all_of_them.append(value)
    ground = GROUND.name
    return frozenset((a, b) for a, b in found - imports() if a != b and ground not in (a, b))


__all__ = ["GROUND", "PARTS", "Edge", "Part", "handed", "imports", "part_of"]
