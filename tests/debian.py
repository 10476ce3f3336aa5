"""
Programs from Debian's packages: ``python -m tests.debian dot graphviz``.
"""

import os
import shutil
import subprocess
import sys

from .progress import step


def apt_get(*arguments):
    """
    Run apt-get, without questions and without its output.

    :raises subprocess.CalledProcessError: it failed.
    """
    surroundings = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    subprocess.run(
        ["apt-get", "-q", *arguments], stdout=subprocess.DEVNULL, env=surroundings, check=True
    )


def install(*packages):
    """
    Install packages, without the packages that they only recommend.

    :raises subprocess.CalledProcessError: apt-get failed.
    """
    with step("installing {} with apt-get".format(", ".join(packages))):
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
