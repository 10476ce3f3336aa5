# -*- test-case-name: tests.clouds.ec2.test_codec -*-
"""
The bodies of requests and answers of Amazon's Query API.
"""

from __future__ import absolute_import, division, print_function

import re

import attr

from ...._support.compat import PY2, as_text, quote, text_type
from .library import service_model
from .model import cut_model
from .operations import SERVICES

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Optional, Text  # noqa: F401

#: The type of a request's body.
FORM = u"application/x-www-form-urlencoded; charset=utf-8"

# The services' answers declare no document type, which could define endless entities; a NUL is in
# every ASCII character of the encodings that would hide one.
_HOSTILE = re.compile(b"<!DOCTYPE|\\x00")
_ERROR = re.compile(b"<Code>")

# Bytes that are read of a page of another program, and characters that are shown.
_READ = 4096
_SHOWN = 200
_MARKUP = re.compile(u"<[^<>]*>")


class Unreadable(ValueError):
    """
    An answer's body is not what the service's model describes.

    :ivar text problem: names the problem.
    """

    def __init__(self, problem):
        # type: (Text) -> None
        ValueError.__init__(self, problem)
        self.problem = problem


@attr.s(frozen=True)
class ErrorDocument(object):
    """
    A service's error.

    :ivar code: the service's name of the error, such as ``InvalidVolume.NotFound`` (text); ``None``
        when the answer is not the service's own.
    :ivar text message: the service's message.
    :ivar request_id: the service's id of the request (text), or ``None``.
    """

    code = attr.ib()  # type: Optional[Text]
    message = attr.ib()  # type: Text
    request_id = attr.ib(default=None)  # type: Optional[Text]


def _texts(value):
    # type: (Any) -> Any
    """Return a parsed answer in which ASCII texts are text, too, on Python 2."""
    if isinstance(value, bytes):
        return as_text(value)
    if isinstance(value, list):
        return [_texts(each) for each in value]
    if isinstance(value, dict):
        return {as_text(key): _texts(each) for key, each in value.items()}
    return value


class ServiceCodec(object):
    """
    The codec of one service.

    :param dict model: botocore's model of the service, see :func:`~.model.cut_model`.
    :param str service: botocore's name of the service.

    :ivar str service: the same; also the name of the service in signatures.
    """

    def __init__(self, model, service):
        # type: (Dict[str, Any], str) -> None
        from botocore.model import ServiceModel
        from botocore.parsers import ResponseParserFactory
        from botocore.serialize import create_serializer

        self.service = service
        self._model = ServiceModel(model, service)
        protocol = str(model["metadata"]["protocol"])
        self._serializer = create_serializer(protocol, include_validation=False)
        factory = ResponseParserFactory()
        # Times stay the texts of ISO 8601 that the services send.
        factory.set_parser_defaults(timestamp_parser=as_text)
        self._parser = factory.create_parser(protocol)

    @classmethod
    def load(cls, service):
        # type: (str) -> ServiceCodec
        """
        Create the codec from the installed botocore.  It blocks for a quarter of a second.

        :param str service: a key of :data:`~.operations.SERVICES`.
        :return: a :class:`ServiceCodec`.
        :raises InvalidConfiguration: botocore is not installed.
        """
        used = SERVICES[service]
        return cls(cut_model(service_model(service, used.version), used), service)

    def body_of(self, operation, parameters):
        # type: (str, Mapping[str, Any]) -> bytes
        """
        :param str operation: such as ``CreateVolume``.
        :param dict parameters: the operation's, as botocore names them.
        :return: bytes: the request's body, of the type :data:`FORM`.
        """
        model = self._model.operation_model(operation)
        form = self._serializer.serialize_to_request(parameters, model)["body"]
        # Sorted, so that equal requests are equal.
        return u"&".join(
            u"{}={}".format(quote(as_text(name)), quote(as_text(form[name])))
            for name in sorted(form)
        ).encode("ascii")

    def parse(self, operation, headers, body):
        # type: (str, Mapping[Text, Text], bytes) -> Dict[Text, Any]
        """
        :param str operation: such as ``CreateVolume``.
        :param dict headers: the answer's, text to text.
        :param bytes body: the answer's.
        :return: dict: the answer, as botocore names its members.
        :raises Unreadable: the body is not the operation's answer.
        """
        shape = self._model.operation_model(operation).output_shape
        answer = self._parse(200, headers, body, shape)
        answer.pop("ResponseMetadata", None)
        return answer

    def refusal(self, status, headers, body):
        # type: (int, Mapping[Text, Text], bytes) -> ErrorDocument
        """
        :param int status: the answer's, 300 or more.
        :param dict headers: the answer's, text to text.
        :param bytes body: the answer's.
        :return: the :class:`ErrorDocument`.
        """
        text = u" ".join(_MARKUP.sub(u" ", as_text(body[:_READ])).split())[:_SHOWN]
        foreign = ErrorDocument(None, text or u"(no message)")
        # Load balancers and proxies answer with pages of their own.
        if not _ERROR.search(body):
            return foreign
        try:
            answer = self._parse(max(status, 400), headers, body, None)
        except Unreadable:
            return foreign
        error = answer.get("Error", {})
        code, message = error.get("Code"), error.get("Message")
        if not isinstance(code, text_type) or not code:
            return foreign
        request_id = answer.get("ResponseMetadata", {}).get("RequestId")
        return ErrorDocument(code, message or u"(no message)", request_id)

    def _parse(self, status, headers, body, shape):
        # type: (int, Mapping[Text, Text], bytes, Any) -> Dict[Text, Any]
        if _HOSTILE.search(body):
            raise Unreadable(u"the answer is not the service's XML")
        response = {"status_code": status, "headers": headers, "body": body}
        try:
            answer = self._parser.parse(response, shape)  # type: Dict[Text, Any]
        except Exception as error:
            # The parser takes well-formed answers for granted: any of its lines may fail.
            raise Unreadable(
                u"the answer can't be parsed: {}".format(as_text(str(error))[:200])
            )
        if PY2:
            answer = _texts(answer)
        return answer


__all__ = ["FORM", "ErrorDocument", "ServiceCodec", "Unreadable"]
