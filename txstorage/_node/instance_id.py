# -*- test-case-name: tests._node.test_instance_id -*-
"""
This node's instance id: Compute's id of the machine that the driver runs on.

Volumes are attached to that id, so no source is trusted alone: an id counts only when it is a UUID
that Compute knows.
"""

from __future__ import absolute_import, division, print_function

from uuid import UUID

from twisted.internet.defer import CancelledError, maybeDeferred, succeed
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath

from .._http.bodies import collect
from .._http.bounds import Bounds
from .._http.connections import plain_agent
from .._http.failures import is_cancelled
from .._http.json_reader import json_within
from .._log import INSTANCE_ID_SOURCE
from .._support.compat import as_text
from .._support.deferreds import SharedCall
from .._support.eliot_context import in_current_context
from .._support.notations.uuids import is_uuid
from ..errors import UnidentifiedNode, UnknownServer
from .config_drive import ConfigDrive

MYPY = False
if MYPY:
    from typing import Any, Callable, List, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from ..clouds.interface import IVolumeService  # noqa: F401

METADATA_URL = u"http://169.254.169.254/openstack/latest/meta_data.json"
_METADATA_TIMEOUT = 5.0  # seconds
# The answer is decoded at once, so it must be short.
_BOUNDS = Bounds(body_bytes=1024 * 1024, json_values=10000)


class _NothingHere(Exception):
    """A source has no instance id; the text gives the reason."""


def canonical_uuid(text):
    # type: (Any) -> Optional[Text]
    """
    :param text: a source's text.
    :return: lower-case text; ``None`` when it is not a UUID in its usual form, as EC2's
        ``i-00000001`` is not.
    """
    lowered = as_text(text).strip().lower()
    return lowered if is_uuid(lowered) else None


def smbios_orders(text):
    # type: (Text) -> List[Text]
    """
    List the UUIDs that a firmware may mean.  SMBIOS 2.6 has the first three fields little-endian,
    and not every firmware follows it.

    :param text text: the DMI product UUID.
    :return: a list of texts.
    """
    candidate = canonical_uuid(text)
    if candidate is None:
        return [text]
    swapped = as_text(str(UUID(bytes=UUID(candidate).bytes_le)))
    return [candidate] if swapped == candidate else [candidate, swapped]


def uuid_from_metadata(body):
    # type: (bytes) -> Text
    """
    :param bytes body: OpenStack's ``meta_data.json``.
    :return: text, the instance's ``uuid``.
    :raises _NothingHere: there is none.
    """
    try:
        found = json_within(body, _BOUNDS)["uuid"]
    except (ValueError, KeyError, TypeError):
        raise _NothingHere(u"its meta_data.json has no 'uuid'")
    return as_text(found)


class NodeIdentity(object):
    """
    Finds this node's instance id.

    :param reactor: provides ``IReactorTime`` and the interfaces that ``Agent`` needs.
    :param service: provides ``IVolumeService``.
    :param configured: text; ``None`` to look for the id.
    :param agent: an ``IAgent``; ``None`` for one without proxies.
    :param text metadata_url: the URL of the cloud's metadata service.
    :param FilePath mounts: the table of mounted file systems.
    :param FilePath labels: block devices by their file system's label.
    :param FilePath sysfs: the mount point of sysfs.
    :param FilePath dev: the directory of the device nodes.

    :ivar text source: the source of the id; ``None`` until it is found.
    """

    source = None  # type: Optional[Text]

    def __init__(
        self,
        reactor,
        service,
        configured=None,
        agent=None,
        metadata_url=METADATA_URL,
        mounts=FilePath("/proc/self/mounts"),
        labels=FilePath("/dev/disk/by-label"),
        sysfs=FilePath("/sys"),
        dev=FilePath("/dev"),
    ):
        # type: (Any, IVolumeService, Optional[Text], Any, Text, FilePath[str], FilePath[str], FilePath[str], FilePath[str]) -> None
        self._reactor = reactor
        self._service = service
        self._configured = configured
        self._agent = agent
        self._metadata_url = metadata_url
        self._drive = ConfigDrive(mounts, labels, sysfs, dev)
        self._sysfs = sysfs
        self._found = None  # type: Optional[Text]
        self._search = SharedCall(self._look)

    def __str__(self):
        # type: () -> str
        return "this node"

    def instance_id(self):
        # type: () -> Deferred[Text]
        """
        Find the id once; callers share a search, and only success is kept.

        :return: a ``Deferred`` that fires with text; fails with ``UnknownInstanceID``, which lists
            the attempts, or as ``IVolumeService.get_server`` does when Compute fails.
        """
        return succeed(self._found) if self._found else self._search.join()

    def _look(self):
        # type: () -> Deferred[Text]
        if self._configured is not None:
            configured = self._configured
            sources = [(u"configuration", lambda: [configured])]  # type: List[Any]
        else:
            sources = [
                (u"config drive", self._config_drive),
                (u"metadata service", self._metadata_service),
                (u"DMI product UUID", self._firmware),
            ]
        return _Search(self, self._service, sources).run().addCallback(self._keep)

    def _keep(self, source_and_id):
        # type: (Tuple[Text, Text]) -> Text
        self.source, self._found = source_and_id
        return source_and_id[1]

    def _config_drive(self):
        # type: () -> List[Text]
        return [uuid_from_metadata(self._drive.metadata())]

    def _metadata_service(self):
        # type: () -> Deferred[List[Text]]
        agent = plain_agent(self._reactor) if self._agent is None else self._agent
        d = agent.request(b"GET", self._metadata_url.encode("ascii"))  # type: Deferred[Any]
        d.addCallback(_body)
        d.addCallback(lambda body: [uuid_from_metadata(body)])
        d.addErrback(_plainly_cancelled)
        return d.addTimeout(_METADATA_TIMEOUT, self._reactor, _no_answer)

    def _firmware(self):
        # type: () -> List[Text]
        path = self._sysfs.descendant(("class", "dmi", "id", "product_uuid"))
        return smbios_orders(as_text(path.getContent()).strip())


