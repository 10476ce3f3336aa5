# -*- test-case-name: tests.cli.test_volumes -*-
"""The cloud of a command, with a display of what the command waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ...clouds import Volume
from ...driver.labels import check_cluster
from ..app import App, ConfiguredCloud
from ..progress import Note, progress
from ..running import IReactor
from ..terminal import one_line


@contextmanager
def observed(
    app: App, reactor: IReactor, description: str, note: Note | None = None
) -> Iterator[ConfiguredCloud]:
    """Provide the cloud, and on a terminal a spinner with the last status seen."""
    with progress(app.progress_console(), description, note) as shown:
        yield app.cloud(reactor, lambda status: setattr(shown, "text", one_line(status)))


def named(kind: str, references: Sequence[str]) -> str:
    """
    Return the resources of a command, for a title.

    :param kind: such as ``volume``.
    """
    return f"{kind} {references[0]}" if len(references) == 1 else f"{len(references)} {kind}s"


async def volume_of(cloud: ConfiguredCloud, volume_id: str) -> Volume:
    """
    :raises UnknownVolume: the volume does not exist, or belongs to another cluster.
    """
    cluster_id: Any = cloud.configuration.cluster_id
    found: Volume = check_cluster(await cloud.service.get_volume(volume_id), cluster_id)
    return found


__all__ = ["named", "observed", "volume_of"]
