"""Images for the nodes' engines, made of Debian's packages; no registry takes part."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ...progress import step
from ...roots.debootstrap import make_base
from ...run import make_once, run
from ..machines.nodes import PLACE

PLACE = os.path.join(PLACE, "images")
SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Makes a tree of busybox's program, the second argument.
BUSYBOX = """\
set -e
mkdir -p "$1/bin" "$1/etc" "$1/tmp" "$1/proc" "$1/sys" "$1/dev" "$1/root"
cp "$2" "$1/bin/busybox"
for name in $("$2" --list | grep -vx busybox); do ln -s busybox "$1/bin/$name"; done
echo root:x:0:0:root:/root:/bin/sh >"$1/etc/passwd"
echo root:x:0: >"$1/etc/group"
"""
#: The parts of a Debian that no container needs, half of it: documents, Perl, and the compiler in
#: PostgreSQL, which works without.  A volume gets a database of its own.
LEFT_OUT = """\
./.made-for ./dev/* ./proc/* ./sys/* ./usr/share/doc/* ./usr/share/man/* ./usr/share/locale/*
./usr/share/i18n/* ./usr/share/perl* ./usr/lib/*/perl ./usr/lib/*/libperl.so* ./usr/bin/perl*
./usr/lib/*/libLLVM* ./usr/lib/*/libz3.so* ./usr/lib/postgresql/*/lib/bitcode
./usr/lib/postgresql/*/lib/llvmjit* ./var/cache/* ./var/lib/apt/lists/* ./var/lib/postgresql/*
""".split()


@dataclass(frozen=True)
class Image:
    """
    :ivar name: the image's name in an engine.
    :ivar path: the path of its tree, a tar file of this machine.
    :ivar changes: instructions of a Dockerfile.
    """

    name: str
    path: str
    changes: tuple[str, ...] = ()

    def load(self, node):
        """Load the image on a node, unless it is there."""
        if node.run(["docker", "image", "inspect", self.name], check=False).code == 0:
            return
        words = [word for change in self.changes for word in ("--change", change)]
        with open(self.path, "rb") as tree:
            process = node.spawn(["docker", "import", *words, "-", self.name], stdin=tree)
            _, errors = process.communicate()
        if process.returncode:
            raise OSError(f"{node.name}: {self.name} can't be loaded: {errors}")


def load_all(nodes, images):
    """Load images on nodes, at the same time on each of them."""

    def load(node):
        for image in images:
            image.load(node)

    with ThreadPoolExecutor() as pool:
        list(pool.map(load, nodes))


def _packed(directory, wanted, fill):
    """
    :param directory: the directory of the tar file.
    :param wanted: the inputs that the tree is made of.
    :param fill: returns the path of the tree.
    :return: the path of the tar file.
    """
    path = os.path.join(directory, "image.tar")

    def make():
        with step("packing the image " + os.path.basename(directory)):
            os.makedirs(directory)
            tree = fill()
            options = [f"--exclude={each}" for each in LEFT_OUT]
            run("tar", "--numeric-owner", *options, "-cf", path, "-C", tree, ".")

    make_once(directory, [wanted, LEFT_OUT], make)
    return path


def busybox(base):
    """
    :param base: the path of a root with the package ``busybox-static``.
    :return: an :class:`Image` of 2 MB with a shell and its tools.
    """
    directory = os.path.join(PLACE, "busybox")
    tree = os.path.join(directory, "tree")

    def fill():
        program = os.path.join(base, "bin/busybox")
        subprocess.run(["sh", "-c", BUSYBOX, "sh", tree, program], check=True)
        return tree

    with open(os.path.join(base, ".made-for")) as stamp:
        path = _packed(directory, [stamp.read(), BUSYBOX], fill)
    return Image("busybox", path, (f"ENV PATH={SEARCHED}", 'CMD ["sh"]'))


def postgresql(release):
    """
    :param release: the codename of a release.
    :return: an :class:`Image` of its PostgreSQL, without a database.
    """
    base = make_base(os.path.join(PLACE, "postgresql-" + release), release, ["postgresql"])
    [version] = os.listdir(os.path.join(base, "usr/lib/postgresql"))
    searched = f"ENV PATH=/usr/lib/postgresql/{version}/bin:{SEARCHED}"
    path = _packed(base + ".packed", [release, version], lambda: base)
    return Image("postgres", path, (searched, "USER postgres"))
