# -*- test-case-name: tests.testing.test_faults -*-
"""
The table of the kinds of fault.

A kind is data: its name, its description, the moment at which it strikes, and a pure function from
the exchange to its outcome.  :class:`~txstorage.testing.FaultyAgent` and
:class:`~txstorage.testing.FaultProxy` carry it out.
"""

from __future__ import absolute_import, division, print_function

import json
from collections import OrderedDict

import attr

from .exchanges import Answer, Ending, Outcome

MYPY = False
if MYPY:
    from typing import Any, Callable, Iterable, List, Optional, Text, Tuple, Union  # noqa: F401

    from constantly import NamedConstant  # noqa: F401

    from .exchanges import Memory, Question  # noqa: F401

    Effect = Callable[[Question, Any, Memory], Optional[Outcome]]

_JSON = (b"Content-Type", b"application/json")
_HTML = (b"Content-Type", b"text/html")
_PAGE = b"<html><head><title>Error</title></head><body><h1>Error</h1></body></html>"

#: Seconds in the header Retry-After.
_RETRY_AFTER = 1
#: Seconds that the client's clock steps.
_HOUR = 3600.0


@attr.s(frozen=True)
class FaultKind(object):
    """
    A kind of fault.

    :ivar text name: the name in plans and records.
    :ivar text purpose: a description, for the documentation.
    :ivar bool forwards: whether the service receives the request.
    :ivar effect: called with the ``Question``, the
        service's ``Answer`` (``None`` if the request is not forwarded) and the ``Memory`` of
        earlier answers; returns the ``Outcome``, or ``None`` if this kind does not fit the
        exchange, which then is left alone.
    :ivar float delay: seconds until the answer is delivered.
    :ivar float step: seconds by which the client's clock steps before the request is forwarded.
    """

    name = attr.ib()  # type: Text
    purpose = attr.ib()  # type: Text
    forwards = attr.ib()  # type: bool
    effect = attr.ib(repr=False)  # type: Effect
    delay = attr.ib(default=0.0)  # type: float
    step = attr.ib(default=0.0)  # type: float


# -- effects -------------------------------------------------------------------------


def _ends(ending):
    # type: (NamedConstant) -> Effect
    return lambda question, answer, memory: Outcome(ending)


def _answers(status, *headers):
    # type: (int, *Tuple[bytes, bytes]) -> Effect
    error = {u"code": status, u"message": u"An injected fault"}
    body = json.dumps({u"error": error}).encode("ascii")
    answer = Answer(status, (_JSON,) + headers, body)
    return lambda question, _, memory: Outcome(Ending.COMPLETE, answer)


def _shows_page(status):
    # type: (int) -> Effect
    answer = Answer(status, (_HTML,), _PAGE)
    return lambda question, _, memory: Outcome(Ending.COMPLETE, answer)


def _intact(question, answer, memory):
    # type: (Question, Any, Memory) -> Optional[Outcome]
    return Outcome(Ending.COMPLETE, answer)


def _changes_body(change, ending=Ending.COMPLETE):
    # type: (Callable[[bytes], bytes], NamedConstant) -> Effect
    """:return: the effect that changes the body of an answer that has one."""

    def effect(question, answer, memory):
        # type: (Question, Any, Memory) -> Optional[Outcome]
        if not answer.body:
            return None
        return Outcome(ending, answer.with_body(change(answer.body)))

    return effect


def _changes_list(change):
    # type: (Callable[[List[Any]], List[Any]]) -> Effect
    """:return: the effect that changes the items of a page that follows another."""

    def effect(question, answer, memory):
        # type: (Question, Any, Memory) -> Optional[Outcome]
        document = answer.document()
        key = _key_of_list(question, document)
        if key is None or not (_follows_page(question) and document[key]):
            return None
        document[key] = change(document[key])
        changed = answer.with_body(json.dumps(document).encode("ascii"))
        return Outcome(Ending.COMPLETE, changed)

    return effect


def _follows_page(question):
    # type: (Question) -> bool
    return u"marker=" in question.target


def _key_of_list(question, document):
    # type: (Question, Any) -> Optional[Text]
    """:return: the key of the items in the answer to a GET; ``None`` if it is not a list."""
    if question.method != u"GET" or not isinstance(document, dict):
        return None
    keys = [
        key
        for key, value in document.items()
        if isinstance(value, list) and not key.endswith(u"_links")
    ]  # type: List[Text]
    return keys[0] if keys else None


def _is_stale(question, answer, memory):
    # type: (Question, Any, Memory) -> Optional[Outcome]
    earlier = memory.stale(question)
    if earlier is None or earlier.body == answer.body:
        return None
    is_list = _key_of_list(question, earlier.document()) is not None
    return Outcome(Ending.COMPLETE, earlier) if is_list else None


