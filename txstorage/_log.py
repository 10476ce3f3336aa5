"""
Every Eliot action and message type, in one place.

No field ever holds a secret: tokens and request bodies are not logged.
"""

from __future__ import absolute_import, division, print_function

from eliot import ActionType, Field, MessageType

from ._support.compat import as_text


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


class OncePerProblem(object):
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


__all__ = [name for name in list(globals()) if name.isupper()] + ["OncePerProblem"]
