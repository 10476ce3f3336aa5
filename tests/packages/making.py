"""The packages, made once for all suites that test them."""

import glob
import hashlib
import os
import shutil
import subprocess
import sys
import uuid

from ..run import ROOT, make_once

PLACE = os.path.join(ROOT, ".packages")
#: The directory of the packages, and the log of ``make packages``.
MADE = os.path.join(PLACE, "made")
CURRENT, SAID = os.path.join(MADE, "dist"), os.path.join(MADE, "said")
#: As `packaging/build.py` has it.
SYSTEM_PYTHON = "/usr/bin/python3"


def sources():
    """
    :return: a digest of the names and the contents of this checkout's files; a new text for each
        call where git does not list them.
    """
    words = "git ls-files -z --cached --others --exclude-standard".split()
    listed = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if listed.returncode:
        return str(uuid.uuid4())
    digest = hashlib.sha256()
    for name in sorted(os.fsdecode(listed.stdout).split("\0")):
        path = os.path.join(ROOT, name)
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, "rb") as opened:
                content = hashlib.sha256(opened.read()).hexdigest()
            digest.update("{}\0{}\n".format(name, content).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def commit():
    """:return: the last commit, whose time the packages have; empty without git."""
    words = "git log -1 --format=%H".split()
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.decode()


def _make():
    # this make must not take part in the make that may have started it
    mine = {name: v for name, v in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "packages", "PYTHON=" + sys.executable]
    os.makedirs(MADE)
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
    shutil.copytree(os.path.join(ROOT, "dist"), CURRENT)


def make_packages():
    """
    Make the packages by the documented command, unless they were made from the same files before.

    :return: the directory of the packages.
    """
    python = os.path.realpath(SYSTEM_PYTHON)
    wanted = [sources(), commit(), sys.version, python, shutil.which("rpmbuild")]
    make_once(MADE, wanted, _make)
    return CURRENT


def the_deb(directory):
    """:return: the path of the only ``.deb`` in a directory."""
    [path] = glob.glob(os.path.join(directory, "*.deb"))
    return path
