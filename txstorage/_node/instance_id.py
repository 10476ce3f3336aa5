# -*- test-case-name: tests._node.test_instance_id -*-
"""
This node's instance id: what Compute calls the machine this runs on.

Volumes get attached to whatever it says, so no source is believed alone: an
id counts only when it is a UUID that Compute knows.
"""

from __future__ import absolute_import, division, print_function

import json
import re
from uuid import UUID

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, maybeDeferred, succeed
from twisted.python.filepath import FilePath

from .._http.bodies import collect
from .._http.connections import plain_agent
from .._http.failures import is_cancelled
from .._log import INSTANCE_ID_SOURCE
from .._support.compat import as_text
from .._support.deferreds import SharedCall, with_deadline
from .._support.eliot_context import in_current_context, resume_context
from ..errors import UnidentifiedNode, UnknownServer
from .config_drive import ConfigDrive

METADATA_URL = u"http://169.254.169.254/openstack/latest/meta_data.json"
_METADATA_TIMEOUT = 5.0  # seconds
_MAX_METADATA = 1024 * 1024  # bytes

_UUID = re.compile(u"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\Z")


class _NothingHere(Exception):
    """A source has no instance id; the text says why."""


def canonical_uuid(text):
    """
    :param text: what a source says.
    :return: lower-case text; ``None`` when it is not a UUID in its usual form,
        as EC2's ``i-00000001`` is not.
    """
    lowered = as_text(text).strip().lower()
    return lowered if _UUID.match(lowered) else None


def smbios_orders(text):
    """
    The UUIDs a firmware may mean.  SMBIOS 2.6 has the first three fields
    little-endian, and not every firmware goes by it.

    :param text text: the DMI product UUID.
    :return: a list of texts.
    """
    candidate = canonical_uuid(text)
    if candidate is None:
        return [text]
    swapped = as_text(str(UUID(bytes=UUID(candidate).bytes_le)))
    return [candidate] if swapped == candidate else [candidate, swapped]


def uuid_from_metadata(body):
    """
    :param bytes body: OpenStack's ``meta_data.json``.
    :return: text, the instance's ``uuid``.
    :raises _NothingHere: there is none.
    """
    try:
        found = json.loads(body.decode("utf-8"))["uuid"]
    except (ValueError, KeyError, TypeError):
        raise _NothingHere(u"its meta_data.json has no 'uuid'")
    return as_text(found)


class NodeIdentity(object):
    """
    Finds out this node's instance id.

    :param reactor: provides ``IReactorTime`` and what ``Agent`` needs.
    :param service: provides ``IVolumeService``.
    :param configured: text; ``None`` to look for the id.
    :param client: has treq's ``get``; ``None`` for one without proxies.
    :param text metadata_url: where the cloud's metadata service is.
    :param FilePath mounts: the table of mounted file systems.
    :param FilePath labels: block devices by their file system's label.
    :param FilePath sysfs: where sysfs is mounted.
    :param FilePath dev: where device nodes are.

    :ivar text source: what told the id; ``None`` until it is found.
    """

    source = None

    def __init__(
        self,
        reactor,
        service,
        configured=None,
        client=None,
        metadata_url=METADATA_URL,
        mounts=FilePath("/proc/self/mounts"),
        labels=FilePath("/dev/disk/by-label"),
        sysfs=FilePath("/sys"),
        dev=FilePath("/dev"),
    ):
        self._reactor = reactor
        self._service = service
        self._configured = configured
        self._client = client
        self._metadata_url = metadata_url
        self._drive = ConfigDrive(mounts, labels, sysfs, dev)
        self._sysfs = sysfs
        self._found = None
        self._search = SharedCall(self._look)

    def __str__(self):
        return "this node"

    def instance_id(self):
        """
        Find the id once; callers share a search, and only success is kept.

        :return: a ``Deferred`` that fires with text; fails with
            ``UnknownInstanceID`` that tells of everything that was tried, or
            as ``IVolumeService.get_server`` does when Compute can't be asked.
        """
        return succeed(self._found) if self._found else resume_context(self._search.join())

    def _look(self):
        if self._configured is not None:
            sources = [(u"configuration", lambda: [self._configured])]
        else:
            sources = [
                (u"config drive", self._config_drive),
                (u"metadata service", self._metadata_service),
                (u"DMI product UUID", self._firmware),
            ]
        return _Search(self, self._service, sources).run().addCallback(self._keep)

    def _keep(self, source_and_id):
        self.source, self._found = source_and_id
        return self._found

    def _config_drive(self):
        return [uuid_from_metadata(self._drive.metadata())]

    def _metadata_service(self):
        client = self._client
        if client is None:
            client = HTTPClient(plain_agent(self._reactor))
        d = client.get(self._metadata_url.encode("ascii"), reactor=self._reactor)
        d.addCallback(_body)
        d.addCallback(lambda body: [uuid_from_metadata(body)])
        d.addErrback(_plainly_cancelled)
        return with_deadline(self._reactor.callLater, _METADATA_TIMEOUT, d, _no_answer)

    def _firmware(self):
        path = self._sysfs.descendant(("class", "dmi", "id", "product_uuid"))
        return smbios_orders(as_text(path.getContent()).strip())


def _body(response):
    if response.code != 200:
        raise _NothingHere(u"it answered with HTTP {}".format(response.code))
    return collect(response, _MAX_METADATA).addCallback(lambda result: result[0])


def _plainly_cancelled(failure):
    # A cancelled request may fail with ResponseNeverReceived around it.
    if is_cancelled(failure.value):
        raise CancelledError()
    return failure


def _no_answer():
    return _NothingHere(u"no answer within {} seconds".format(_METADATA_TIMEOUT))


class _Search(object):
    """
    One search, from source to source until one is right.

    :param node: whose instance id it is, for the error.
    :param service: provides ``IVolumeService``.
    :param list sources: of names and functions that return a list of texts or
        a ``Deferred`` of one, or fail.
    """

    def __init__(self, node, service, sources):
        self._node = node
        self._service = service
        self._sources = iter(sources)
        self._attempts = []
        self._log = in_current_context(_log)

    def run(self):
        """:return: a ``Deferred`` that fires with the source's name and the instance id."""
        name, source = next(self._sources, (None, None))
        if source is None:
            raise UnidentifiedNode(self._node, self._attempts)
        d = maybeDeferred(source)
        d.addCallbacks(
            lambda candidates: self._first_known(name, candidates),
            lambda failure: self._source_failed(name, failure),
        )
        return d.addCallback(lambda found: self.run() if found is None else found)

    def _source_failed(self, name, failure):
        if failure.check(CancelledError):
            return failure
        self._note(name, as_text(failure.value) or as_text(failure.type.__name__))
        return None

    def _first_known(self, name, candidates):
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
        self._note(name, candidate)
        return name, candidate

    def _not_known(self, name, candidate, failure):
        failure.trap(UnknownServer)
        self._note(name, u"Compute knows no instance {}".format(candidate))

    def _note(self, name, outcome):
        self._attempts.append((name, outcome))
        self._log(name, outcome)


def _log(source, outcome):
    INSTANCE_ID_SOURCE(source=source, outcome=outcome).write()


__all__ = ["METADATA_URL", "NodeIdentity", "canonical_uuid", "smbios_orders"]
