# -*- test-case-name: tests.cli.test_observed -*-
"""A view of a command's requests: the status last seen, and what was already asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from .._support.compat import as_text
from ..clouds.interface import IVolumeService
from ..clouds.values import Snapshot, Volume
from ..errors import UnknownSnapshot
from ..interfaces import UnknownVolume, VolumeException
from .sizes import format_size

Observe = Callable[[str], None]
#: Characters of a reason on the line of a spinner.
_SHORT = 100


class SentRequests:
    """The requests of a command that change something, for people."""

    def __init__(self) -> None:
        self._outcomes: dict[str, str] = {}

    def __bool__(self) -> bool:
        """Return whether any request may have been carried out."""
        return bool(self._outcomes)

    def __str__(self) -> str:
        return "; ".join(f"{what} ({outcome})" for what, outcome in self._outcomes.items())

    def watch(self, what: str, sent: Deferred[Any]) -> Deferred[Any]:
        """
        Record a request.

        :param what: the request.
        :param sent: fires when the cloud has accepted it.
        """
        self._outcomes[what] = "sent, and not answered yet"
        return sent.addCallbacks(self._accepted, self._failed, (what,), {}, (what,), {})

    def _accepted(self, result: Any, what: str) -> Any:
        made = f" as {_named(result)}" if isinstance(result, (Snapshot, Volume)) else ""
        self._outcomes[what] = "accepted" + made
        return result

    def _failed(self, failure: Failure, what: str) -> Failure:
        error = failure.value
        unknown = isinstance(error, (VolumeException, UnknownSnapshot))
        if unknown or getattr(error, "certainly_unprocessed", False):
            del self._outcomes[what]
        return failure


def _named(made: Snapshot | Volume) -> str:
    if isinstance(made, Snapshot):
        return f"snapshot {made.snapshot_id}"
    return f"volume {made.volume_id}"


class ObservedService:
    """
    A volume service that reports the status of each volume and snapshot it returns, each failed
    look, and each request for a change.

    :param service: the :class:`~txstorage.clouds.IVolumeService`.
    :param observe: called with a status, or with a problem.
    :param sent: records the requests for changes.
    """

    def __init__(
        self, service: IVolumeService, observe: Observe, sent: SentRequests | None = None
    ) -> None:
        self._service = service
        self._observe = observe
        self._sent = SentRequests() if sent is None else sent
        self._status = ""
        self._failures = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)

    # -- looks -------------------------------------------------------------------

    def get_volume(self, volume_id: str) -> Deferred[Volume]:
        """See ``IVolumeService``."""
        looked = self._looked(self._service.get_volume(volume_id))
        return looked.addCallback(self._seen)

    def list_volumes(self, labels: Mapping[str, str]) -> Deferred[Any]:
        """See ``IVolumeService``."""
        return self._looked(self._service.list_volumes(labels))

    def get_snapshot(self, snapshot_id: str) -> Deferred[Snapshot]:
        """See ``IVolumeService``."""
        looked = self._looked(self._service.get_snapshot(snapshot_id))
        return looked.addCallback(self._seen)

    def list_snapshots(self, *args: Any) -> Deferred[Any]:
        """See ``IVolumeService``."""
        return self._looked(self._service.list_snapshots(*args))

    def list_attachments(self, server_id: str) -> Deferred[Any]:
        """See ``IVolumeService``."""
        return self._looked(self._service.list_attachments(server_id))

    def list_device_names(self, server_id: str) -> Deferred[Any]:
        """See ``IVolumeService``."""
        return self._looked(self._service.list_device_names(server_id))

    def _looked(self, look: Deferred[Any]) -> Deferred[Any]:
        return look.addCallbacks(self._succeeded, self._failed)

    def _succeeded(self, result: Any) -> Any:
        if self._failures:
            self._failures = 0
            self._observe(self._status)
        return result

    def _failed(self, failure: Failure) -> Failure:
        if not failure.check(UnknownVolume, UnknownSnapshot):
            self._failures += 1
            reason = getattr(failure.value, "reason", None) or failure.getErrorMessage()
            count = "1 failed look" if self._failures == 1 else f"{self._failures} failed looks"
            parts = [self._status, count, as_text(reason)[:_SHORT]]
            self._observe(": ".join(part for part in parts if part))
        return failure

    def _seen(self, found: Any) -> Any:
        self._status = found.status
        if isinstance(found, Snapshot) and found.status == "creating" and found.progress:
            self._status += f", {found.progress} done"
        self._observe(self._status)
        return found

    # -- requests ----------------------------------------------------------------

    def create_volume(self, name: str, size: int, *rest: Any) -> Deferred[Volume]:
        """See ``IVolumeService``."""
        what = f"create a volume of {format_size(size)}"
        return self._sent.watch(what, self._service.create_volume(name, size, *rest))

    def delete_volume(self, volume_id: str) -> Deferred[None]:
        """See ``IVolumeService``."""
        sent = self._service.delete_volume(volume_id)
        return self._sent.watch(f"destroy volume {volume_id}", sent)

    def extend_volume(self, volume_id: str, size: int, attached: bool) -> Deferred[None]:
        """See ``IVolumeService``."""
        sent = self._service.extend_volume(volume_id, size, attached)
        return self._sent.watch(f"grow volume {volume_id} to {format_size(size)}", sent)

    def set_labels(self, volume_id: str, labels: Mapping[str, str]) -> Deferred[Any]:
        """See ``IVolumeService``."""
        sent = self._service.set_labels(volume_id, labels)
        return self._sent.watch(f"label volume {volume_id}", sent)

    def remove_label(self, volume_id: str, label: str) -> Deferred[None]:
        """See ``IVolumeService``."""
        sent = self._service.remove_label(volume_id, label)
        return self._sent.watch(f"remove the label '{label}' of volume {volume_id}", sent)

    def create_snapshot(
        self, volume_id: str, name: str, labels: Mapping[str, str]
    ) -> Deferred[Snapshot]:
        """See ``IVolumeService``."""
        sent = self._service.create_snapshot(volume_id, name, labels)
        return self._sent.watch(f"create a snapshot '{name}' of volume {volume_id}", sent)

    def delete_snapshot(self, snapshot_id: str) -> Deferred[None]:
        """See ``IVolumeService``."""
        sent = self._service.delete_snapshot(snapshot_id)
        return self._sent.watch(f"destroy snapshot {snapshot_id}", sent)

    def request_attach(self, volume_id: str, server_id: str) -> Deferred[None]:
        """See ``IVolumeService``."""
        sent = self._service.request_attach(volume_id, server_id)
        return self._sent.watch(f"attach volume {volume_id} to {server_id}", sent)

    def request_detach(self, volume_id: str, server_id: str) -> Deferred[None]:
        """See ``IVolumeService``."""
        sent = self._service.request_detach(volume_id, server_id)
        return self._sent.watch(f"detach volume {volume_id} from {server_id}", sent)


__all__ = ["Observe", "ObservedService", "SentRequests"]
