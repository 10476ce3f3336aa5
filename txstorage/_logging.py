# -*- test-case-name: tests.test_logging -*-
"""
Every Eliot action and message type, in one place.

No field ever holds a secret: tokens and request bodies are not logged.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from eliot import ActionType, Field, MessageType
from eliot.twisted import DeferredContext
from twisted.internet.defer import Deferred

from ._compat import as_text

try:
    from contextvars import copy_context
except ImportError:
    # Python 2, where Eliot 0.11, which Flocker pins, keeps its own stack.
    from eliot._action import _context

    def copy_context():
        return _Context(_context.current())

    class _Context(object):
        """As much of Python 3's ``contextvars.Context`` as is needed here."""

        def __init__(self, action):
            self._action = action

        def run(self, function, *args, **kwargs):
            _context.push(self._action)
            try:
                return function(*args, **kwargs)
            finally:
                _context.pop()


def _text(key, description):
    return Field(key, as_text, description)


def _any(key, description):
    return Field(key, lambda value: value, description)


OPERATION = _text(u"operation", u"The driver operation.")
VOLUME = _text(u"volume_id", u"The volume's id.")
DATASET = _text(u"dataset_id", u"The dataset's id.")
SERVER = _text(u"server_id", u"The instance id.")
REASON = _text(u"reason", u"Why.")
STATUS = _text(u"status", u"The volume's status.")

DRIVER_OPERATION = ActionType(
    u"txstorage:driver",
    [OPERATION, _text(u"subject", u"What the operation is about.")],
    [],
    u"One operation of the driver.",
)

HTTP_EXCHANGE = ActionType(
    u"txstorage:http",
    [
        _text(u"method", u"The HTTP method."),
        _text(u"url", u"Where to, without the query."),
        _text(u"request_id", u"The id this client gave the request."),
    ],
    [
        _any(u"status", u"The HTTP status."),
        _any(u"service_request_id", u"The id the service gave the request."),
    ],
    u"One HTTP request and its answer.",
)

HTTP_RETRY = MessageType(
    u"txstorage:http:retry",
    [REASON, _any(u"delay", u"Seconds until the next try.")],
    u"A request is sent again.",
)

CREDENTIALS_KEPT = MessageType(
    u"txstorage:credentials:kept",
    [REASON],
    u"Credentials in a file can't be used; those that were there before are used further.",
)

TOKEN_KEPT = MessageType(
    u"txstorage:token:kept",
    [REASON, _any(u"remaining", u"Seconds that are left of the token.")],
    u"A token could not be renewed before its end; it is used further, and the renewal repeated.",
)

CONFIGURATION_NOTE = MessageType(
    u"txstorage:configuration:note",
    [_text(u"source", u"The file."), REASON],
    u"Something in a configuration has no effect here.",
)

POLL_FAILED = MessageType(
    u"txstorage:watcher:poll_failed",
    [REASON, _any(u"waiting", u"How many operations wait.")],
    u"Looking at the volumes failed; it is tried again.",
)

VOLUME_SKIPPED = MessageType(
    u"txstorage:list:volume_skipped",
    [VOLUME, REASON],
    u"A volume can't be understood and is left out of the list.",
)

DUPLICATE_VOLUME = MessageType(
    u"txstorage:create:duplicate",
    [DATASET, VOLUME, _text(u"used", u"The volume that is used instead.")],
    u"A second volume exists for one dataset.  It is never used.",
)

CREATE_RESUMED = MessageType(
    u"txstorage:create:resumed",
    [DATASET, VOLUME, STATUS],
    u"A volume for the dataset exists already, so none is asked for.",
)

REQUEST_REFUSED = MessageType(
    u"txstorage:driver:refused",
    [OPERATION, VOLUME, REASON],
    u"The cloud refused a request; the volume is looked at again.",
)

PROFILE_NOT_MAPPED = MessageType(
    u"txstorage:create:profile_not_mapped",
    [DATASET, _text(u"profile", u"The profile's name.")],
    u"No volume type is configured for a profile; the default one is used.",
)

INSTANCE_ID_SOURCE = MessageType(
    u"txstorage:node:source",
    [
        _text(u"source", u"Where the instance id was looked for."),
        _text(u"outcome", u"What came of it."),
    ],
    u"One place where this node's instance id was looked for.",
)

DEVICE_SEARCH = MessageType(
    u"txstorage:devices:search",
    [VOLUME, _text(u"outcome", u"What came of it.")],
    u"This node's block devices were searched for a volume.",
)

DISCOVERY = ActionType(
    u"txstorage:discovery", [], [], u"A look at what there is on this node, for Flocker's agent."
)

DEVICE_UNUSABLE = MessageType(
    u"txstorage:discovery:device_unusable",
    [VOLUME, REASON],
    u"A volume is attached to this node, but has no device here that is certainly its own.",
)

SERVER_TRANSITION = MessageType(
    u"txstorage:server:transition",
    [VOLUME, STATUS, REASON],
    u"The embedded service ended a volume's transition; a reason, when it could not be done.",
)


class Findings(object):
    """
    What is wrong with what is looked at again and again: logged when it is
    found, and not as long as each look finds it.
    """

    def __init__(self):
        # those of the last look only, so that this stays small
        self._known = frozenset()

    def report(self, findings):
        """
        :param findings: all that a look found: pairs of message type and ``dict``
            of fields.
        """
        found = [(kind, frozenset(fields.items())) for kind, fields in findings]
        known, self._known = self._known, frozenset(found)
        for kind, fields in found:
            if (kind, fields) not in known:
                kind(**dict(fields)).write()


def in_action(action, function, *args, **kwargs):
    """
    Run a Deferred-returning function inside an Eliot action, and finish the
    action when the Deferred fires.

    :param action: a started ``eliot.Action``.
    :param function: called with ``args`` and ``kwargs`` in the action.
    :return: a ``Deferred`` that fires as the function's does, outside of the
        action again.
    """
    resume = carried(_fire)
    with action.context():
        context = DeferredContext(function(*args, **kwargs))
        context.addActionFinish()
    return _resumed(context.result, resume)


def carried(function):
    """
    Bind a callback to the Eliot action that is current now, or to none: a
    Deferred's callbacks run in the context of whatever fires it.

    :return: a callable like ``function``; not to be called by itself.
    """
    return partial(copy_context().run, function)


def resumed(deferred):
    """
    Let a wait end in the Eliot action in which it began, so that the log has
    what comes after it in its place.

    :param deferred: what is waited for, and fired from elsewhere.
    :return: a ``Deferred`` that fires as it does; can be cancelled as it can.
    """
    return _resumed(deferred, carried(_fire))


def _resumed(deferred, fire):
    answer = Deferred(lambda _: deferred.cancel())
    deferred.addBoth(lambda result: fire(answer, result))
    return answer


def _fire(answer, result):
    if not answer.called:
        answer.callback(result)


__all__ = [name for name in list(globals()) if name.isupper()] + [
    "Findings",
    "carried",
    "in_action",
    "resumed",
]
