"""
Programs from Debian's packages: ``python -m tests.debian dot graphviz``.
"""

import os
import shutil
import subprocess
import sys

from .progress import step

#: Prints the package that an interpreter lacks for making environments; Debian's and Ubuntu's
#: ``python3`` comes without.
MISSING_FOR_VENV = """\
import importlib.util, sys
if importlib.util.find_spec("ensurepip") is None:
    print("python{}.{}-venv".format(*sys.version_info))
"""
#: Seconds that apt-get waits for another one, such as that of the automatic upgrades.
PATIENCE = 600


def apt_get(*arguments):
    """
    Run apt-get, without questions and without its output.

    :raises subprocess.CalledProcessError: it failed.
    """
    surroundings = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    options = ["-q", "-o", "DPkg::Lock::Timeout={}".format(PATIENCE)]
    subprocess.run(
        ["apt-get", *options, *arguments], stdout=subprocess.DEVNULL, env=surroundings, check=True
    )


def install(*packages):
    """
    Install packages, without the packages that they only recommend.

    :raises subprocess.CalledProcessError: apt-get failed.
    """
    with step("installing {} with apt-get".format(", ".join(packages))):
        apt_get("update")
        apt_get("-y", "install", "--no-install-recommends", *packages)


def can_install():
    """:return: whether this process may install packages."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def is_missing(program):
    """:return: whether no directory for programs, of users or of root, has a program."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return shutil.which(program, path=path) is None


def require(missing, package):
    """
    Install a package.

    :param missing: the part of the package that is missing, for the error message.
    :raises SystemExit: naming the package, when it can't be installed.
    """
    if not can_install():
        sys.exit("{} is missing: install it (apt-get install {})".format(missing, package))
    install(package)


def ensure(program, package):
    """
    Install a package, unless its program is there.

    :raises SystemExit: naming the package, when it can't be installed.
    """
    if is_missing(program):
        require(program, package)


def prefer(programs):
    """
    Install the packages of missing programs, unless this process may not install any.

    :param programs: dict of the names of programs to the names of their packages.
    :return: list of the packages that are missing still.
    """
    missing = sorted({programs[name] for name in programs if is_missing(name)})
    if missing and can_install():
        install(*missing)
        return []
    return missing


def ensure_venv(interpreter):
    """
    Install the package that a Python lacks for making environments, if it lacks one.

    :param interpreter: the path of a Python 3.
    :raises SystemExit: naming the package, when it can't be installed.
    """
    asked = [interpreter, "-c", MISSING_FOR_VENV]
    package = subprocess.check_output(asked, universal_newlines=True).strip()
    if package:
        require("ensurepip, with which {} makes environments,".format(interpreter), package)


if __name__ == "__main__":
    ensure(*sys.argv[1:])
