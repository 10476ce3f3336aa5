"""
Descriptions of zope.interface's interfaces, which Sphinx does not support.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any


def lines_of_interface(name: str) -> Iterator[str]:
    """
    The docstring of an interface, and of each member that has one of its own.

    :param name: its dotted name.
    """
    module, _, own_name = name.rpartition(".")
    interface = getattr(import_module(module), own_name)
    yield ".. py:currentmodule:: " + module
    yield ""
    yield ".. py:class:: " + own_name
    yield ""
    yield from _documented(interface, "    ")
    for member_name, member in interface.namesAndDescriptions():
        if member.__doc__.startswith("See "):
            continue
        kind, signature = "attribute", ""
        if hasattr(member, "getSignatureString"):
            kind, signature = "method", member.getSignatureString()
        yield f"    .. py:{kind}:: {member_name}{signature}"
        yield ""
        yield from _documented(member, "        ")


def _documented(thing: Any, indent: str) -> Iterator[str]:
    for line in inspect.cleandoc(thing.__doc__ or "").splitlines():
        yield indent + line if line else ""
    yield ""


__all__ = ["lines_of_interface"]
