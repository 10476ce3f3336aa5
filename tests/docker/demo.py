"""
``make demo-docker``: a database in a container moves between two machines, outlives one of them,
grows, and is restored beside itself from a snapshot.

The machines are made for the demonstration: each has a systemd, a Docker Engine and the plugin, and
the embedded service is their cloud.
"""

from __future__ import annotations

import json
import shutil
import sys
import time

from ..nodes.demonstration import DATA, Demonstration, Wrong, shown
from ..nodes.ending import end_in_order, ignore_signals
from ..nodes.machines.nodes import LOGS, RUNS
from ..nodes.machines.runs import wait_until_over
from ..nodes.run import made
from ..nodes.support import Machines
from ..roots.debootstrap import check_machine, this_release

#: The command of the database's container.
SERVER = (
    f"[ -s {DATA}/PG_VERSION ] || initdb --pgdata {DATA} >/dev/null; "
    f"exec postgres -D {DATA} -c listen_addresses= -c unix_socket_directories=/tmp"
)


class DockerDemonstration(Demonstration):
    """
    The steps.

    :param machines: the :class:`~tests.nodes.support.Machines`.
    :param show: called with each line.
    """

    DRIVER, SERVER, ROWS = "txstorage", SERVER, 10000

    def __init__(self, machines, *show):
        super().__init__(machines.nodes, *show)
        self._machines = machines

    # -- the steps -----------------------------------------------------------------

    def create(self):
        """Create a volume of 1 GiB, and start PostgreSQL on it on node 1."""
        # Growing a mounted ext4 takes CAP_SYS_RESOURCE, which such nodes may not have.
        owner = self.first.run("docker run --rm --network=none postgres id -u").strip()
        self.first.run(
            "docker volume create --driver txstorage --opt size=1GiB --opt fs=xfs "
            f"--opt uid={owner} --opt mode=0700 database"
        )
        self.start(self.first)
        return self.version(self.first)

    def write(self):
        """Write 10,000 rows."""
        self.fill(self.first)
        return self.checked(self.first)

    def move(self):
        """Stop the container, and start it on node 2."""
        self.first.run("docker rm --force database >/dev/null; true")
        self.start(self.second)
        return self.checked(self.second)

    def lose_machine(self):
        """Cut node 2's power while it writes, and take the volume over on node 1."""
        self.second.spawn(
            ["docker", "exec", "database", *self.psql("INSERT INTO words SELECT id, 'lost' FROM "
             "generate_series(20001, 10000000) AS id")]
        )  # fmt: skip
        time.sleep(0.5)
        self.second.die()
        refused = self.first.run(self.starting(), check=False)
        if "which is alive" not in refused.errors:
            raise Wrong("the volume was taken from a node that the cloud reports as running")
        self.first.run("docker rm database")
        self._machines.service.stop_server(self.second)
        self.start(self.first)
        return "refused while the cloud reported node 2 as running; " + self.checked(self.first)

    def grow(self):
        """Grow the volume to 2 GiB while PostgreSQL uses it."""
        self.first.run("txstorage volumes grow database 2GiB")
        self.wait(lambda: self.size(self.first) > 1.8 * 2**30, "the file system does not grow")
        return f"{self.size(self.first) / 2**30:.1f} GiB for files; " + self.checked(self.first)

    def restore(self):
        """Make a snapshot, change the rows, and start a second database from the snapshot."""
        self.first.run("txstorage snapshots create database before")
        self.asked(self.first, "UPDATE words SET word = 'changed'")
        self.first.run("docker volume create --driver txstorage --opt snapshot=before restored")
        self.start(self.first, "restored")
        return "the second database: " + self.checked(self.first, "restored")

    def size(self, node):
        """:return: bytes of the file system of the database."""
        # Asking for the volume lets the plugin look at its size.
        node.run("docker volume inspect database")
        output = node.run(f"docker exec database df --block-size=1 --output=size {DATA}")
        return int(output.splitlines()[-1])

    STEPS = (create, write, move, lose_machine, grow, restore)


def main():
    """
    Make the machines, and show the steps.

    :return: an exit code.
    """
    check_machine("demo-docker")
    with open(made(this_release()), encoding="utf-8") as opened:
        described = json.load(opened)
    shutil.rmtree(LOGS, ignore_errors=True)
    end_in_order()
    try:
        return demonstrated(Machines(described))
    finally:
        ignore_signals()
        wait_until_over(RUNS)


def demonstrated(machines):
    """:return: an exit code; the machines are closed."""
    try:
        machines.restore()
        machines.load("postgres")
        for node in machines.nodes:
            node.run("systemctl start txstorage-docker.socket")
        return shown(DockerDemonstration(machines))
    finally:
        machines.close()


if __name__ == "__main__":
    sys.exit(main())
