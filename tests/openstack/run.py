"""
Test the driver on a real OpenStack: ``make test-openstack``.

Brings one up, afresh, in ``.openstack``; runs the tests of this directory against it, also on
Flocker's Python where they can run there; takes it down in any case, and keeps the services' logs
after a failure.  Ends with::

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
#: The tests of Flocker's driver, on Flocker's Python.
ON_PYTHON_2 = [
    "tests.openstack.check_conformance." + suite
    for suite in ("WorkerThreadsTests", "BlockingProfilesTests", "BlockingCloudTests")
] + ["tests.openstack.check_ipv6"]


def tested(rig, tests):
    """:return: the counts of the tests, run while a rig is up."""
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
        # a second interrupt would leave services and devices behind
        for which in (signal.SIGINT, signal.SIGTERM):
            signal.signal(which, signal.SIG_IGN)
        with step("taking OpenStack down"):
            rig.down()


def main():
    # so that the code below runs when another process ends this one, too
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
