"""
The work of clients that block: a pool of threads, each of which carries out one piece of work at a
time, as Flocker's agent and most users drive such clients.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .measuring import Measurement, spec


class BlockingWork:
    """
    The work of a client, in terms of the few methods that a client has.

    :param described: the description of the work.
    """

    def __init__(self, described: dict[str, Any]) -> None:
        self._described, self._count = described, described["count"]
        self._servers = described["servers"]
        self._threads = ThreadPoolExecutor(described.get("threads", 10))
        self._volumes: list[str] = []

    # -- the methods of a client ------------------------------------------------

    def create(self) -> str:
        """Create a volume, and wait; :return: its id."""
        raise NotImplementedError

    def attach(self, volume_id: str, server: str) -> None:
        """Attach a volume, and wait."""
        raise NotImplementedError

    def detach(self, volume_id: str, server: str) -> None:
        """Detach a volume, and wait."""
        raise NotImplementedError

    def destroy(self, volume_id: str) -> None:
        """Destroy a volume, and wait."""
        raise NotImplementedError

    def listed(self) -> int:
        """List all volumes; :return: their number."""
        raise NotImplementedError

    # -- the jobs -----------------------------------------------------------------

    def _all(self, act: Callable[[int], Any]) -> list[Exception]:
        def attempt(index: int) -> Exception | None:
            try:
                act(index)
            except Exception as error:
                return error
            return None

        ends = self._threads.map(attempt, range(self._count))
        return [error for error in ends if error is not None]

    def _server(self, index: int) -> str:
        return str(self._servers[index % len(self._servers)])

    def prepare(self) -> None:
        """Create the volumes that the work needs."""
        if self._described["job"] == "attaches":
            self._volumes = list(self._threads.map(lambda _: self.create(), range(self._count)))

    def life_cycles(self) -> list[Exception]:
        """Whole life cycles."""

        def cycle(index: int) -> None:
            volume_id, server = self.create(), self._server(index)
            self.attach(volume_id, server)
            self.detach(volume_id, server)
            self.destroy(volume_id)

        return self._all(cycle)

    def creates(self) -> list[Exception]:
        """Creations."""
        return self._all(lambda _: self.create())

    def attaches(self) -> list[Exception]:
        """Attaches of volumes that exist."""
        return self._all(lambda index: self.attach(self._volumes[index], self._server(index)))

    def list(self) -> list[Exception]:
        """One list of all volumes."""
        found = self.listed()
        return [] if found == self._count else [ValueError(f"{found} volumes")]


def perform(make: Callable[[dict[str, Any]], BlockingWork]) -> None:
    """Do the described work, and print its figures."""
    described = spec()
    work = make(described)
    work.prepare()
    measurement = Measurement()
    measurement.begin()
    failures = getattr(work, described["job"])()
    measurement.end(failures, described["count"])
