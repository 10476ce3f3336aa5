"""
Make the packages and test them: ``make test-packages``, as root, on Debian.

Makes the packages in ``dist``, as ``make packages`` does, and clean roots with debootstrap: one of
the ``.deb``'s dependencies, and one with dnf.  Runs the tests of this directory, each with a copy
of one root.  Ends with::

    N passed, N failed, N skipped
"""

import glob
import json
import os
import shutil
import signal
import subprocess
import sys

from .. import debian
from ..progress import say
from ..roots.debootstrap import check_machine, make_base, output_of, this_release
from ..roots.root import sweep
from ..run import ENVIRONMENT, ROOT, checks_in, concluded, run, trial

HERE = os.path.dirname(os.path.abspath(__file__))
PLACE = os.path.join(ROOT, ".packages")
#: The directory of `make packages`, and the log of its output.
DIST, SAID = os.path.join(ROOT, "dist"), os.path.join(PLACE, "said")
BUILD = os.path.join(ROOT, "packaging", "build.py")
#: As `packaging/build.py` has it.
SYSTEM_PYTHON = "/usr/bin/python3"
#: The required programs, and their Debian packages.
TOOLS = {
    "cpio": "cpio",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "mkfs.ext4": "e2fsprogs",
    "rpmbuild": "rpm",
    "setpriv": "util-linux",
    "systemd-analyze": "systemd",
}


def install_tools():
    missing = {name for tool, name in TOOLS.items() if shutil.which(tool) is None}
    # not any Python: the one that the packages are for
    if not os.path.exists(SYSTEM_PYTHON):
        missing.add("python3")
    if missing:
        debian.install(*sorted(missing))


def needed(package):
    """:return: the names of the packages that a ``.deb`` needs."""
    return [each.split()[0] for each in output_of("dpkg-deb", "-f", package, "Depends").split(",")]


def make_packages():
    """
    Make the packages by the documented command.

    :return: the directories of the packages, and of their next revision.
    """
    # this make must not take part in the make that may have started it
    mine = {name: v for name, v in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "packages", "PYTHON=" + sys.executable]
    os.makedirs(PLACE, exist_ok=True)
    with open(SAID, "w") as said:
        making = subprocess.Popen(
            command,
            cwd=ROOT,
            env=mine,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        for line in making.stdout:
            print(line, end="", flush=True)
            said.write(line)
    if making.wait():
        raise subprocess.CalledProcessError(making.returncode, command)
    following = os.path.join(PLACE, "next")
    shutil.rmtree(following, ignore_errors=True)
    os.makedirs(following)
    [wheel] = glob.glob(os.path.join(DIST, "*-py3-none-any.whl"))
    run(sys.executable, BUILD, "--directory", following, "--revision", "2", "--wheel", wheel)
    return DIST, following


def stop(*_):
    """Ending this process ends the tests, whose namespaces end with them."""
    with open(f"/proc/self/task/{os.getpid()}/children") as opened:
        for child in opened.read().split():
            os.kill(int(child), signal.SIGTERM)
    sys.exit("terminated")


def main():
    check_machine("test-packages")
    signal.signal(signal.SIGTERM, stop)
    roots = os.path.join(PLACE, "roots")
    try:
        install_tools()
        sweep(roots)
        current, following = make_packages()
        [package] = glob.glob(os.path.join(current, "*.deb"))
        made = {"current": current, "next": following, "said": SAID, "roots": roots}
        for name, more in (("base", []), ("dnf", ["dnf"])):
            base = os.path.join(PLACE, name)
            made[name] = make_base(base, this_release(), needed(package) + more)
        os.environ["TXSTORAGE_PACKAGES"] = json.dumps(made)
        os.makedirs(roots)
        counts = trial(ENVIRONMENT, "packages", sys.argv[1:] or checks_in(HERE))
    except (subprocess.CalledProcessError, OSError) as error:
        say(str(error))
        counts = {"passed": 0, "failed": 1, "skipped": 0}
    finally:
        sweep(roots)
    return concluded(counts)


if __name__ == "__main__":
    sys.exit(main())
