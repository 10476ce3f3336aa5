"""
Test the driver with a real Flocker: ``make test-flocker``.

``FLOCKER_PYTHON`` is a Python 2.7 that can import Flocker and the requirements of Flocker's own
tests.  Nothing is installed into it: missing requirements of txstorage are installed into
``.venv-flocker``.  The last line of the output is::

    N passed, N failed, N skipped
"""

import os
import subprocess
import sys

from ..run import (
    ENVIRONMENT,
    PINS_2,
    ROOT,
    checks_in,
    concluded,
    install,
    make_environment,
    make_once,
    run_trial,
    say,
)

HERE = os.path.dirname(os.path.abspath(__file__))
BESIDE = os.path.join(ROOT, ".venv-flocker")
#: The only requirement of txstorage that Flocker does not pin.
NOT_FLOCKERS = "txaio"
#: Tests that ``make test`` runs with stand-ins, and this with Flocker's own interfaces.
ALSO = [
    "tests.interfaces.test_interfaces",
    "tests.flocker.test_backend",
    "tests.whole.test_contract",
]

NEEDED = """\
make test-flocker needs a Flocker:
  FLOCKER_PYTHON=/path/to/python2.7 make test-flocker
where that Python can import flocker (1.15, or its last development version)
and what flocker.node.agents.test.test_blockdevice imports, with Twisted 16.6.0 and
the other versions that Flocker pins. Run it as root, for loop devices."""

#: Fails unless the interpreter is Python 2.7 and has Flocker with its tests.
PROBE = """\
import sys
assert sys.version_info[:2] == (2, 7), "it is Python %d.%d" % sys.version_info[:2]
import flocker, twisted
import flocker.node.agents.test.test_blockdevice
print("Flocker %s, Twisted %s" % (flocker.__version__, twisted.__version__))
"""
#: Not ``-m``: trial changes the directory, which breaks the relative paths that ``-m`` adds.
TRIAL = (
    "import sys; sys.path[:] = [p for p in sys.path if p]; "
    "from twisted.scripts.trial import run; run()"
)


def probed(interpreter):
    """
    :return: the versions of Flocker and Twisted (text).
    :raises SystemExit: the interpreter has no Flocker.
    """
    try:
        probe = subprocess.run(
            [interpreter, "-W", "ignore", "-c", PROBE],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
    except OSError as error:
        sys.exit("{}\n\n{}".format(error, NEEDED))
    if probe.returncode:
        sys.exit("{}: {}\n\n{}".format(interpreter, probe.stderr.splitlines()[-1], NEEDED))
    return probe.stdout.strip()


def make_beside(interpreter):
    """Install the requirements that Flocker's Python lacks, where only these tests find them."""
    has = [interpreter, "-W", "ignore", "-c", "import " + NOT_FLOCKERS]
    if subprocess.run(has, stderr=subprocess.DEVNULL).returncode == 0:
        return []
    with open(PINS_2) as pins:
        pinned = [line.strip() for line in pins if line.startswith(NOT_FLOCKERS + "==")]
    for_2 = "--no-deps --only-binary :all: --python-version 2.7 --implementation py --abi none"
    make_once(
        BESIDE,
        pinned,
        lambda: install(ENVIRONMENT, *for_2.split(), "--target", BESIDE, *pinned),
    )
    return [BESIDE]


def main():
    interpreter = os.environ.get("FLOCKER_PYTHON")
    if not interpreter:
        sys.exit("FLOCKER_PYTHON is not set.\n\n" + NEEDED)
    say(probed(interpreter))
    make_environment()
    path = [ROOT, *make_beside(interpreter)]
    path += [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    tests = sys.argv[1:] or [*checks_in(HERE), *ALSO]
    counts = run_trial([interpreter, "-W", "ignore", "-c", TRIAL], "flocker", tests, path)
    return concluded(counts)


if __name__ == "__main__":
    sys.exit(main())
