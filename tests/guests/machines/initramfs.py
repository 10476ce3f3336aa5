"""
The initial file system of a guest, which is all that a guest has: an interpreter of this machine,
the modules that the agent loads, at the same paths as here, and the kernel's modules.
"""

from __future__ import annotations

import json
import os
import re
import subprocess

from ...run import ROOT, run

AGENT = "tests.guests.agent"
#: The directories that the agent mounts file systems on.
MOUNT_POINTS = ("dev", "proc", "sys")
LIBRARY = re.compile(r"(?:=> |^\s*)(/\S+) \(0x", re.MULTILINE)


def libraries_in(listing):
    """
    :param listing: the output of ``ldd``.
    :return: set of the paths of libraries, and of the program that loads them.
    """
    return set(LIBRARY.findall(listing))


def with_compiled(path):
    """
    :param path: the path of a module.
    :return: the paths of its source and of its compiled forms, which need not exist.
    """
    if not path.endswith((".py", ".pyc")):
        return [path]
    source = path[: -len("c")] if path.endswith(".pyc") else path
    directory, name = os.path.split(source)
    cached = os.path.join(directory, "__pycache__")
    start = name[: -len("py")]
    found = os.listdir(cached) if os.path.isdir(cached) else []
    compiled = [each for each in found if each.startswith(start) and ".opt-" not in each]
    return [source, source + "c", *(os.path.join(cached, each) for each in compiled)]


def with_parents(path):
    """
    :param path: an absolute path.
    :return: set of the paths that have to be there for it to lead to the same file: its
        directories, and what each link on the way leads to.
    """
    found = set()
    pending = [path]
    while pending:
        at = pending.pop()
        if at in found or at == "/":
            continue
        found.add(at)
        directory, name = os.path.split(at)
        pending += [directory, os.path.join(os.path.realpath(directory), name)]
        if os.path.islink(at):
            pending.append(os.path.normpath(os.path.join(directory, os.readlink(at))))
    return found


def interpreter_files(python):
    """
    :param python: the path of an environment's interpreter.
    :return: set of the paths of everything that the agent needs to run.
    """
    surroundings = dict(os.environ, PYTHONPATH=ROOT, PYTHONWARNINGS="ignore")
    command = [python, "-m", AGENT, "--loaded"]
    printed = subprocess.run(command, env=surroundings, stdout=subprocess.PIPE, check=True).stdout
    modules = json.loads(printed)
    binaries = [python, *(path for path in modules if path.endswith(".so"))]
    listing = subprocess.run(["ldd", *binaries], stdout=subprocess.PIPE, text=True, check=True)
    environment = os.path.dirname(os.path.dirname(python))
    wanted = {*binaries, *libraries_in(listing.stdout), os.path.join(environment, "pyvenv.cfg")}
    wanted.update(each for path in modules for each in with_compiled(path))
    return {each for path in wanted if os.path.lexists(path) for each in with_parents(path)}


def archive(directory, paths, output):
    """
    Append an archive to an initial file system.

    :param directory: the directory that becomes the root directory.
    :param paths: the paths in it.
    :param output: a binary file.
    """
    names = sorted(path.lstrip("/") for path in paths)
    # The kernel unpacks archives one after the other.
    listed = "".join(name + "\0" for name in names).encode()
    words = ["cpio", "--create", "--quiet", "--null", "--format=newc", "--owner=0:0"]
    run(*words, "--directory", directory, input=listed, stdout=output)


def make_initramfs(path, python, kernel):
    """
    :param path: the file to write.
    :param python: the path of an environment's interpreter.
    :param kernel: the :class:`~tests.guests.machines.kernel.Kernel`.
    """
    place = os.path.dirname(kernel.modules)
    for name in MOUNT_POINTS:
        os.makedirs(os.path.join(place, name), exist_ok=True)
    modules = [f"modules/{name}" for name in os.listdir(kernel.modules)]
    with open(path, "wb") as output:
        archive(place, ["modules", *modules, *MOUNT_POINTS], output)
        archive("/", interpreter_files(python), output)
