# -*- test-case-name: tests._support.test_ec2_ids -*-
"""
The spelling of EC2's ids.
"""

from __future__ import absolute_import, division, print_function

import re

MYPY = False
if MYPY:
    from typing import Text  # noqa: F401

#: The number of hexadecimal digits in an id.  Ids from before 2016 have eight.
DIGITS = 17

_ID = re.compile(u"([a-z]+)-([0-9a-f]{{8}}|[0-9a-f]{{{}}})\\Z".format(DIGITS))


def is_ec2_id(kind, text):
    # type: (Text, Text) -> bool
    """
    Check for an id of EC2.

    :param text kind: the part before the hyphen: ``vol``, ``snap`` or ``i``.
    """
    found = _ID.match(text)
    return found is not None and found.group(1) == kind


__all__ = ["DIGITS", "is_ec2_id"]
