# -*- test-case-name: tests.driver.test_create -*-
"""
Sizes of volumes.
"""

from __future__ import absolute_import, division, print_function

from .._support.compat import integer_types
from ..errors import InvalidSize

MYPY = False
if MYPY:
    from typing import Any  # noqa: F401


def whole(size, unit):
    # type: (Any, int) -> int
    """
    :param size: bytes.
    :param int unit: bytes: the allocation unit of the cloud.
    :return: ``int``, bytes: the size, rounded up to the unit.
    :raises InvalidSize: not a positive whole number.
    """
    if isinstance(size, bool) or not isinstance(size, integer_types) or size <= 0:
        raise InvalidSize(u"Not a size for a volume: {!r}".format(size))
    return -(-size // unit) * unit


__all__ = ["whole"]
