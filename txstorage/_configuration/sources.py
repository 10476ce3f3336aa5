# -*- test-case-name: tests._configuration.test_configuration -*-
"""
The keys and values of an ``agent.yml``.
"""

from __future__ import absolute_import, division, print_function

from .._support.compat import as_text
from ..errors import InvalidConfiguration
from .files import load_yaml

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Text, Tuple  # noqa: F401

_BACKENDS = (u"txstorage", u"openstack", u"aws")

def dataset_section(path):
    # type: (Text) -> Tuple[Dict[Text, Any], Dict[Text, int]]
    """
    Read the ``dataset`` section of an ``agent.yml``.

    :param path: the path of the file.
    :return: the section without ``backend``, unchecked, and the line number of each key.
    :raises InvalidConfiguration: naming the file and the line.
    """
    node, document = load_yaml(
        path,
        u"dataset",
        u"put values with special characters in quotes",
    )
    section = document.get("dataset") if isinstance(document, dict) else None
    if not isinstance(section, dict):
        raise InvalidConfiguration(
            u"dataset", u"{} has no such section".format(as_text(path)),
            u"an agent.yml has the backend's keys under 'dataset:'",
        )
    return without_backend(section, as_text(path)), _line_numbers(node)


def without_backend(section, source):
    # type: (Mapping[Any, Any], Text) -> Dict[Text, Any]
    """
    Return a ``dataset`` section without ``backend``, which selects the driver.

    :param source: the place of the section, for the error.
    :raises InvalidConfiguration: the section is for another driver.
    """
    others = {as_text(name): value for name, value in section.items()}
    if others.pop(u"backend", _BACKENDS[0]) not in _BACKENDS:
        raise InvalidConfiguration(
            u"backend", u"{} is for another backend".format(source), u"set it to txstorage"
        )
    return others


def _line_numbers(root):
    # type: (Any) -> Dict[Text, int]
    return {
        as_text(key.value): key.start_mark.line + 1
        for name, section in root.value
        if name.value == "dataset"
        for key, _ in section.value
    }


__all__ = ["dataset_section", "without_backend"]
