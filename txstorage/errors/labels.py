# -*- test-case-name: tests.errors.test_errors -*-
"""
Errors of requests for volumes with labels.
"""

from __future__ import absolute_import, division, print_function

from .base import StorageError


class InvalidLabel(StorageError, ValueError):
    """The key or the value of a volume's label is invalid, or the key is reserved."""

    remedy = (
        u"use for the key 1 to 255 of the characters 'a-z A-Z 0-9 _ : . -' and space, which "
        u"neither begin with 'flocker-' nor end with '.json' or '.xml'; use for the value a text "
        u"of at most 255 characters"
    )


class InvalidSource(StorageError, ValueError):
    """A volume can't have the data of both a snapshot and another volume."""

    remedy = u"give a snapshot or a volume, not both"


__all__ = ["InvalidLabel", "InvalidSource"]
