"""
Test the Docker volume plugin, and the machines that it is tested on: ``make test-docker``, as root,
on Debian.

Makes the ``.deb``, unless it was made before, and from it and debootstrap's tree two nodes, each
with a systemd and a Docker Engine.  ``--release`` names the nodes' release.  Ends with::

    N passed, N failed, N skipped
"""

import argparse
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from .. import debian
from ..packages.releases import deb_for
from ..packages.run import stop
from ..progress import say, step
from ..roots.debootstrap import check_machine, this_release
from ..run import ENVIRONMENT, ROOT, checks_in, concluded, make_environment, parts, trial
from ..side_by_side import side_by_side, summed
from .ending import ignore_signals
from .machines.nodes import LOGS, PLACE, RUNS, VARIABLE
from .machines.runs import sweep_left, wait_until_over
from .trees.images import busybox, postgresql
from .trees.installation import MORE, make_layers

#: The directories of the tests on nodes.
SUITES = ("nodes", "docker")
#: The modules that only ``make test-docker-all`` runs.
SLOW = ("tests.docker.check_managed", "tests.docker.check_podman")
#: The module that looks at all processes of this machine, so that no other node may run meanwhile.
ALONE = "tests.nodes.check_end"
#: The required programs, and their Debian packages.
TOOLS = {
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "python3": "python3",
}


def made(release):
    """
    Make everything that the tests need.

    :return: the path of its description; see :func:`tests.nodes.support.made`.
    """
    package = deb_for(release)
    # side by side, as debootstrap uses one core
    with ThreadPoolExecutor() as pool:
        database = pool.submit(postgresql, release)
        layers = make_layers(release, package)
        images = [busybox(layers[-1]), database.result()]
    path = os.path.join(PLACE, "made.json")
    with open(path, "w", encoding="utf-8") as opened:
        json.dump({"layers": layers, "images": [asdict(each) for each in images]}, opened)
    return path


def checks(slow):
    """
    :param slow: whether to run the slow ones, too.
    :return: the names of the modules of tests.
    """
    found = [name for suite in SUITES for name in checks_in(os.path.join(ROOT, "tests", suite))]
    return [name for name in found if slow or name not in SLOW]


def places():
    """:return: list of the directories of runs: that of the suites, and those of tests of ends."""
    return sorted(glob.glob(glob.escape(RUNS) + "*"))


def tested(dealt):
    """
    Run parts of the suite side by side, because their tests mostly wait for engines.

    :param dealt: dict of the parts' names to the names of their tests; each has its own nodes.
    :return: the counts of all.
    """

    def job(name, tests):
        return name, lambda show: trial(ENVIRONMENT, name, tests, show=show)

    return summed(side_by_side([job(*part) for part in dealt.items()], len(dealt)))


def tested_all(modules):
    """
    Run the whole suite.

    :return: the counts.
    """
    first = trial(ENVIRONMENT, "docker, the end", [ALONE])
    rest = [name for name in modules if name != ALONE]
    return summed([first, tested(parts("docker", [], rest))])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", choices=sorted(MORE), help="the nodes' (this machine's)")
    parser.add_argument("--all", action="store_true", help="run the slow tests, too")
    parser.add_argument("tests", nargs="*", help="some tests, as trial takes them")
    options = parser.parse_args()
    check_machine("test-docker")
    signal.signal(signal.SIGTERM, stop)
    try:
        missing = debian.prefer(TOOLS)
        if missing:
            raise OSError("missing: " + ", ".join(missing))
        make_environment()
        for place in places():
            sweep_left(place)
        os.environ[VARIABLE] = made(options.release or this_release())
        shutil.rmtree(LOGS, ignore_errors=True)
        if options.tests:
            counts = trial(ENVIRONMENT, "docker", options.tests)
        else:
            counts = tested_all(checks(options.all))
    except (subprocess.CalledProcessError, OSError) as error:
        say(str(error))
        counts = {"passed": 0, "failed": 1, "skipped": 0}
    finally:
        ignore_signals()
        with step("waiting for the end of the nodes"):
            for place in places():
                wait_until_over(place)
    if not counts["failed"]:
        shutil.rmtree(LOGS, ignore_errors=True)
    elif os.path.isdir(LOGS):
        say("the nodes' consoles and journals are in " + LOGS)
    return concluded(counts)


if __name__ == "__main__":
    sys.exit(main())