def _body(response):
    # type: (Any) -> Deferred[bytes]
    if response.code != 200:
        raise _NothingHere(u"it answered with HTTP {}".format(response.code))
    return collect(response, _BOUNDS).addCallback(lambda result: result[0])


def _plainly_cancelled(failure):
    # type: (Failure) -> Failure
    # A cancelled request may fail with ResponseNeverReceived around it.
    if is_cancelled(failure.value):
        raise CancelledError()
    return failure


def _no_answer(result, timeout):
    # type: (Any, float) -> Any
    if isinstance(result, Failure) and result.check(CancelledError):
        raise _NothingHere(u"no answer within {} seconds".format(timeout))
    return result


class _Search(object):
    """
    One search, from source to source until one has a known id.

    :param node: the node, for the error.
    :param service: provides ``IVolumeService``.
    :param list sources: pairs of a name and a function that returns a list of texts or a
        ``Deferred`` of one, or fails.
    """

    def __init__(self, node, service, sources):
        # type: (NodeIdentity, IVolumeService, List[Tuple[Text, Callable[[], Any]]]) -> None
        self._node = node
        self._service = service
        self._sources = iter(sources)
        self._attempts = []  # type: List[Tuple[Text, Text]]
        self._log = in_current_context(_log)

    def run(self):
        # type: () -> Deferred[Tuple[Text, Text]]
        """:return: a ``Deferred`` that fires with the source's name and the instance id."""
        try:
            name, source = next(self._sources)
        except StopIteration:
            raise UnidentifiedNode(self._node, self._attempts)
        d = maybeDeferred(source)
        d.addCallbacks(
            lambda candidates: self._first_known(name, candidates),
            lambda failure: self._source_failed(name, failure),
        )
        return d.addCallback(lambda found: self.run() if found is None else found)

    def _source_failed(self, name, failure):
        # type: (Text, Failure) -> Optional[Failure]
        if failure.check(CancelledError):
            return failure
        kind = getattr(failure.type, "__name__", failure.type)
        self._note(name, as_text(failure.value) or as_text(kind))
        return None

    def _first_known(self, name, candidates):
        # type: (Text, List[Text]) -> Any
        if not candidates:
            return None
        candidate = canonical_uuid(candidates[0])
        if candidate is None:
            self._note(name, u"{} is not a UUID".format(candidates[0]))
            return self._first_known(name, candidates[1:])
        d = self._service.get_server(candidate)
        d.addCallbacks(
            lambda _: self._accept(name, candidate),
            lambda failure: self._not_known(name, candidate, failure),
        )
        return d.addCallback(
            lambda found: self._first_known(name, candidates[1:]) if found is None else found
        )

    def _accept(self, name, candidate):
        # type: (Text, Text) -> Tuple[Text, Text]
        self._note(name, candidate)
        return name, candidate

    def _not_known(self, name, candidate, failure):
        # type: (Text, Text, Failure) -> None
        failure.trap(UnknownServer)
        self._note(name, u"Compute has no instance {}".format(candidate))

    def _note(self, name, outcome):
        # type: (Text, Text) -> None
        self._attempts.append((name, outcome))
        self._log(name, outcome)


def _log(source, outcome):
    # type: (Text, Text) -> None
    INSTANCE_ID_SOURCE(source=source, outcome=outcome).write()


__all__ = ["METADATA_URL", "NodeIdentity", "canonical_uuid", "smbios_orders"]
