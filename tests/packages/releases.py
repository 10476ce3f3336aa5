"""The ``.deb`` for any release: it has the Python of the release that it is made on."""

import glob
import os
import shlex
import shutil
import subprocess

from ..fresh.settings import configure
from ..progress import step
from ..roots.debootstrap import make_base, this_release
from ..roots.root import Root, sweep
from ..run import make_once
from .making import MADE, PLACE, make_packages, the_deb

#: Where the unpacked source distribution is, in the root of the release.
PROJECT = "/srv/txstorage"
#: Makes the package of a wheel, the first argument, in a directory, the second one.
BUILD = """\
import sys
sys.path.insert(0, "packaging")
import build
build.make_packages(*sys.argv[1:], 1)
"""


def _make_in(root, release, wheel, target):
    """
    Make the package in a root of a release.

    :param wheel: the path of the wheel for Python 3.
    :param target: the directory of the package; it is made.
    """
    configure(root, release)
    [source] = glob.glob(os.path.join(os.path.dirname(wheel), "*.tar.gz"))
    project = root.within(PROJECT)
    os.makedirs(project)
    subprocess.run(
        ["tar", "-xzf", source, "-C", project, "--strip-components=1", "--no-same-owner"],
        check=True,
    )
    name = os.path.basename(wheel)
    shutil.copy(wheel, os.path.join(project, name))
    os.mkdir(os.path.join(project, "made"))
    build = shlex.join(["python3", "-c", BUILD, name, "made"])
    script = f"cd {PROJECT} && python3 -m venv .venv && {build}"
    command = root.command(["sh", "-c", script], networked=True)
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
    shutil.copytree(os.path.join(project, "made"), target)


def deb_for(release):
    """
    Make the ``.deb`` for a release, unless it was made from the same files before.

    :param release: the codename of a release, this machine's or another.
    :return: the path of the package.
    """
    current = make_packages()
    if release == this_release():
        return the_deb(current)
    target, roots = os.path.join(PLACE, "deb-" + release), os.path.join(PLACE, "roots")
    [wheel] = glob.glob(os.path.join(current, "*-py3-none-any.whl"))

    def make():
        name = os.path.join(PLACE, "builder-" + release)
        base = make_base(name, release, ["python3", "python3-venv"])
        os.makedirs(roots, exist_ok=True)
        path = os.path.join(roots, "builder-" + release)
        sweep(path)
        with step("making the .deb for " + release):
            root = Root(base, path)
            try:
                _make_in(root, release, wheel, target)
            finally:
                root.close()

    with open(os.path.join(MADE, ".made-for")) as stamp:
        make_once(target, [stamp.read(), release, BUILD], make)
    return the_deb(target)
