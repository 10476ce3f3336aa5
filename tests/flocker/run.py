"""
Test the driver with a real Flocker: ``make test-flocker``.

``FLOCKER_PYTHON`` names a Python 2.7 that can import Flocker and what Flocker's
own tests need.  Nothing is installed into it: what it lacks of txstorage's own
requirements comes beside it, into ``.venv-flocker``.  Ends with::

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
#: Flocker pins all that txstorage requires but this.
NOT_FLOCKERS = "txaio"
#: The driver and its factory with Flocker's own interfaces, values and exceptions,
#: where ``make test`` has stand-ins.
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

#: It must be Python 2.7, and Flocker's tests must be there.
PROBE = """\
import sys
assert sys.version_info[:2] == (2, 7), "it is Python %d.%d" % sys.version_info[:2]
import flocker, twisted
import flocker.node.agents.test.test_blockdevice
print("Flocker %s, Twisted %s" % (flocker.__version__, twisted.__version__))
"""
#: Not ``-m``, with which trial, which changes the directory, loses relative paths.
TRIAL = (
    "import sys; sys.path[:] = [p for p in sys.path if p]; "
    "from twisted.scripts.trial import run; run()"
)


def probed(interpreter):
    """
    :return: what Flocker there is, as text.
    :raises SystemExit: when there is none.
    """
    try:
        asked = subprocess.run(
            [interpreter, "-W", "ignore", "-c", PROBE],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
    except OSError as error:
        sys.exit("{}\n\n{}".format(error, NEEDED))
    if asked.returncode:
        sys.exit("{}: {}\n\n{}".format(interpreter, asked.stderr.splitlines()[-1], NEEDED))
    return asked.stdout.strip()


def make_beside(interpreter):
    """Install what Flocker's Python has not, where only these tests find it."""
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
