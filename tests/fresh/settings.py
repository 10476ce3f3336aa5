"""
This machine's settings of apt and pip, in a root: the places of packages, and nothing else.

The settings are read at run time; the repository contains none.
"""

import ast
import configparser
import os
import shutil

from ..roots.debootstrap import output_of, sources
from ..run import ENVIRONMENT

#: pip's settings about the places of packages.
SETTINGS = """\
cert client-cert constraint default-timeout extra-index-url find-links index-url no-index proxy
retries timeout trusted-host
""".split()
#: pip's section of the variables of the environment, which override its files.
VARIABLES = ":env:"
#: The directory, in the root, of the files and directories of this machine that settings name.
MACHINE = "/machine"


def apt_sources(release):
    """:return: the text of a release's list of sources, at this machine's mirrors."""
    return "".join("deb {2} {0} {1}\n".format(*source) for source in sources(release))


def apt_options(dumped):
    """
    :param dumped: the output of ``apt-config dump``.
    :return: the text of the options for fetching packages.
    """
    lines = [line for line in dumped.splitlines() if line.startswith("Acquire::")]
    return "".join(line + "\n" for line in lines)


def pip_settings(listed):
    """
    :param listed: the output of ``pip config list``.
    :return: dict of pip's sections to dicts of settings, each a list of words.
    """
    found = {}
    # the variables last
    for line in sorted(listed.splitlines(), key=lambda line: line.startswith(VARIABLES)):
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if key in SETTINGS:
            section = "global" if section == VARIABLES else section
            found.setdefault(section, {})[key] = ast.literal_eval(value).split()
    return found


def local_path(word):
    """:return: the existing path that a word of a setting names, or ``None``."""
    path = word[len("file://") :] if word.startswith("file://") else word
    return path if os.path.isabs(path) and os.path.exists(path) else None


def moved(word):
    """:return: a word of a setting, with the path that it names below :data:`MACHINE`."""
    path = local_path(word)
    return word if path is None else word[: -len(path)] + MACHINE + path


def write(root, path, text):
    with open(root.within(path), "w", encoding="utf-8") as opened:
        opened.write(text)


def bring(root, path):
    """Let a file or a directory of this machine appear in a root, below :data:`MACHINE`."""
    if os.path.isdir(path):
        root.bind(path, MACHINE + path)
    else:
        os.makedirs(os.path.dirname(root.within(MACHINE + path)), exist_ok=True)
        shutil.copyfile(path, root.within(MACHINE + path))


def configure_pip(root, listed):
    """
    :param listed: the output of ``pip config list``.
    """
    settings = pip_settings(listed)
    file = configparser.RawConfigParser()
    for section, part in settings.items():
        file[section] = {key: "\n".join(map(moved, words)) for key, words in part.items()}
        for key, words in part.items():
            for path in filter(None, map(local_path, words)):
                # the pages of an index name files beside it
                bring(root, os.path.dirname(path) if key.endswith("index-url") else path)
    with open(root.within("etc/pip.conf"), "w", encoding="utf-8") as opened:
        file.write(opened)


def configure(root, release):
    """
    Give a root this machine's places of packages.

    :param root: a :class:`tests.roots.root.Root`.
    :param release: the codename of its release.
    """
    for name in ("resolv.conf", "hosts"):
        shutil.copyfile(os.path.join("/etc", name), root.within("etc", name))
    write(root, "etc/apt/sources.list", apt_sources(release))
    write(root, "etc/apt/apt.conf.d/99machine", apt_options(output_of("apt-config", "dump")))
    python = os.path.join(ENVIRONMENT, "bin", "python")
    configure_pip(root, output_of(python, "-m", "pip", "config", "list"))
