# -*- test-case-name: tests.clouds.ec2.test_creation -*-
"""
The types of volumes, and the parameters that they need.

The number of operations per second of ``io1`` is that of Flocker's own ``aws`` backend.
"""

from __future__ import absolute_import, division, print_function

from ....errors import InvalidSize

MYPY = False
if MYPY:
    from typing import Any, Dict, Optional, Text  # noqa: F401

#: Types with provisioned performance: the operations per second for each GiB, and their minimum and
#: maximum.
PROVISIONED = {u"io1": (30, 100, 20000), u"io2": (30, 100, 20000)}

#: The minimum size of a type, in GiB; of any other, it is 1.
MINIMUM_GIB = {u"io1": 4, u"io2": 4, u"st1": 125, u"sc1": 125}


def type_parameters(volume_type, gib):
    # type: (Optional[Text], int) -> Dict[str, Any]
    """
    :param volume_type: text, or ``None`` for EC2's default.
    :param int gib: the volume's size.
    :return: dict: the parameters of a request.
    :raises InvalidSize: the type has no volumes of that size.
    """
    if volume_type is None:
        return {}
    least = MINIMUM_GIB.get(volume_type, 1)
    if gib < least:
        raise InvalidSize(
            u"EC2's volumes of the type {} have at least {} GiB; {} were requested".format(
                volume_type, least, gib
            )
        )
    parameters = {"VolumeType": volume_type}  # type: Dict[str, Any]
    if volume_type in PROVISIONED:
        per_gib, lowest, highest = PROVISIONED[volume_type]
        parameters["Iops"] = max(lowest, min(highest, per_gib * gib))
    return parameters


__all__ = ["MINIMUM_GIB", "PROVISIONED", "type_parameters"]
