"""
The embedded service with a report, as :mod:`benchmarks.clients.service`, of its EC2 face: the
requests by their actions, and the connections.
"""

from __future__ import annotations

import signal
import sys
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

from txstorage.cli.main import main
from txstorage.embedded.apis.ec2 import ports
from txstorage.embedded.wire.site import BoundedSite

from .service import Report


class EC2Report(Report):
    """
    The figures of this process.

    :ivar requests: by the names of the actions.
    :ivar connections: the number that the EC2 face accepted.
    """

    requests: Counter[str] = Counter()
    connections = 0

    def reset(self, *_: Any) -> None:
        """Begin anew."""
        self.requests.clear()
        self.connections = 0
        super().reset()

    def figures(self) -> dict[str, Any]:
        """The figures since the last reset."""
        counted = {"requests": dict(self.requests), "connections": self.connections}
        return {**super().figures(), **counted}


def count_traffic(report: EC2Report) -> None:
    """Have the EC2 face of this process counted."""
    face, build = ports.QueryAPI, BoundedSite.buildProtocol

    class CountedQueryAPI(face):
        """The EC2 face."""

        def render(self, request: Any) -> int:
            """Count a request, and answer it."""
            request.content.seek(0)
            form = parse_qs(request.content.read().decode("utf-8", "replace"))
            report.requests[form.get("Action", ["?"])[0]] += 1
            answered: int = super().render(request)
            return answered

    def counted(site: BoundedSite, address: Any) -> Any:
        report.connections += isinstance(site.resource, CountedQueryAPI)
        return build(site, address)

    ports.QueryAPI = CountedQueryAPI
    BoundedSite.buildProtocol = counted


if __name__ == "__main__":
    found = EC2Report(sys.argv[1])
    count_traffic(found)
    signal.signal(signal.SIGUSR1, found.reset)
    signal.signal(signal.SIGUSR2, found.write)
    main(["serve", *sys.argv[2:]], prog_name="txstorage")
