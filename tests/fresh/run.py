"""
Try the project on fresh machines: ``make test-fresh``, as root, on Debian.

Makes a root of each release with debootstrap, with nothing but make, git and Python, and in it a
clone of this checkout's last commit.  There ``make demo`` must name the missing package to a user,
and install it as root; ``make test`` then runs, with loop devices.  Each ``make demo`` counts as
one.  Ends with::

    N passed, N failed, N skipped
"""

import os
import re
import signal
import subprocess
import sys
from functools import partial

from .. import debian
from ..progress import say, step
from ..roots.debootstrap import check_machine, make_base, output_of
from ..roots.root import Root, sweep
from ..run import ROOT, concluded, make_environment
from ..side_by_side import PROCESSES, side_by_side, summed
from ..targets import outcome
from .settings import configure

PLACE = os.path.join(ROOT, ".fresh")
#: The roots that are in use, each a copy of one in :data:`PLACE`.
ROOTS = os.path.join(PLACE, "roots")
RELEASES = ("bookworm", "trixie")
PACKAGES = ["git", "make", "python3"]
#: The clone, in a root: where every user can read it.
CLONE = "/srv/txstorage"
#: Debian's user without any rights.
NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups".split()
#: The only line that a user sees who may not install packages.
ADVICE = re.compile(r"ensurepip.* is missing: install it \(apt-get install python3\.\d+-venv\)")


def without_make(lines):
    """:return: the text of the lines of a target's programs, without make's own."""
    return "".join(line for line in lines if not line.startswith("make: "))


def advised(output, code):
    """:return: whether ``make demo`` failed with one line, which names the package."""
    lines = output.splitlines()
    return code != 0 and len(lines) == 1 and ADVICE.fullmatch(lines[0]) is not None


def demonstrated(output, code):
    """:return: whether ``make demo`` moved a volume with real devices, after an installation."""
    installed = re.search(r"^--- installing python3\.\d+-venv", output, re.MULTILINE)
    return code == 0 and installed is not None and "  /dev/loop" in output


def demonstrated_on_ec2(output, code):
    """:return: whether ``make demo CLOUD=ec2`` moved a volume of EC2's with real devices."""
    return code == 0 and "  vol-" in output and "  /dev/loop" in output


class FreshMachine:
    """
    A fresh machine with a clone of this checkout.

    :param release: the codename of its release.
    :param root: its :class:`tests.roots.root.Root`.
    :param show: called with each line of output.
    """

    def __init__(self, release, root, show):
        self._release = release
        self._root = root
        self._show = show

    def prepare(self):
        """Give the machine the clone, and this machine's places of packages."""
        configure(self._root, self._release)
        clone = ["git", "clone", "--quiet", "--no-local", ROOT, self._root.within(CLONE)]
        subprocess.run(clone, check=True)

    def make(self, target, prefix=()):
        """
        Make a target, and show its output.

        :param target: and make's variables.
        :param prefix: the words before ``make``.
        :return: the output of its programs, and make's exit code.
        """
        say("{}: {}".format(self._release, " ".join([*prefix, "make", target])), self._show)
        words = [*prefix, "make", "--no-print-directory", "--directory", CLONE, *target.split()]
        command = self._root.command(words, networked=True)
        process = PROCESSES.start(command, stdin=subprocess.DEVNULL)
        output = []
        for line in process.stdout:
            output.append(line)
            self._show(line)
        return without_make(output), PROCESSES.wait(process)

    def judged(self, accept, what, prefix=(), target="demo"):
        """
        :param accept: called with the output and the exit code of ``make demo``; returns whether
            they are right.
        :param what: says what is right.
        :param target: see :meth:`make`.
        :return: dict, one "passed" or one "failed".
        """
        name = "passed" if accept(*self.make(target, prefix)) else "failed"
        say("{}: {}: make {} {}".format(self._release, name, target, what), self._show)
        return {name: 1}

    def tested(self):
        """:return: the counts of all that is tried."""
        return summed(
            [
                self.judged(advised, "names what a user has to install", NOBODY),
                self.judged(demonstrated, "installs what it needs, and runs"),
                self.judged(demonstrated_on_ec2, "runs, too", target="demo CLOUD=ec2"),
                outcome(*self.make("test")),
            ]
        )


def tested(release, base, show):
    """:return: the counts of a release."""
    root = Root(base, os.path.join(ROOTS, release))
    try:
        PROCESSES.adopt(root)
        machine = FreshMachine(release, root, show)
        machine.prepare()
        return machine.tested()
    finally:
        with step("removing the root of " + release, partial(say, show=show)):
            root.close()


def commit():
    """
    Say which commit the machines get.

    :raises SystemExit: this is not a clone.
    """
    if not os.path.exists(os.path.join(ROOT, ".git")):
        sys.exit("make test-fresh needs a clone: the fresh machines get its last commit")
    say("fresh machines get " + output_of("git", "-C", ROOT, "log", "-1", "--format=%h %s"))
    if output_of("git", "-C", ROOT, "status", "--porcelain"):
        say("they do not get the changes since then")


def main():
    check_machine("test-fresh")
    commit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    releases = sys.argv[1:] or RELEASES
    try:
        debian.ensure("debootstrap", "debootstrap")
        debian.ensure("ip", "iproute2")
        make_environment()
        sweep(ROOTS)
        bases = [make_base(os.path.join(PLACE, each), each, PACKAGES) for each in releases]
        os.makedirs(ROOTS)
        jobs = [(each, partial(tested, each, base)) for each, base in zip(releases, bases)]
        counts = summed(side_by_side(jobs, os.cpu_count() or 1))
    except (subprocess.CalledProcessError, OSError) as error:
        say(str(error))
        counts = {"passed": 0, "failed": 1, "skipped": 0}
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    finally:
        # a second interrupt would leave loop devices behind
        for which in (signal.SIGINT, signal.SIGTERM):
            signal.signal(which, signal.SIG_IGN)
        sweep(ROOTS)
    return concluded(counts)


if __name__ == "__main__":
    sys.exit(main())
