# -*- test-case-name: tests._node.test_config_drive -*-
"""
What the readers of file systems have in common.
"""

from __future__ import absolute_import, division, print_function

#: How much is read of a file or of a directory, in bytes.
MAX_READ = 1024 * 1024


class UnreadableImage(Exception):
    """A file system does not hold what is looked for; the text says why."""


def is_named(name, names):
    """
    :param text name: what is looked for.
    :param names: what an entry is called, text; case means nothing, as it is
        not kept in all of these file systems.
    :return: ``bool``
    """
    return name.lower() in [each.lower() for each in names]


__all__ = ["MAX_READ", "UnreadableImage", "is_named"]
