"""
Demonstrations with a database: steps, each with its duration, on nodes with a volume plugin.
"""

from __future__ import annotations

import time
from functools import partial

from ..progress import say

#: The directory of the volume in the container.
DATA = "/var/lib/postgresql/data"
SUMMARY = "SELECT count(*), md5(string_agg(word, ',' ORDER BY id)) FROM words"
#: Seconds in which a database starts.
PATIENCE = 60


class Wrong(Exception):
    """A step had another outcome than it should."""


def title_of(step):
    """:return: the first line of a step's docstring."""
    return step.__doc__.splitlines()[0].rstrip(".")


def shown(demonstration):
    """
    Run a demonstration.

    :return: an exit code.
    """
    try:
        demonstration.run()
    except Wrong as error:
        say(f"Error: {error}")
        return 1
    return 0


class Demonstration:
    """
    Base: the steps, and a PostgreSQL in a container, whose name is that of its volume.

    :param nodes: two nodes.
    :param show: called with each line.

    :cvar STEPS: the methods that are the steps; each returns a text about its outcome.
    :cvar DRIVER: the name of the volume plugin.
    :cvar SERVER: the line for a shell that starts the database in the container.
    :cvar ROWS: the number of rows.
    """

    STEPS: tuple = ()
    DRIVER = SERVER = ""
    ROWS = 0

    def __init__(self, nodes, show=partial(print, flush=True)):
        self._show = show
        self.first, self.second = nodes

    def run(self):
        """
        Run all steps.

        :raises Wrong: a step had another outcome than it should.
        """
        for step in self.STEPS:
            began = time.monotonic()
            outcome = step(self)
            seconds = time.monotonic() - began
            self._show(f"  ok {seconds:5.1f} s  {title_of(step)}")
            self._show(f"               {outcome}")

    # -- the database --------------------------------------------------------------

    def starting(self, name="database"):
        """:return: the command that starts a database."""
        mount = f"type=volume,src={name},dst={DATA},volume-driver={self.DRIVER}"
        words = ["docker", "run", "--detach", "--network=none", "--name", name, "--mount", mount]
        return [*words, "postgres", "sh", "-c", self.SERVER]

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

    def version(self, node):
        """:return: the database's name and version."""
        return self.asked(node, "SELECT version()").split(" on ")[0]

    def fill(self, node):
        """Write the rows, and remember them."""
        self.asked(
            node,
            "CREATE TABLE words AS SELECT id, md5(id::text) AS word "
            f"FROM generate_series(1, {self.ROWS}) AS id",
        )
        self.summary = self.asked(node, SUMMARY)

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