def _is_crossed(question, answer, memory):
    # type: (Question, Any, Memory) -> Optional[Outcome]
    other = memory.crossed(question) if question.method == u"GET" else None
    return None if other is None else Outcome(Ending.COMPLETE, other)


_AFTER = (b"Retry-After", str(_RETRY_AFTER).encode("ascii"))

_KINDS = (
    # name, purpose, whether the service receives the request, effect
    FaultKind(u"refused", u"The connection is reset, and the next ones are refused for a moment.",
              False, _ends(Ending.REFUSED)),
    FaultKind(u"reset-before", u"The connection is reset before the service gets the request.",
              False, _ends(Ending.RESET)),
    FaultKind(u"reset-after", u"The connection is reset after the service got the request.",
              True, _ends(Ending.RESET)),
    FaultKind(u"cut-body", u"The connection closes in the middle of the body.",
              True, _changes_body(lambda body: body, Ending.CUT)),
    FaultKind(u"no-answer", u"The service gets no request, and no answer arrives.",
              False, _ends(Ending.SILENT)),
    FaultKind(u"no-answer-after", u"The service gets the request, and no answer arrives.",
              True, _ends(Ending.SILENT)),
    FaultKind(u"slow", u"The answer is late.", True, _intact, delay=0.3),
    FaultKind(u"500", u"500, instead of processing the request.", False, _answers(500)),
    FaultKind(u"502", u"502, instead of processing the request.", False, _shows_page(502)),
    FaultKind(u"503", u"503, instead of processing the request.", False, _answers(503)),
    FaultKind(u"504", u"504, instead of processing the request.", False, _shows_page(504)),
    FaultKind(u"500-after", u"500, although the request was processed.", True, _answers(500)),
    FaultKind(u"504-after", u"504, although the request was processed.", True, _shows_page(504)),
    FaultKind(u"503-retry-after", u"503 with Retry-After.", False, _answers(503, _AFTER)),
    FaultKind(u"429", u"429 without Retry-After.", False, _answers(429)),
    FaultKind(u"429-retry-after", u"429 with Retry-After.", False, _answers(429, _AFTER)),
    FaultKind(u"413", u"413 without Retry-After.", False, _answers(413)),
    FaultKind(u"413-retry-after", u"413 with Retry-After.", False, _answers(413, _AFTER)),
    FaultKind(u"401", u"401, as if the token were revoked in mid-operation.", False, _answers(401)),
    FaultKind(u"400", u"400, although the request is valid.", False, _answers(400)),
    FaultKind(u"404-page", u"A load balancer's 404, in HTML.", False, _shows_page(404)),
    FaultKind(u"200-page", u"A load balancer's page, in HTML, with status 200.",
              False, _shows_page(200)),
    FaultKind(u"truncated-json", u"Half of the JSON, as a complete body.",
              True, _changes_body(lambda body: body[: len(body) // 2])),
    FaultKind(u"wrong-json", u"JSON of another form.",
              True, _changes_body(lambda body: b'{"unexpected": [1, null]}')),
    FaultKind(u"no-object", u"JSON that is not an object.",
              True, _changes_body(lambda body: b"[]")),
    FaultKind(u"empty-json", u"An empty JSON object.", True, _changes_body(lambda body: b"{}")),
    FaultKind(u"empty-body", u"A body of no bytes.", True, _changes_body(lambda body: b"")),
    FaultKind(u"stale-list", u"An earlier answer to the same list.", True, _is_stale),
    FaultKind(u"repeated-item", u"An item a second time, between two pages.",
              True, _changes_list(lambda items: items[:1] + items)),
    FaultKind(u"skipped-item", u"An item is missing between two pages.",
              True, _changes_list(lambda items: items[1:])),
    FaultKind(u"crossed-answer", u"The answer to another request, of the same form if possible.",
              True, _is_crossed),
    FaultKind(u"clock-back", u"The client's clock steps back by an hour.",
              True, _intact, step=-_HOUR),
    FaultKind(u"clock-forward", u"The client's clock steps forward by an hour.",
              True, _intact, step=_HOUR),
)

#: The kinds of fault, by name, in the order of the documentation.
FAULTS = OrderedDict((kind.name, kind) for kind in _KINDS)


def fault_kind(fault):
    # type: (Union[FaultKind, Text]) -> FaultKind
    """
    :param fault: a :class:`FaultKind`, or the name of one.
    :return: the :class:`FaultKind`.
    :raises KeyError: no kind has that name.
    """
    return fault if isinstance(fault, FaultKind) else FAULTS[fault]


def fault_kinds(faults):
    # type: (Iterable[Union[FaultKind, Text]]) -> Tuple[FaultKind, ...]
    """As :func:`fault_kind`, for several."""
    return tuple(fault_kind(fault) for fault in faults)


__all__ = ["FAULTS", "FaultKind", "fault_kind", "fault_kinds"]
