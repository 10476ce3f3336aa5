# -*- test-case-name: tests.clouds.ec2.test_wire -*-
"""
Labels and names, which EC2 has as tags.

Flocker's own ``aws`` backend writes the same tags, so that its volumes are adopted.
"""

from __future__ import absolute_import, division, print_function

import re

from ..._support.json_values import Malformed, objects_in, text_member
from ...errors import InvalidLabel

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Mapping, Text  # noqa: F401

_NAME = u"Name"
_AMAZON = u"aws:"

#: A tag that Flocker's ``aws`` backend writes beside the label of the cluster.
_CLUSTER = u"flocker-cluster-id"
_VERSION = (u"flocker-metadata-version", u"1")

# Characters with a meaning in a filter's value.
_WILD = re.compile(u"([\\\\*?])")


def name_in(tags):
    # type: (Any) -> Text
    """
    :param tags: of a resource, as EC2 describes them.
    :return: text: its name; empty for none.
    """
    return next(
        (text_member(tag, u"Value") for tag in objects_in(tags) if tag.get(u"Key") == _NAME), u""
    )


def labels_in(tags):
    # type: (Any) -> Dict[Text, Text]
    """
    :param tags: of a resource, as EC2 describes them.
    :return: dict, text to text: the labels: all tags but the name, and but those that Amazon's own
        services set.
    :raises Malformed: a tag has no key.
    """
    labels = {}  # type: Dict[Text, Text]
    for tag in objects_in(tags):
        key = text_member(tag, u"Key")
        if not key:
            raise Malformed(u"one of its tags has no key")
        if key != _NAME and not key.startswith(_AMAZON):
            labels[key] = text_member(tag, u"Value")
    return labels


def check_labels(labels):
    # type: (Mapping[Text, Text]) -> None
    """
    :param dict labels: text to text.
    :raises InvalidLabel: EC2 has another use for a tag of that key.
    """
    for key in labels:
        if key == _NAME or key.startswith(_AMAZON):
            raise InvalidLabel(
                u"EC2 can't have the label {!r}: the tag has another use".format(key)
            )


def tag_list(labels):
    # type: (Mapping[Text, Text]) -> List[Dict[str, Text]]
    """
    :param dict labels: text to text.
    :return: list: the tags, as botocore names their members, sorted.
    """
    return [{"Key": key, "Value": labels[key]} for key in sorted(labels)]


def specification(resource_type, name, labels):
    # type: (Text, Text, Mapping[Text, Text]) -> List[Dict[str, Any]]
    """
    :param text resource_type: ``volume`` or ``snapshot``.
    :param text name: the resource's name.
    :param dict labels: text to text.
    :return: list: the parameter ``TagSpecifications`` of a request that creates the resource.
    :raises InvalidLabel: see :func:`check_labels`.
    """
    check_labels(labels)
    tags = dict(labels)
    tags[_NAME] = name
    if resource_type == u"volume" and _CLUSTER in labels:
        tags[_VERSION[0]] = _VERSION[1]
    return [{"ResourceType": resource_type, "Tags": tag_list(tags)}]


def one_of(name, values):
    # type: (Text, List[Text]) -> Dict[str, Any]
    """
    :param text name: a filter's.
    :param list values: texts, of which one must match, each literally.
    :return: dict: the filter.
    """
    return {"Name": name, "Values": [_WILD.sub(u"\\\\\\1", value) for value in values]}


def filters_for(labels):
    # type: (Mapping[Text, Text]) -> List[Dict[str, Any]]
    """
    :param dict labels: text to text.
    :return: list: the filters that only resources with all these labels pass.
    """
    return [one_of(u"tag:" + key, [labels[key]]) for key in sorted(labels)]


__all__ = [
    "check_labels",
    "filters_for",
    "labels_in",
    "name_in",
    "one_of",
    "specification",
    "tag_list",
]
