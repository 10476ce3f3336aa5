# -*- test-case-name: tests.embedded.ec2.test_query -*-
"""
The XML documents that answer the Query API's requests.

A dictionary becomes an element with children, a list an element with an ``item`` for each entry.
``None`` leaves an element out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from xml.etree.ElementTree import Element, SubElement, tostring

CONTENT_TYPE = "text/xml;charset=UTF-8"
EC2_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
#: The characters that XML 1.0 can't carry.
NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def ec2_time(seconds: float) -> str:
    """Seconds since the epoch in EC2's format, with milliseconds."""
    text = datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text[:-3] + "Z"


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in EC2's form."""
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def _fill(element: Element, value: object) -> None:
    if isinstance(value, Mapping):
        for name, child in value.items():
            if child is not None:
                _fill(SubElement(element, name), child)
    elif isinstance(value, list):
        for child in value:
            _fill(SubElement(element, "item"), child)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    else:
        # OpenStack's clients may have made labels that EC2's could not.
        element.text = NOT_IN_XML.sub("\ufffd", str(value))


def _document(name: str, content: Mapping[str, object], namespace: str | None = None) -> str:
    root = Element(name, {} if namespace is None else {"xmlns": namespace})
    _fill(root, content)
    text = tostring(root, encoding="unicode")
    # A parser reads a bare carriage return as the end of a line.
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + text.replace("\r", "&#13;")


def ec2_answer(action: str, request_id: str, content: Mapping[str, object]) -> str:
    """Return EC2's answer to an action."""
    both = {"requestId": request_id, **content}
    return _document(action + "Response", both, EC2_NAMESPACE)


def ec2_error(request_id: str, code: str, message: str) -> str:
    """Return EC2's answer to a refused request."""
    error = {"Error": {"Code": code, "Message": message}}
    return _document("Response", {"Errors": error, "RequestID": request_id})


def sts_answer(action: str, request_id: str, content: Mapping[str, object]) -> str:
    """Return the Security Token Service's answer to an action."""
    both = {action + "Result": content, "ResponseMetadata": {"RequestId": request_id}}
    return _document(action + "Response", both, STS_NAMESPACE)


def sts_error(request_id: str, code: str, message: str) -> str:
    """Return the Security Token Service's answer to a refused request."""
    error = {"Type": "Sender", "Code": code, "Message": message}
    return _document("ErrorResponse", {"Error": error, "RequestId": request_id}, STS_NAMESPACE)
