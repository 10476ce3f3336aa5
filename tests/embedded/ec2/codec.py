"""
botocore as the judge of requests and answers: its models say which members there are.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from xml.etree import ElementTree

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer


@cache
def model_of(service: str) -> ServiceModel:
    """Return the model of ``ec2`` or ``sts``."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def operation(service: str, action: str) -> OperationModel:
    """Return the model of an action."""
    return model_of(service).operation_model(action)


def request_for(
    service: str,
    action: str,
    url: str,
    region: str,
    credentials: Credentials | None,
    parameters: dict[str, Any],
    signed_for: str | None = None,
) -> AWSRequest:
    """
    Return a request as botocore serialises and signs it; unsigned without credentials.

    :param signed_for: the service that the signature names; by default the same.
    """
    model = model_of(service)
    serializer = create_serializer(model.metadata["protocol"], include_validation=False)
    serialized = serializer.serialize_to_request(parameters, operation(service, action))
    request = AWSRequest(
        method=serialized["method"],
        url=url,
        headers=dict(serialized["headers"]),
        data=serialized["body"],
    )
    if credentials is not None:
        SigV4Auth(credentials, signed_for or service, region).add_auth(request)
    return request.prepare()


def parsed(service: str, action: str, status: int, body: bytes) -> dict[str, Any]:
    """Return an answer as botocore parses it."""
    model = model_of(service)
    parser = create_parser(model.metadata["protocol"])
    response = {"status_code": status, "headers": {}, "body": body}
    found: dict[str, Any] = parser.parse(response, operation(service, action).output_shape)
    return found


def invented(service: str, action: str, body: bytes) -> list[str]:
    """
    :return: the elements of a successful answer that botocore's model does not have, or whose text
        is none of their types.
    """
    root = ElementTree.fromstring(body)
    shape = operation(service, action).output_shape
    if service == "sts":
        return _unknown(root.find(f"{{*}}{action}Result"), shape, action)
    names = [each for each in root if _tag(each) != "requestId"]
    if shape is None:
        return [_tag(each) for each in names if _tag(each) != "return"]
    known = ElementTree.Element(root.tag)
    known.extend(names)
    return _unknown(known, shape, action)


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _unknown(element: Any, shape: Any, path: str) -> list[str]:
    if shape.type_name == "structure":
        members = {
            member.serialization.get("name", name): member for name, member in shape.members.items()
        }
        found = []
        for child in element:
            place = f"{path}.{_tag(child)}"
            member = members.get(_tag(child))
            found += [place] if member is None else _unknown(child, member, place)
        return found
    if shape.type_name == "list":
        name = shape.member.serialization.get("name", "member")
        return [
            problem
            for child in element
            for problem in (
                _unknown(child, shape.member, path) if _tag(child) == name else [f"{path}.{child}"]
            )
        ]
    return [] if len(element) == 0 and _fits(element.text or "", shape) else [path]


def _fits(text: str, shape: Any) -> bool:
    if shape.type_name == "boolean":
        return text in ("true", "false")
    if shape.type_name in ("integer", "long"):
        return text.lstrip("-").isdigit()
    if text and getattr(shape, "enum", []):
        return text in shape.enum
    return True
