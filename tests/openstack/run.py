"""
Test the driver on a real OpenStack: ``make test-openstack``.

Brings one up, afresh, in ``.openstack``; runs the tests of this directory
against it, and those that Flocker's Python can run there as well; takes it down,
whatever happens, and keeps the services' logs when something failed.  Ends with::

    N passed, N failed, N skipped
"""

import os
import shutil
import signal
import sys

from ..run import (
    ENVIRONMENT,
    checks_in,
    concluded,
    make_environment,
    on_python_2,
    summed,
    trial,
)
from .progress import RigError, say, step
from .rig import Rig

HERE = os.path.dirname(os.path.abspath(__file__))
#: What Flocker gets, on the Python that it runs on.
ON_PYTHON_2 = [
    "tests.openstack.check_conformance." + suite
    for suite in ("WorkerThreadsTests", "BlockingProfilesTests", "BlockingCloudTests")
]


def tested(rig, tests):
    """:return: the counts of the tests, run against a rig that comes and goes with them."""
    try:
        rig.down()
        rig.up()
        os.environ["TXSTORAGE_OPENSTACK"] = rig.description
        make_environment()
        parts = [trial(ENVIRONMENT, "openstack", tests or checks_in(HERE))]
        if not tests:
            parts.append(on_python_2(ON_PYTHON_2))
        return summed(parts)
    finally:
        # who is impatient now would leave services and devices behind
        for which in (signal.SIGINT, signal.SIGTERM):
            signal.signal(which, signal.SIG_IGN)
        with step("taking OpenStack down"):
            rig.down()


def main():
    # so that what is below is done when somebody else ends it, too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    rig = Rig()
    try:
        with rig.held():
            counts = tested(rig, sys.argv[1:])
    except RigError as error:
        say(str(error))
        counts = summed([{"failed": 1}])
    except BaseException:
        say("the services' logs are in " + rig.logs)
        raise
    if not counts["failed"]:
        shutil.rmtree(rig.logs, ignore_errors=True)
    elif os.path.isdir(rig.logs):
        say("the services' logs are in " + rig.logs)
    return concluded(counts)


if __name__ == "__main__":
    sys.exit(main())
