"""The roots that debootstrap makes, and this machine's sources of packages, as apt reports them."""

import os
import shutil
import subprocess
import sys
from collections import namedtuple

from .. import debian
from ..progress import step
from ..run import make_once, run

#: A part of the distribution that apt reads: "bookworm-security", "main", and the mirror's address.
Source = namedtuple("Source", ["codename", "component", "address"])


def output_of(*command):
    return subprocess.run(
        command, stdout=subprocess.PIPE, check=True, universal_newlines=True
    ).stdout.strip()


def check_machine(target):
    """
    :param target: make's target, for the error message.
    :raises SystemExit: this machine can't run the suite.
    """
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit("make {} needs root, for a chroot and loop devices, on a Debian".format(target))


def found_sources():
    """:return: list of the :class:`Source` of Debian's that apt has lists of."""
    asked = output_of(
        *("apt-get indextargets --format".split()),
        "$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)",
        "Identifier: Packages",
    )
    lines = [line.split(" ", 1) for line in asked.splitlines()]
    found = [Source(*line.split(" ", 2)) for origin, line in lines if origin == "Debian"]
    return list(dict.fromkeys(found))


def this_release():
    """:return: the codename of this machine's release."""
    return output_of("sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME")


def sources(release):
    """
    :param release: the codename of a release, this machine's or another.
    :return: list of the :class:`Source` of the release, at the mirrors of this machine's.
    :raises OSError: apt has no source of this machine's release.
    """
    here = this_release()
    main = (here, "main")
    found = found_sources()
    if main not in [source[:2] for source in found]:
        debian.apt_get("update")
        found = found_sources()
    if main not in [source[:2] for source in found]:
        raise OSError("apt has no source of Debian's {}".format(here))
    return [
        source._replace(codename=release + source.codename[len(here) :])
        for source in found
        if source.codename.split("-")[0] == here
    ]


def mirror(release):
    """:return: the address of the release's main component."""
    return next(each.address for each in sources(release) if each[:2] == (release, "main"))


def proxy():
    """:return: apt's proxy, as variables of the environment."""
    asked = output_of("apt-config", "shell", "proxy", "Acquire::http::Proxy")
    return {"http_proxy": asked.split("'")[1]} if asked else {}


def make_base(base, release, packages):
    """
    Make a root, unless it was made from the same inputs before.

    :param base: the root's path.
    :param release: the codename of the release.
    :param packages: packages besides those that every Debian has.
    :return: the root's path.
    """

    def make():
        with step("making the root {} with debootstrap".format(os.path.basename(base))):
            run(
                # debootstrap's mounts end with the namespace, also when it is interrupted
                *("unshare --mount --propagation private debootstrap --variant=minbase".split()),
                "--include=" + ",".join(packages),
                release,
                base,
                mirror(release),
                env=dict(os.environ, **proxy()),
                stdout=subprocess.DEVNULL,
            )

    make_once(base, [release, packages], make)
    return base
