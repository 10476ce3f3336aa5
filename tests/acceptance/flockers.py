"""
A Flocker, as the nodes have it: the environment of ``FLOCKER_PYTHON``, copied, with the driver
installed into the copy.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from ..nodes.machines.nodes import PLACE
from ..progress import step
from ..run import ROOT, content, make_once, run
from .runtime import NEXT
from .units import CONFIGURATION, ENGINE, FILES, PACKAGES, UNITS

#: The programs before runc, and their places.
RUNTIMES = {
    "tests/acceptance/runtime.py": "/usr/local/sbin/runc",
    "tests/nodes/trees/runtime.py": NEXT,
}
#: Prints the directories and the site-packages of the environment of a Flocker.
PROBE = """\
import flocker, json, os, sys
from distutils.sysconfig import get_python_lib
own = [sys.prefix, getattr(sys, "real_prefix", getattr(sys, "base_prefix", sys.prefix))]
print(json.dumps([sys.executable, sorted(set(own)), get_python_lib(), flocker.__file__]))
"""
#: Runs a command while the copy, the first argument, stands at the place of the second.
AT_ITS_PLACE = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
#: The parts of a checkout that the driver is built of.
SOURCES = ("setup.py", "README.rst", "LICENSE", "MANIFEST.in", "packaging/flocker", "txstorage")
#: The programs that Flocker's packages put on the path.
PROGRAMS = """\
flocker-benchmark flocker-ca flocker-container-agent flocker-control flocker-dataset-agent
flocker-diagnostics flocker-docker-plugin flocker-node-era
""".split()


@dataclass(frozen=True)
class Flocker:
    """
    :ivar python: the path of the interpreter, the same on all machines.
    :ivar prefixes: the directories of its environment, and of the Python that this is based on.
    :ivar site: the directory of the environment's packages.
    """

    python: str
    prefixes: tuple[str, ...]
    site: str

    @classmethod
    def of(cls, interpreter):
        """
        :raises OSError: the Flocker is not within the interpreter's own environment.
        """
        words = [interpreter, "-W", "ignore", "-c", PROBE]
        python, prefixes, site, flocker = json.loads(subprocess.check_output(words))
        if not flocker.startswith(site + os.sep):
            raise OSError(f"{interpreter}: Flocker must be in {site}, not in {flocker}")
        return cls(python, tuple(prefixes), site)

    def program(self, name):
        """:return: the path of a program of the environment."""
        return os.path.join(os.path.dirname(self.python), name)

    @property
    def environment(self):
        """The directory of the environment."""
        return max((each for each in self.prefixes if self.site.startswith(each)), key=len)


def _write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as opened:
        opened.write(text)
    os.chmod(path, mode)


def _make_above(directory, path):
    """Make the directories above a path, with the modes of this machine's: /tmp's, and /root's."""
    above = os.path.dirname(path)
    if not os.path.isdir(directory + above):
        _make_above(directory, above)
        os.mkdir(directory + above)
        shutil.copystat(above, directory + above)


def _install_driver(flocker, directory, beside):
    """Install the driver into the copy, with the pip of the environment."""
    source = directory + ".source"
    shutil.rmtree(source, ignore_errors=True)
    for name in SOURCES:
        path, target = os.path.join(ROOT, name), os.path.join(source, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, target)
    for each in beside:
        run("cp", "-r", each + "/.", directory + flocker.site)
    pip = [flocker.python, "-W", "ignore", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    pip += ["install", "--no-index", "--no-deps", "--upgrade", "--force-reinstall", source]
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", AT_ITS_PLACE, "sh"]
    run(*words, directory + flocker.environment, flocker.environment, *pip, cwd=directory)
    shutil.rmtree(source)


def _unpack(directory):
    """Unpack Debian's packages over the copy; their files out of ``/usr`` are not needed."""
    with tempfile.TemporaryDirectory() as place:
        # apt's own user can't write here
        options = ["-q", "-o", "APT::Sandbox::User=root"]
        run("apt-get", *options, "download", *PACKAGES, cwd=place, stdout=subprocess.DEVNULL)
        for name in os.listdir(place):
            words = ["dpkg-deb", "--fsys-tarfile", os.path.join(place, name)]
            with subprocess.Popen(words, stdout=subprocess.PIPE) as packed:
                run("tar", "-x", "-C", directory, "./usr", stdin=packed.stdout)


def _fill(flocker, directory, beside):
    os.mkdir(directory)
    for prefix in flocker.prefixes:
        _make_above(directory, prefix)
        run("cp", "-a", prefix, directory + prefix)
    _install_driver(flocker, directory, beside)
    for name in PROGRAMS:
        start = f'#!/bin/sh\nexec {flocker.program(name)} "$@"\n'
        _write(f"{directory}/usr/sbin/{name}", start, 0o755)
    start = f'#!/bin/sh\nexec {flocker.python} -W ignore "$@"\n'
    _write(f"{directory}/usr/local/bin/python2.7", start, 0o755)
    for name, text in UNITS.items():
        _write(f"{directory}/etc/systemd/system/{name}", text)
    for name, (mode, text) in FILES.items():
        _write(f"{directory}/{name}", text, mode)
    _unpack(directory)
    for source, path in RUNTIMES.items():
        [text] = content(source)
        _write(directory + path, text, 0o755)
    _write(f"{directory}/etc/docker/daemon.json", json.dumps(ENGINE))
    # the environment may be in /tmp, which systemd empties at boot
    os.makedirs(f"{directory}/etc/tmpfiles.d")
    os.symlink("/dev/null", f"{directory}/etc/tmpfiles.d/tmp.conf")
    os.makedirs(directory + CONFIGURATION, mode=0o700)


def _sources():
    """:return: a digest of the files that the driver is built of."""
    digest = hashlib.sha256()
    for name in SOURCES:
        path = os.path.join(ROOT, name)
        found = [path] if os.path.isfile(path) else []
        for place, _, names in sorted(os.walk(path)):
            found += [os.path.join(place, each) for each in sorted(names) if each[-4:] != ".pyc"]
        for each in found:
            with open(each, "rb") as opened:
                digest.update(opened.read())
    return digest.hexdigest()


def make_layer(flocker, beside):
    """
    Make the directory that the nodes' roots have above the others, unless that was done before.

    :param beside: directories of the packages that the environment lacks.
    :return: its path.
    """
    directory = os.path.join(PLACE, "flocker")
    own = [os.path.join("tests/acceptance", name) for name in ("flockers.py", "units.py")]
    stamps = [(each, os.stat(each).st_mtime) for each in (*flocker.prefixes, flocker.site)]

    def make():
        with step("copying {} for the nodes".format(" and ".join(flocker.prefixes))):
            _fill(flocker, directory, beside)

    make_once(directory, [flocker, stamps, _sources(), *content(*own, *RUNTIMES)], make)
    return directory
