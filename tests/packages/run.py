"""
Make the packages and test them: ``make test-packages``, as root, on Debian.

Makes the packages, as ``make packages`` does, unless they were made from the same files before, and
clean roots with debootstrap: one of the ``.deb``'s dependencies, one with dnf too, and one with the
shells that complete.  Runs the tests of this directory, each with a copy of one root.  Ends with::

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
from .making import CURRENT, PLACE, SAID, SYSTEM_PYTHON, make_packages, the_deb

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(ROOT, "packaging", "build.py")
#: The packages that use the completions and the man pages.
SHELLS = ("bash-completion", "fish", "man-db", "zsh")
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


def make_next():
    """:return: the directory of the packages' next revision."""
    following = os.path.join(PLACE, "next")
    shutil.rmtree(following, ignore_errors=True)
    os.makedirs(following)
    [wheel] = glob.glob(os.path.join(CURRENT, "*-py3-none-any.whl"))
    run(sys.executable, BUILD, "--directory", following, "--revision", "2", "--wheel", wheel)
    return following


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
        current = make_packages()
        package = the_deb(current)
        made = {"current": current, "next": make_next(), "said": SAID, "roots": roots}
        for name, more in (("base", ()), ("dnf", ("dnf",)), ("shells", SHELLS)):
            base = os.path.join(PLACE, name)
            made[name] = make_base(base, this_release(), [*needed(package), *more])
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
