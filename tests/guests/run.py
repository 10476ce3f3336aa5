"""
Test the search for devices in virtual machines, to which volumes are hot-plugged as Nova and EC2
do: ``make test-guests``, on Debian; root is needed only to install missing packages.

Boots Debian's kernel for clouds in QEMU, without KVM.  The guests have a Python of this machine and
nothing else: Python 3, and Python 2.7 with Flocker's pins where there is one.  Ends with::

    N passed, N failed, N skipped
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict

from .. import debian
from ..packages.run import stop
from ..progress import say, step
from ..run import (
    ENVIRONMENT,
    ENVIRONMENT_2,
    ROOT,
    checks_in,
    concluded,
    interpreter_of,
    make_environment,
    make_environment_2,
    trial,
)
from .machines.hypervisor import QEMU, VARIABLE, Image
from .machines.initramfs import make_initramfs
from .machines.kernel import KernelError, make_kernel

HERE = os.path.dirname(os.path.abspath(__file__))
PLACE = os.path.join(ROOT, ".guests")
#: The required programs, and their Debian packages.
TOOLS = {
    "cpio": "cpio",
    "depmod": "kmod",
    "ldd": "libc-bin",
    "setpriv": "util-linux",
    QEMU: "qemu-system-x86",
}


def check_machine():
    """:raises SystemExit: this machine can't run the suite."""
    if os.uname().machine != "x86_64" or debian.is_missing("apt-get"):
        sys.exit("make test-guests needs a Debian for amd64")
    missing = debian.prefer(TOOLS)
    if missing:
        raise OSError("missing; install with apt-get: " + ", ".join(missing))


def environments():
    """:return: dict of the guests' Pythons to the paths of the environments' interpreters."""
    make_environment()
    found = {"3": ENVIRONMENT}
    python_2 = interpreter_of("2.7")
    if python_2 is None:
        say("no Python 2.7 here: its tests are skipped")
    else:
        make_environment_2(python_2)
        found["2.7"] = ENVIRONMENT_2
    return {version: os.path.join(path, "bin/python") for version, path in found.items()}


def made():
    """
    Make everything that the tests need.

    :return: the path of its description; see :func:`tests.guests.support.image`.
    :raises KernelError: there is no kernel.
    """
    kernel = make_kernel(os.path.join(PLACE, "kernel"))
    description = {}
    for version, python in environments().items():
        path = os.path.join(PLACE, f"initramfs-{version}")
        with step("making the guests' file system for Python " + version):
            make_initramfs(path, python, kernel)
        description[version] = asdict(Image(python, kernel.image, path))
    path = os.path.join(PLACE, "made.json")
    with open(path, "w", encoding="utf-8") as opened:
        json.dump(description, opened)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tests", nargs="*", help="some tests, as trial takes them")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    try:
        check_machine()
        os.environ[VARIABLE] = made()
        counts = trial(ENVIRONMENT, "guests", options.tests or checks_in(HERE))
    except (subprocess.CalledProcessError, OSError, KernelError) as error:
        say(str(error))
        counts = {"passed": 0, "failed": 1, "skipped": 0}
    return concluded(counts)


if __name__ == "__main__":
    sys.exit(main())
