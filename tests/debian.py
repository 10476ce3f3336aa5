"""
Programs from Debian's packages: ``python -m tests.debian dot graphviz``.
"""

import os
import shutil
import subprocess
import sys

from .side_by_side import say

# Seconds to wait for another program that installs packages.
_LOCKED = 300


def apt_get(*arguments):
    """
    Run apt-get, without questions and without its output, once no other program installs packages.

    :raises subprocess.CalledProcessError: it failed.
    """
    surroundings = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    patient = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout={}".format(_LOCKED)]
    subprocess.run([*patient, *arguments], stdout=subprocess.DEVNULL, env=surroundings, check=True)


def install(*packages):
    """
    Install packages, without the packages that they only recommend.

    :raises subprocess.CalledProcessError: apt-get failed.
    """
    say("installing " + ", ".join(packages))
    apt_get("update")
    apt_get("-y", "install", "--no-install-recommends", *packages)


def ensure(program, package):
    """
    Install a package, unless its program is there.

    :raises SystemExit: naming the package, when it can't be installed.
    """
    if shutil.which(program) is not None:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit("{} is missing: install it (apt-get install {})".format(program, package))
    install(package)


if __name__ == "__main__":
    ensure(*sys.argv[1:])
