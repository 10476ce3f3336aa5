"""
The wings of txstorage, the imports between them, and the objects they are handed.
"""

from __future__ import annotations

import ast
import os
import uuid
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from twisted.internet.task import Clock

from tests.helpers.imports import LAYERS, PACKAGE, imported, modules, wing_of
from txstorage._assembly import block_device_driver
from txstorage.flocker.backend import flocker_driver

Edge = tuple[str, str]

#: The wings that all others use; arrows to them would add nothing.
GROUND = ("errors", "interfaces", "_log", "_support", "_version")
#: The other wings, from the top down.
WINGS = tuple(wing for row in LAYERS for wing in row if wing not in GROUND)


def purpose(wing: str) -> str:
    """
    :param wing: the name of a wing, or of a room beside the wings.
    :return: the first paragraph of its docstring, in one line.
    """
    path = os.path.join(PACKAGE, wing, "__init__.py")
    if not os.path.exists(path):
        path = os.path.join(PACKAGE, wing + ".py")
    with open(path, encoding="utf-8") as source:
        docstring = ast.get_docstring(ast.parse(source.read())) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def rooms(wing: str) -> tuple[str, ...]:
    """
    :param wing: the name of a wing.
    :return: the names of its modules below the wing, sorted; none of a room beside the wings.
    """
    found = {name for name, _ in modules() if wing_of(name) == wing}
    return tuple(sorted(name.partition(".")[2] for name in found - {wing}))


@lru_cache(maxsize=None)
def imports() -> frozenset[Edge]:
    """Pairs of wings, the first of which imports a module of the second."""
    pairs = {
        (wing_of(name), wing_of(target))
        for name, path in modules()
        for target in imported(name, path)
    }
    return frozenset((one, other) for one, other in pairs if one != other)


# -- objects handed over at run time -----------------------------------------------

_SOMEWHERE: dict[str, Any] = {
    "auth_url": "http://cloud.invalid/v3",
    "username": "u",
    "password": "p",
    "project_name": "p",
}


def _drivers() -> list[Any]:
    """Drivers as the factories make them; they send nothing until an operation is called."""
    cluster, clock = uuid.UUID(int=1), Clock()
    return [
        flocker_driver(clock, cluster, **_SOMEWHERE),
        block_device_driver(clock, cluster, attach_through="storage", **_SOMEWHERE),
    ]


def _held(thing: Any) -> Iterator[Any]:
    for value in vars(thing).values():
        if type(value).__module__.startswith("txstorage.") and hasattr(value, "__dict__"):
            yield value


def _wing(thing: Any) -> str:
    return wing_of(type(thing).__module__[len("txstorage.") :])


@lru_cache(maxsize=None)
def handed() -> frozenset[Edge]:
    """
    Pairs of wings: in a driver, an object of the first holds an object of the second, although
    the first imports nothing of the second.
    """
    found, seen, waiting = set(), set(), _drivers()
    # A reference to each keeps an id from being used twice.
    all_of_them = list(waiting)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        for value in _held(thing):
            found.add((_wing(thing), _wing(value)))
            waiting.append(value)
            all_of_them.append(value)
    return frozenset(
        (one, other)
        for one, other in found - imports()
        if one != other and one in WINGS and other in WINGS
    )


__all__ = ["GROUND", "WINGS", "Edge", "handed", "imports", "purpose", "rooms"]
