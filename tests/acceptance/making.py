"""A program that uses a cluster: its Flocker, what the nodes are made of, and its end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

from .. import debian
from ..flocker.run import make_beside
from ..nodes.ending import end_in_order, ignore_signals
from ..nodes.machines.nodes import LOGS, RUNS
from ..nodes.machines.runs import sweep_left, wait_until_over
from ..nodes.run import TOOLS, made
from ..nodes.trees.images import Image, load_all
from ..packages.run import stop
from ..progress import step
from ..roots.debootstrap import check_machine, this_release
from .cluster import Cluster
from .flockers import Flocker, make_layer

NEEDED = """\
make {target} needs a Flocker:
  FLOCKER_PYTHON=/path/to/python2.7 make {target}
where that Python has Flocker (1.15, or its last development version) in its own
environment, a virtualenv for instance, with pip and the requirements of Flocker's
acceptance tests. Run it as root, on Debian or Ubuntu."""


def flocker_for(target):
    """
    :param target: a target of make.
    :return: the :class:`~tests.acceptance.flockers.Flocker` of ``FLOCKER_PYTHON``.
    :raises SystemExit: there is no interpreter, it has no Flocker, or the machine can't have nodes.
    """
    needed, interpreter = NEEDED.format(target=target), os.environ.get("FLOCKER_PYTHON")
    if not interpreter:
        sys.exit("FLOCKER_PYTHON is not set.\n\n" + needed)
    try:
        flocker = Flocker.of(interpreter)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"{error}\n\n{needed}")
    check_machine(target)
    return flocker


@contextmanager
def nodes_for(target):
    """
    Let the block have nodes: nothing is left of them, also after SIGTERM and Ctrl-C.

    :raises OSError: programs are missing.
    """
    end_in_order()
    # it ends the programs that make the nodes' roots; there are no nodes yet
    signal.signal(signal.SIGTERM, stop)
    try:
        missing = debian.prefer({**TOOLS, "ssh": "openssh-client"})
        if missing:
            raise OSError(f"{target}: missing: " + ", ".join(missing))
        sweep_left(RUNS)
        shutil.rmtree(LOGS, ignore_errors=True)
        yield
    finally:
        ignore_signals()
        wait_until_over(RUNS)


@contextmanager
def cluster_with(flocker, chosen):
    """
    Have a cluster in the block, without agents at first.

    :param chosen: called with a dict of images by their names, returns the list of the images that
        the nodes load.
    :return: its :class:`~tests.acceptance.cluster.Cluster`, and the directories of the packages
        that Flocker's environment lacks.
    """
    beside = make_beside(flocker.python)
    with open(made(this_release()), encoding="utf-8") as opened:
        described = json.load(opened)
    images = chosen({each["name"]: Image(**each) for each in described["images"]})
    layers = [make_layer(flocker, beside), *described["layers"]]
    end_in_order()
    with Cluster(flocker, layers) as cluster:
        with step("loading images"):
            load_all(cluster.nodes, images)
        yield cluster, beside
