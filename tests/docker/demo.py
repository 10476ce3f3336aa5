"""
``make demo-docker``: a database in a container moves between two machines, outlives one of them,
grows, and is restored beside itself from a snapshot.

The machines are made for the demonstration: each has a systemd, a Docker Engine and the plugin, and
the embedded service is their cloud.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

from ..nodes.machines.nodes import RUNS
from ..nodes.machines.runs import wait_until_over
from ..nodes.run import made
from ..nodes.support import Machines
from ..progress import say
from ..roots.debootstrap import check_machine, this_release
from ..run import ENVIRONMENT, make_environment

#: The directory of the database, and the command of its container.
DATA = "/var/lib/postgresql/data"
SERVER = (
    f"[ -s {DATA}/PG_VERSION ] || initdb --pgdata {DATA} >/dev/null; "
    f"exec postgres -D {DATA} -c listen_addresses= -c unix_socket_directories=/tmp"
)
ROWS = 10000
SUMMARY = "SELECT count(*), md5(string_agg(word, ',' ORDER BY id)) FROM words"
#: Seconds in which a database starts.
PATIENCE = 60


class Wrong(Exception):
    """A step had another outcome than it should."""


class Demonstration:
    """
    The steps, each with its duration.

    :param machines: the :class:`~tests.nodes.support.Machines`.
    :param show: called with each line.
    """

    def __init__(self, machines, show=partial(print, flush=True)):
        self._machines = machines
        self._show = show
        self.first, self.second = machines.nodes

    def run(self):
        """
        Run all steps.

        :raises Wrong: a step had another outcome than it should.
        """
        for title, step in STEPS:
            began = time.monotonic()
            outcome = step(self)
            seconds = time.monotonic() - began
            self._show(f"  ok {seconds:5.1f} s  {title}")
            self._show(f"               {outcome}")

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
        return self.asked(self.first, "SELECT version()").split(" on ")[0]

    def write(self):
        """Write 10,000 rows."""
        self.asked(
            self.first,
            "CREATE TABLE words AS SELECT id, md5(id::text) AS word "
            f"FROM generate_series(1, {ROWS}) AS id",
        )
        self.summary = self.asked(self.first, SUMMARY)
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

    # -- the parts -----------------------------------------------------------------

    def starting(self, name="database"):
        """:return: the command that starts a database, whose container and volume have one name."""
        return ["docker", "run", "--detach", "--network=none", "--name", name,
                "--mount", f"type=volume,src={name},dst={DATA},volume-driver=txstorage",
                "postgres", "sh", "-c", SERVER]  # fmt: skip

    def start(self, node, name="database"):
        """Start a database, and wait until it answers."""
        node.run(self.starting(name))
        ready = ["docker", "exec", name, *self.psql("SELECT 1")]
        self.wait(lambda: node.run(ready, check=False).code == 0, "PostgreSQL does not answer")

    def psql(self, statement):
        """:return: the words of a statement's command, in the container."""
        return ["psql", "--host=/tmp", "--username=postgres", "-Atqc", statement]

    def asked(self, node, statement, name="database"):
        """:return: the database's answer."""
        return node.run(["docker", "exec", name, *self.psql(statement)]).strip()

    def checked(self, node, name="database"):
        """
        Compare the rows with those that were written.

        :return: a text about them.
        :raises Wrong: they differ.
        """
        found = self.asked(node, SUMMARY, name)
        if found != self.summary:
            raise Wrong(f"{node.name} has other rows: {found}, not {self.summary}")
        count, digest = found.split("|")
        return f"{count} rows, MD5 {digest[:12]}..."

    def size(self, node):
        """:return: bytes of the file system of the database."""
        # Asking for the volume lets the plugin look at its size.
        node.run("docker volume inspect database")
        output = node.run(f"docker exec database df --block-size=1 --output=size {DATA}")
        return int(output.splitlines()[-1])

    def wait(self, reached, problem):
        """
        Wait for a state.

        :raises Wrong: it is not reached in time.
        """
        end = time.monotonic() + PATIENCE
        while not reached():
            if time.monotonic() > end:
                raise Wrong(problem)
            time.sleep(0.3)


#: The steps, by their titles.
STEPS = [
    (step.__doc__.splitlines()[0].rstrip("."), step)
    for step in (
        Demonstration.create,
        Demonstration.write,
        Demonstration.move,
        Demonstration.lose_machine,
        Demonstration.grow,
        Demonstration.restore,
    )
]


def main():
    """Make the machines, and show the steps."""
    check_machine("demo-docker")
    make_environment()
    path = made(this_release())
    # The environment has the libraries of the embedded service.
    command = [os.path.join(ENVIRONMENT, "bin", "python"), "-m", "tests.docker.demo", path]
    process = subprocess.Popen(command)
    while True:
        try:
            code = process.wait()
            break
        except KeyboardInterrupt:
            # The demonstration gets it, too, and cleans up.
            continue
    wait_until_over(RUNS)
    return code


def demonstrate(path):
    """
    :param path: of the description of what was made.
    :return: an exit code.
    """
    with open(path, encoding="utf-8") as opened:
        machines = Machines(json.load(opened))
    try:
        machines.restore()
        machines.load("postgres")
        for node in machines.nodes:
            node.run("systemctl start txstorage-docker.socket")
        Demonstration(machines).run()
    except Wrong as error:
        say(f"Error: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        # A second Ctrl-C would leave nodes behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        machines.close()
    return 0


if __name__ == "__main__":
    sys.exit(demonstrate(sys.argv[1]) if len(sys.argv) > 1 else main())
