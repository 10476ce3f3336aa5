"""
Run Amazon's clients against the embedded service's EC2 face, and the driver against moto: ``make
test-aws``.

Installs the ``aws`` command, boto3 and moto into ``.aws``, and runs the modules of tests beside
this one with them.  With loop devices, as root, the tests also see a volume that is mounted.  Ends
with::

    N passed, N failed, N skipped
"""

import os
import subprocess
import sys

from ..progress import say, step
from ..run import (
    BASE,
    ENVIRONMENT,
    ROOT,
    checks_in,
    concluded,
    install,
    make_environment,
    make_once,
    run,
    trial,
)

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENTS = os.path.join(ROOT, ".aws")
PACKAGES = ["awscli", "boto3", "moto[ec2,server]"]
#: The environment variable with the directory of the clients' programs.
VARIABLE = "TXSTORAGE_AWS_CLIENTS"


def make_clients():
    """Make the environment of the clients, which need other versions than the project."""

    def make():
        with step("making {} with {}".format(os.path.basename(CLIENTS), BASE)):
            run(BASE, "-m", "venv", "--clear", CLIENTS)
        install(CLIENTS, *PACKAGES)

    make_once(CLIENTS, [BASE, sys.version_info[:2], PACKAGES], make)


def main():
    try:
        make_environment()
        make_clients()
        os.environ[VARIABLE] = os.path.join(CLIENTS, "bin")
        counts = trial(ENVIRONMENT, "aws", sys.argv[1:] or checks_in(HERE))
    except (subprocess.CalledProcessError, OSError) as error:
        say(str(error))
        counts = {"passed": 0, "failed": 1, "skipped": 0}
    return concluded(counts)


if __name__ == "__main__":
    sys.exit(main())
