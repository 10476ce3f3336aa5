# -*- test-case-name: tests.embedded.control.test_actions -*-
"""
The faults and the log of APIs whose requests are actions, such as EC2's.

All requests have one path; an action's name, in the parameters, is the name of its route.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attr
from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest

from ..wire.exchange import APIResponse
from .controls import Controls
from .faults import RouteFault
from .interference import message_of
from .recent import ServedRequest
from .routes import Route

#: The codes of errors, by their statuses; those of EC2's clients that try again.
_CODES = {
    401: "AuthFailure",
    403: "UnauthorizedOperation",
    500: "InternalError",
    503: "RequestLimitExceeded",
}
_CLIENT, _SERVER = "InvalidRequest", "Unavailable"
#: The service whose parameters have secrets.
_SECRET = "sts"  # nosec B105
#: The parameters that sign a request.
_SIGNING = "X-Amz-"
#: Characters of the parameters that are kept, at most.
_LONGEST = 16384


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class AskedAction:
    """
    A request for an action.

    :ivar service: ``ec2`` or ``sts``.
    :ivar name: of the action; empty if the request can't be understood.
    :ivar begun: seconds since the epoch.
    """

    service: str
    name: str
    request_id: str
    begun: float
    parameters: Mapping[str, str] = attr.ib(factory=dict, repr=False)

    def kept(self) -> dict[str, str] | None:
        """:return: the parameters for a log; ``None`` if they are secret, too long, or none."""
        if self.service == _SECRET or sum(map(len, self.parameters.values())) > _LONGEST:
            return None
        return {
            name: value for name, value in self.parameters.items() if not name.startswith(_SIGNING)
        } or None


def error_code(fault: RouteFault, status: int) -> str:
    """:return: the code of the error of a fault."""
    return fault.code or _CODES.get(status, _CLIENT if status < 500 else _SERVER)


class ActionControls:
    """
    The controls of the requests to an API.

    :param now: returns seconds since the epoch.
    :param record: adds a request to the log.
    :param controls: of a test; ``None``: no answer has a fault.
    """

    def __init__(
        self,
        now: Callable[[], float],
        record: Callable[[ServedRequest], None],
        controls: Controls | None = None,
    ) -> None:
        self.now = now
        self._record = record
        self._controls = controls

    def serve(self, actions: Iterable[tuple[str, str]]) -> None:
        """
        Make actions known, which are served from now on.

        :param actions: their services and names.
        """
        if self._controls is not None:
            self._controls.add_routes(Route.of_action(*each) for each in actions)

    def on_reset(self, forget: Callable[[], None]) -> None:
        """Call a function at each reset."""
        if self._controls is not None:
            self._controls.on_reset(forget)

    def answer(
        self,
        asked: AskedAction,
        refuse: Callable[[int, str, str], APIResponse],
        carry_out: Callable[[], Deferred[APIResponse]],
    ) -> Deferred[APIResponse | None]:
        """
        Answer a request, with the faults that a test wants.

        :param refuse: makes the API's error of a status, a code and a message.
        :return: fires with ``None`` to end the connection without an answer.
        """
        if self._controls is None:
            answered: Deferred[Any] = carry_out()
            return answered

        def error(fault: RouteFault, status: int) -> APIResponse:
            return refuse(status, error_code(fault, status), message_of(fault, status))

        route = Route.of_action(asked.service, asked.name)
        return self._controls.interferer.answer(route, "", "", error, carry_out)

    def ended(self, asked: AskedAction, request: IRequest, status: int | None) -> None:
        """
        Record a request.

        :param status: of the answer; ``None`` if there is none.
        """
        ended = self.now()
        self._record(
            ServedRequest(
                time=ended,
                duration=ended - asked.begun,
                method=request.method.decode("utf-8", "replace"),
                path=request.path.decode("utf-8", "replace"),
                query="",
                status=status,
                request_id=asked.request_id,
                action=asked.name or None,
                body=None if self._controls is None else asked.kept(),
            )
        )
