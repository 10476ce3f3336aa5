"""The images that Flocker's tests run, made of this machine's files; no registry takes part."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace

from ..nodes.machines.nodes import PLACE
from ..nodes.trees.images import Image
from ..progress import step
from ..run import content, make_once, run

#: The programs of util-linux that the tests' programs use, in ``/bin``.
PROGRAMS = ("lsblk", "findmnt")
#: The user without rights, which one of the programs becomes.
NOBODY = "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
#: The parts of a Python that the tests' programs do not need.
LEFT_OUT = ["--exclude=test", "--exclude=site-packages", "--exclude=config", "--exclude=*.a"]
#: Matches what ``docker load`` prints for an image.
LOADED = re.compile(r"^Loaded image(?: ID)?: (\S+)$", re.MULTILINE)
#: Starts a PostgreSQL as the image of that name does: as root, on a volume that may be new, and
#: open to everyone.
DATABASE = """\
set -e; data=/var/lib/postgresql/data/database; mkdir -p $data; chown postgres $data
as="setpriv --reuid=postgres --regid=postgres --clear-groups"
test -e $data/PG_VERSION || $as initdb --auth=trust $data
grep -qx 'host all all all trust' $data/pg_hba.conf ||
echo 'host all all all trust' >>$data/pg_hba.conf
mkdir -p /var/run/postgresql; chown postgres /var/run/postgresql
exec $as postgres -D $data -h '*'
"""


def database(image):
    """
    :param image: the :class:`~tests.nodes.trees.images.Image` of a PostgreSQL.
    :return: the image that Flocker's tests expect under that name.
    """
    [searched, *_] = image.changes
    command = json.dumps(["sh", "-c", DATABASE])
    return replace(image, changes=(searched, "USER root", "CMD " + command))


@dataclass(frozen=True)
class SavedImage:
    """
    An image in a file of ``docker save``.

    :ivar name: the image's name on the nodes, whatever it is in the file.
    :ivar path: the path of the file.
    """

    name: str
    path: str

    def load(self, node):
        """
        Load the image on a node, unless it is there.

        :raises OSError: the file has no image.
        """
        if node.run(["docker", "image", "inspect", self.name], check=False).code == 0:
            return
        with open(self.path, "rb") as saved:
            process = node.spawn(["docker", "load", "--quiet"], stdin=saved)
            output, errors = process.communicate()
        loaded = LOADED.findall(output)
        if process.returncode or not loaded:
            raise OSError(f"{node.name}: {self.path} can't be loaded: {errors or output}")
        node.run(["docker", "tag", loaded[0], self.name])


def libraries(paths):
    """:return: set of the paths of the libraries that programs and libraries are linked with."""
    said = subprocess.run(
        ["ldd", *paths], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout
    return set(re.findall(r"(/\S+) \(0x", said))


def _fill(tree, base, busybox):
    for name in ("bin", "tmp", "proc", "sys", "dev", "etc", "root"):
        os.makedirs(os.path.join(tree, name))
    run("tar", "-xf", busybox, "-C", tree)
    with open(os.path.join(tree, "etc/passwd"), "a", encoding="ascii") as users:
        users.write(NOBODY)
    prefix = tree + base
    os.makedirs(prefix)
    packed = subprocess.Popen(
        ["tar", "-c", *LEFT_OUT, "-C", base, "bin/python2.7", "lib/python2.7"],
        stdout=subprocess.PIPE,
    )
    run("tar", "-x", "-C", prefix, stdin=packed.stdout)
    packed.stdout.close()
    if packed.wait():
        raise OSError(f"{base} can't be packed")
    modules = os.path.join(base, "lib/python2.7/lib-dynload")
    linked = [os.path.join(modules, name) for name in os.listdir(modules)]
    linked.append(os.path.join(base, "bin/python2.7"))
    for name in PROGRAMS:
        program = shutil.which(name)
        linked.append(program)
        # busybox may have a link of that name
        run("cp", "-L", "--remove-destination", program, os.path.join(tree, "bin", name))
    for path in libraries(linked):
        os.makedirs(os.path.dirname(tree + path), exist_ok=True)
        run("cp", "-L", path, tree + path)


def python(flocker, busybox):
    """
    :param flocker: the :class:`~tests.acceptance.flockers.Flocker`.
    :param busybox: the path of busybox's tree, a tar file.
    :return: an :class:`~tests.nodes.trees.images.Image` of the Python that Flocker's is based on.
    """
    base = next(
        each for each in flocker.prefixes if os.path.exists(f"{each}/lib/python2.7/lib-dynload")
    )
    directory = os.path.join(PLACE, "images", "python-2.7")
    path = os.path.join(directory, "image.tar")

    def make():
        with step("packing the image python:2.7-slim"):
            tree = os.path.join(directory, "tree")
            _fill(tree, base, busybox)
            run("tar", "--numeric-owner", "-cf", path, "-C", tree, ".")

    make_once(directory, [base, *content("tests/acceptance/images.py")], make)
    return Image("python:2.7-slim", path, (f"ENV PATH={base}/bin:/bin",))
