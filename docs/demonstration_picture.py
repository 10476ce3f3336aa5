"""
The pictures of docs/docker.rst and docs/flocker.rst: the lines that a demonstration prints, as an
SVG.

``make picture-docker`` and ``make picture-flocker``, as root on Debian: the demonstration runs, and
its steps are drawn.
"""

from __future__ import annotations

import os
import subprocess
import sys

from demo_picture import ROOT, NotShown, drawn

#: The demonstrations by make's targets: the module of each, and its picture in this directory.
DEMONSTRATIONS = {
    "demo-docker": ("tests.docker.demo", "docker.svg"),
    "demo-flocker": ("tests.acceptance.demo", "flocker.svg"),
}
COLUMNS = 96


def path_of(target: str) -> str:
    """
    :return: the path of the picture of a demonstration.
    """
    return os.path.join(ROOT, "docs", DEMONSTRATIONS[target][1])


def steps(printed: str) -> str:
    """
    :param printed: the output of a demonstration.
    :return: the lines of its steps; not those about the machines, which are made once.
    """
    lines = [line for line in printed.splitlines() if line[:4] in ("  ok", "    ")]
    return "".join(line + "\n" for line in lines)


def main(target: str, *arguments: str) -> None:
    """
    Make a picture.

    :param target: a key of ``DEMONSTRATIONS``.
    :param arguments: of the demonstration.
    :raises NotShown: it failed; the former picture stays.
    """
    command = [sys.executable, "-W", "ignore", "-m", DEMONSTRATIONS[target][0], *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, universal_newlines=True)
    if done.returncode:
        raise NotShown(f"the demonstration failed: {done.stdout}")
    with open(path_of(target), "w", encoding="utf-8") as opened:
        opened.write(drawn(steps(done.stdout), "make " + target, COLUMNS))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except NotShown as error:
        sys.exit(str(error))
