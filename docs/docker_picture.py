"""
The picture of docs/docker.rst: the lines that ``make demo-docker`` prints, as an SVG.

``make picture-docker``, as root on Debian: the demonstration runs, and its steps are drawn.
"""

from __future__ import annotations

import os
import subprocess
import sys

from demo_picture import ROOT, NotShown, drawn

PICTURE = os.path.join(ROOT, "docs", "docker.svg")
TITLE = "make demo-docker"
COLUMNS = 96


def steps(printed: str) -> str:
    """
    :param printed: the output of the demonstration.
    :return: the lines of its steps; not those about the machines, which are made once.
    """
    lines = [line for line in printed.splitlines() if line[:4] in ("  ok", "    ")]
    return "".join(line + "\n" for line in lines)


def main(arguments: list[str], path: str = PICTURE) -> None:
    """
    Make the picture.

    :param arguments: of the demonstration.
    :raises NotShown: it failed; the former picture stays.
    """
    command = [sys.executable, "-m", "tests.docker.demo", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, universal_newlines=True)
    if done.returncode:
        raise NotShown(f"the demonstration failed: {done.stdout}")
    with open(path, "w", encoding="utf-8") as opened:
        opened.write(drawn(steps(done.stdout), TITLE, COLUMNS))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except NotShown as error:
        sys.exit(str(error))
