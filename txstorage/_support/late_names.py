# -*- test-case-name: tests._support.test_late_names -*-
"""
Names of a module that are imported when they are used (PEP 562), for Python 3.
"""

from __future__ import absolute_import, division, print_function

import sys
from importlib import import_module

MYPY = False
if MYPY:
    from typing import Any, Callable, Mapping  # noqa: F401


def late_names(module, origins):
    # type: (str, Mapping[str, str]) -> Callable[[str], Any]
    """
    Make a module's ``__getattr__``.

    :param str module: the module's name.
    :param dict origins: the names, each with the relative name of the module that defines it.
    :return: a function, which a module of Python 2 never calls.
    """

    def imported(name):
        # type: (str) -> Any
        if name not in origins:
            raise AttributeError("module {!r} has no attribute {!r}".format(module, name))
        value = getattr(import_module(origins[name], module), name)
        setattr(sys.modules[module], name, value)
        return value

    return imported


__all__ = ["late_names"]
