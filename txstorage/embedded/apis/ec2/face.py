# -*- test-case-name: tests.embedded.ec2.test_face -*-
"""
The Query API: a request becomes an action, and the action's content an answer.

EC2 and the Security Token Service share a port: no name stands for an action of both.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from functools import partial
from inspect import isawaitable
from traceback import format_exc

import attr
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.web.iweb import IRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from ...._log import SERVER_FAULT
from ...control.actions import AskedAction
from ...disk import is_full
from ...wire.exchange import APIResponse, call_from
from .call import Action, EC2Call, EC2Context
from .protocol import errors
from .protocol.documents import CONTENT_TYPE, ec2_answer, ec2_error, sts_answer, sts_error
from .protocol.errors import QueryRefusal
from .protocol.query import QueryParameters
from .protocol.signatures import SignedRequest, check_signature
from .resources import attachments, instances, modifications, snapshots, sts, tags, volumes, zones

_log = Logger()
_EC2: Mapping[str, Action] = {
    **attachments.ACTIONS,
    **instances.ACTIONS,
    **modifications.ACTIONS,
    **snapshots.ACTIONS,
    **tags.ACTIONS,
    **volumes.ACTIONS,
    **zones.ACTIONS,
}
#: The names of the actions of EC2 alone.
EC2_ACTIONS = tuple(sorted(_EC2))
#: The actions by name, with the service that each belongs to.
ACTIONS: Mapping[str, tuple[str, Action]] = {
    **{name: ("ec2", action) for name, action in _EC2.items()},
    **{name: ("sts", action) for name, action in sts.ACTIONS.items()},
}
#: The versions of the APIs.
_VERSIONS = {"ec2": "2016-11-15", "sts": "2011-06-15"}
_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_READS = ("Describe", "Get")


def _needed(name: str, parameters: QueryParameters) -> tuple[str, ...]:
    """
    :return: the actions that a policy has to allow for a request.
    """
    tagged = any(key.startswith("TagSpecification.") for key in parameters.values)
    return (name, "CreateTags") if tagged else (name,)


class QueryAPI(Resource):
    """
    The resource of all paths.

    :param base_url: the beginning of links, or ``None`` for the address of a request.
    """

    isLeaf = True

    def __init__(self, context: EC2Context, base_url: str | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._context = context
        self._base_url = base_url
        context.controls.serve((service, name) for name, (service, _) in ACTIONS.items())

    def render(self, request: IRequest) -> int:
        """Answer a request, later."""
        ended: Deferred[None] = request.notifyFinish()  # type: ignore[attr-defined]
        # The client may go away; the action ends nevertheless.
        ended.addErrback(lambda _: None)
        query = _Query.of(request, self._context.now())
        asked = query.asked
        sent = self._context.controls.answer(
            asked,
            partial(_refused, asked),
            lambda: Deferred.fromCoroutine(self._answer(request, query)),
        )
        sent.addCallback(self._send, request, asked, ended)
        sent.addErrback(lambda why: _log.failure("A response could not be sent", why))
        return NOT_DONE_YET

    def _send(
        self,
        answer: APIResponse | None,
        request: IRequest,
        asked: AskedAction,
        ended: Deferred[None],
    ) -> None:
        sent = None if ended.called else answer
        self._context.controls.ended(asked, request, None if sent is None else sent.status)
        if sent is not None:
            request.write(sent.send(request))
            request.finish()
        elif not ended.called:
            request.channel.loseConnection()  # type: ignore[attr-defined]  # no interface has it

    async def _answer(self, request: IRequest, query: _Query) -> APIResponse:
        """Everything from a request to its response; never raises."""
        asked, request_id = query.asked, query.asked.request_id
        name, service = asked.name, asked.service
        try:
            if query.problem is not None:
                raise query.problem
            parameters, (_, action) = query.parameters, ACTIONS.get(name, (service, None))
            self._admit(query.signed, parameters, service)
            if action is None:
                raise errors.NO_ACTION(name)
            content = action(EC2Call(self._context, parameters, self._address(request)))
            if isawaitable(content):
                content = await content
            write = sts_answer if service == "sts" else ec2_answer
            body = write(name, request_id, content)
        except Exception as error:
            refusal = error if isinstance(error, QueryRefusal) else self._fault(request_id, error)
            return _refused(asked, refusal.status, refusal.code, refusal.message)
        return _response(asked, 200, body)

    def _admit(self, signed: SignedRequest, parameters: QueryParameters, service: str) -> None:
        """
        Check the sender, the rate and the form of a request.

        :raises QueryRefusal: it is not admitted.
        """
        name, context = parameters.values.get("Action", ""), self._context
        if name not in sts.UNSIGNED:
            settings = context.ec2
            now, skew = context.now(), settings.clock_skew
            named = check_signature(signed, context.keys, settings.region, now, skew)
            if named != service:
                raise errors.NO_ACTION(name)
        if _VERSION.match(parameters.required("Version")) is None:
            raise errors.NO_VERSION(parameters.values["Version"], _VERSIONS[service])
        if not context.buckets.take(name if name in ACTIONS else ""):
            raise errors.TOO_FAST()
        for action in _needed(name, parameters):
            if action in context.ec2.denied:
                raise errors.DENIED(sts.USER, action, action)
        if parameters.truth("DryRun") and name in _EC2:
            raise errors.DRY_RUN()
        if not name.startswith(_READS):
            context.reader.changing()

    def _address(self, request: IRequest) -> str:
        return call_from(request, self._base_url).base

    def _fault(self, request_id: str, error: Exception) -> QueryRefusal:
        """Log a fault of the service itself."""
        if is_full(error):
            return errors.DISK_FULL()
        _log.failure("Request {request_id} could not be answered", request_id=request_id)
        SERVER_FAULT.log(request_id=request_id, traceback=format_exc())
        return errors.FAULT()


@attr.s(frozen=True, auto_attribs=True)
class _Query:
    """
    The parts of a request.

    :ivar problem: the error of a request that can't be understood, whose parameters are empty.
    """

    signed: SignedRequest
    parameters: QueryParameters
    problem: QueryRefusal | None
    asked: AskedAction

    @classmethod
    def of(cls, request: IRequest, begun: float) -> _Query:
        """
        :param begun: seconds since the epoch.
        """
        signed, parameters, problem = signed_request(request), QueryParameters({}), None
        try:
            parameters = _parameters(request, signed)
        except QueryRefusal as error:
            problem = error
        name = parameters.values.get("Action", "")
        service, _ = ACTIONS.get(name, ("ec2", None))
        asked = AskedAction(
            service=service,
            name=name,
            request_id=str(uuid.uuid4()),
            begun=begun,
            parameters=parameters.values,
        )
        return cls(signed, parameters, problem, asked)


def _response(asked: AskedAction, status: int, body: str) -> APIResponse:
    return APIResponse(status, body, {"x-amzn-RequestId": asked.request_id}, CONTENT_TYPE)


def _refused(asked: AskedAction, status: int, code: str, message: str) -> APIResponse:
    """The error of a request, in the form of its service."""
    refuse = sts_error if asked.service == "sts" else ec2_error
    return _response(asked, status, refuse(asked.request_id, code, message))


def signed_request(request: IRequest) -> SignedRequest:
    """Return the parts of a request that are signed."""
    path, _, query = request.uri.partition(b"?")
    headers = [
        (name.decode("ascii", "replace").lower(), value.decode("utf-8", "replace"))
        for name, values in request.requestHeaders.getAllRawHeaders()
        for value in values
    ]
    request.content.seek(0)
    return SignedRequest(
        request.method.decode("ascii", "replace"),
        path.decode("utf-8", "replace"),
        query.decode("utf-8", "replace"),
        headers,
        request.content.read(),
    )


def _parameters(request: IRequest, signed: SignedRequest) -> QueryParameters:
    """
    :raises QueryRefusal: the request can't be understood.
    """
    if call_from(request, "").too_large():
        raise errors.TOO_LARGE()
    is_form = signed.method == "POST"
    return QueryParameters.parse(signed.body if is_form else signed.query.encode("utf-8"))
