# -*- test-case-name: tests._node.test_config_drive -*-
"""The common part of the readers of file system images."""

from __future__ import absolute_import, division, print_function

MYPY = False
if MYPY:
    from typing import Iterable, Text  # noqa: F401

#: How much is read of a file or of a directory, in bytes.
MAX_READ = 1024 * 1024


class UnreadableImage(Exception):
    """A file system does not hold the file, or is damaged; the text gives the reason."""


def is_named(name, names):
    # type: (Text, Iterable[Text]) -> bool
    """
    :param text name: the name to look for.
    :param names: the names of an entry, text; case is ignored, as not all of these file systems
        keep it.
    :return: ``bool``
    """
    return name.lower() in [each.lower() for each in names]


__all__ = ["MAX_READ", "UnreadableImage", "is_named"]
