# -*- test-case-name: tests._node.test_instance_id -*-
"""
This node's instance id on OpenStack: Compute's id of the machine that the driver runs on.

It is looked for in the config drive, the metadata service and the firmware.
"""

from __future__ import absolute_import, division, print_function

from uuid import UUID

from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath

from .._http.bodies import collect
from .._http.bounds import Bounds
from .._http.connections import plain_agent
from .._http.failures import is_cancelled
from .._http.json_reader import json_within
from .._support.compat import as_text
from .._support.notations.uuids import is_uuid
from .config_drive import ConfigDrive
from .search import NothingHere, SearchedIdentity

MYPY = False
if MYPY:
    from typing import Any, List, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from ..clouds.interface import IVolumeService  # noqa: F401
    from .search import Source  # noqa: F401

METADATA_URL = u"http://169.254.169.254/openstack/latest/meta_data.json"
_METADATA_TIMEOUT = 5.0  # seconds
# The answer is decoded at once, so it must be short.
_BOUNDS = Bounds(body_bytes=1024 * 1024, json_values=10000)


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
    :raises NothingHere: there is none.
    """
    try:
        found = json_within(body, _BOUNDS)["uuid"]
    except (ValueError, KeyError, TypeError):
        raise NothingHere(u"its meta_data.json has no 'uuid'")
    return as_text(found)


class NodeIdentity(SearchedIdentity):
    """
    Finds this node's instance id on OpenStack.

    :param reactor: provides ``IReactorTime`` and the interfaces that ``Agent`` needs.
    :param service: provides ``IVolumeService``.
    :param configured: text; ``None`` to look for the id.
    :param agent: an ``IAgent``; ``None`` for one without proxies.
    :param text metadata_url: the URL of the cloud's metadata service.
    :param FilePath mounts: the table of mounted file systems.
    :param FilePath labels: block devices by their file system's label.
    :param FilePath sysfs: the mount point of sysfs.
    :param FilePath dev: the directory of the device nodes.
    """

    form = u"a UUID"

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
        SearchedIdentity.__init__(self, service, configured)
        self._reactor = reactor
        self._agent = agent
        self._metadata_url = metadata_url
        self._drive = ConfigDrive(mounts, labels, sysfs, dev)
        self._sysfs = sysfs

    def canonical(self, text):
        # type: (Text) -> Optional[Text]
        """See :class:`~txstorage._node.search.SearchedIdentity`."""
        return canonical_uuid(text)

    def sources(self):
        # type: () -> List[Source]
        """See :class:`~txstorage._node.search.SearchedIdentity`."""
        return [
            (u"config drive", self._config_drive),
            (u"metadata service", self._metadata_service),
            (u"DMI product UUID", self._firmware),
        ]

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
        raise NothingHere(u"it answered with HTTP {}".format(response.code))
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
        raise NothingHere(u"no answer within {} seconds".format(timeout))
    return result


__all__ = ["METADATA_URL", "NodeIdentity", "canonical_uuid", "smbios_orders"]
