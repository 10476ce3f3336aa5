"""
``make demo-flocker``: a database in a container with Flocker's own Docker plugin moves between two
machines, is killed, and is recovered.

``FLOCKER_PYTHON`` is a Python 2.7 with Flocker in its own environment.  The machines are made for
the demonstration: each has a systemd, a Docker Engine, Flocker's agent and its plugin, with
``backend: txstorage``; the embedded service is their cloud.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from ..nodes.demonstration import DATA, Demonstration, Wrong, shown
from ..nodes.machines.node import NodeError
from ..progress import say
from .cluster import SETUPS
from .making import cluster_with, flocker_for, nodes_for

#: A directory of the database's own, as Flocker's volumes belong to root.
DATABASE = DATA + "/database"
#: The outcomes of the first step, by the names of the set-ups of agents.
AGENTS = {
    "stock": "Flocker's agents on both nodes",
    "native": "txstorage's agents on both nodes",
    "mixed": "Flocker's agent on node 1, txstorage's on node 2",
}


class FlockerDemonstration(Demonstration):
    """
    The steps.

    :param cluster: the :class:`~tests.acceptance.cluster.Cluster`, without agents at first.
    :param setup: the name of the agents' set-up.
    """

    DRIVER, ROWS = "flocker", 200000
    SERVER = (
        f"[ -s {DATABASE}/PG_VERSION ] || initdb --pgdata {DATABASE} >/dev/null; "
        f"exec postgres -D {DATABASE} -c listen_addresses= -c unix_socket_directories=/tmp"
    )

    def __init__(self, cluster, setup, *show):
        super().__init__(cluster.nodes, *show)
        self._cluster = cluster
        self._setup = setup

    def begin(self):
        """Start Flocker's agents and its Docker plugin on two nodes."""
        self._cluster.use(self._setup)
        self.wait(lambda: self._cluster.connected() == 2, "the agents are not connected")
        return AGENTS[self._setup]

    def create(self):
        """Create a volume of 1 GiB, and start PostgreSQL on it on node 1."""
        self.first.run("docker volume create --driver flocker --opt size=1GiB database")
        self.start(self.first)
        return self.version(self.first)

    def write(self):
        """Write 200,000 rows."""
        self.fill(self.first)
        return self.checked(self.first)

    def move(self):
        """Stop the container, and start it on node 2."""
        self.first.run("docker stop database && docker rm database")
        self.start(self.second)
        return self.checked(self.second)

    def kill(self):
        """Kill the container while it writes, and recover the database on node 1."""
        self.second.spawn(
            ["docker", "exec", "database", *self.psql("INSERT INTO words SELECT id, 'lost' FROM "
             "generate_series(200001, 10000000) AS id")]
        )  # fmt: skip
        time.sleep(0.5)
        self.second.run("docker rm --force database")
        self.start(self.first)
        if "not properly shut down" not in self.first.run("docker logs database 2>&1"):
            raise Wrong("PostgreSQL had nothing to recover")
        return "recovered from its log; " + self.checked(self.first)

    STEPS = (begin, create, write, move, kill)


def demonstrated(flocker, setup):
    """:return: an exit code."""
    with cluster_with(flocker, lambda images: [images["postgres"]]) as (cluster, _):
        return shown(FlockerDemonstration(cluster, setup))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", choices=SETUPS, default="stock", help="Flocker's by default")
    options = parser.parse_args()
    flocker = flocker_for("demo-flocker")
    try:
        with nodes_for("demo-flocker"):
            return demonstrated(flocker, options.agents)
    except (subprocess.CalledProcessError, OSError, NodeError) as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
