# -*- test-case-name: tests.clouds.ec2.test_creation -*-
"""
The types of volumes, and the parameters that they need.

The number of operations per second of ``io1`` is that of Flocker's own ``aws`` backend.
"""

from __future__ import absolute_import, division, print_function

from ....errors import InvalidConfiguration, InvalidSize

MYPY = False
if MYPY:
    from typing import Any, Dict, Optional, Text, Tuple  # noqa: F401

#: Types with provisioned performance: the operations per second for each GiB, and their minimum and
#: maximum.
PROVISIONED = {u"io1": (30, 100, 20000), u"io2": (30, 100, 20000)}

#: The minimum size of a type, in GiB; of any other, it is 1.
MINIMUM_GIB = {u"io1": 4, u"io2": 4, u"st1": 125, u"sc1": 125}


#: The settings that may follow a type, and EC2's parameters: ``gp3,iops=6000,throughput=250``.
SETTINGS = {u"iops": "Iops", u"throughput": "Throughput"}


def split_type(volume_type):
    # type: (Text) -> Tuple[Text, Dict[str, int]]
    """
    :param text volume_type: a type, with settings or without.
    :return: the name of the type, and the parameters of the settings that follow it.
    :raises InvalidConfiguration: a setting can't be read.
    """
    name, separator, rest = volume_type.partition(u",")
    parameters = {}
    for setting in rest.split(u",") if separator else ():
        key, _, value = setting.strip().partition(u"=")
        if key not in SETTINGS or not value.isdigit():
            raise InvalidConfiguration(
                u"profiles",
                u"has the volume type {!s}, whose setting {!s} can't be read".format(
                    volume_type, setting
                ),
                u"settings are {}=NUMBER, as in gp3,iops=6000,throughput=250".format(
                    u"=NUMBER and ".join(sorted(SETTINGS))
                ),
            )
        parameters[SETTINGS[key]] = int(value)
    return name.strip(), parameters


def type_parameters(volume_type, gib):
    # type: (Optional[Text], int) -> Dict[str, Any]
    """
    :param volume_type: text, with settings or without, or ``None`` for EC2's default.
    :param int gib: the volume's size.
    :return: dict: the parameters of a request.
    :raises InvalidSize: the type has no volumes of that size.
    :raises InvalidConfiguration: a setting can't be read.
    """
    if volume_type is None:
        return {}
    name, settings = split_type(volume_type)
    least = MINIMUM_GIB.get(name, 1)
    if gib < least:
        raise InvalidSize(
            u"EC2's volumes of the type {} have at least {} GiB; {} were requested".format(
                name, least, gib
            ),
            u"request at least {} GiB, or use a profile of another type".format(least),
        )
    parameters = {"VolumeType": name}  # type: Dict[str, Any]
    if name in PROVISIONED:
        per_gib, lowest, highest = PROVISIONED[name]
        parameters["Iops"] = max(lowest, min(highest, per_gib * gib))
    return dict(parameters, **settings)


__all__ = ["MINIMUM_GIB", "PROVISIONED", "SETTINGS", "split_type", "type_parameters"]
