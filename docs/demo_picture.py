"""
The README's picture: what ``txstorage demo`` prints, as an SVG.

``make picture``, as root: the demo runs, in a terminal of its own, and what it
printed is drawn by rich.  The picture asks nobody for a font, and fits a light
page and a dark one.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from typing import Dict, List, Sequence, Tuple
from xml.etree import ElementTree

from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PICTURE = os.path.join(ROOT, "docs", "demo.svg")
DEMO = (sys.executable, "-m", "txstorage.cli", "demo")
TITLE = "txstorage demo"
COLUMNS = 84

THEME = TerminalTheme(
    (22, 27, 34),
    (230, 237, 243),
    [(72, 79, 88), (255, 123, 114), (86, 211, 100)] + [(230, 237, 243)] * 5,
)

FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>@TITLE@</title>
<style>
.{unique_id}-matrix {{ font-size: {char_height}px; font-family: ui-monospace, Menlo, Consolas,
 "DejaVu Sans Mono", "Liberation Mono", monospace }}
.{unique_id}-title {{ font: bold 16px sans-serif }}
{styles}
</style>
<defs>{lines}</defs>
{chrome}
<g class="{unique_id}-matrix" transform="translate({terminal_x}, {terminal_y})">
{backgrounds}{matrix}
</g>
</svg>
"""

#: The parts that differ between runs, and their replacements.
VARIES = [
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{16}\b"), "SHA"),
    (re.compile(r"\d+\.\d\d s\b"), "TIME"),
    (re.compile(r"127\.0\.0\.1:\d+"), "ADDRESS"),
    (re.compile(r"/dev/loop\d+"), "DEVICE"),
    (re.compile(r"\b\d+ HTTP requests"), "N HTTP requests"),
]


class NotShown(Exception):
    """The output of the demo lacks a part of the picture."""


def _columns(terminal: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))


def _environment() -> Dict[str, str]:
    """Provide a terminal with colours, independent of this process's terminal."""
    unwanted = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TXSTORAGE_CONFIG"}
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return dict(kept, TERM="xterm-256color", LC_ALL="C.UTF-8")


def _read(terminal: int) -> bytes:
    """Read the output until no process has the other end open."""
    printed = []
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux's error at the end
            data = b""
        if not data:
            return b"".join(printed)
        printed.append(data)


def run(command: Sequence[str] = DEMO) -> str:
    """
    Run a demonstration.

    What it draws while it waits goes to standard error, and is drawn on
    terminals only: here, nowhere.

    :return: what it printed, with its colours.
    :raises NotShown: when it failed, or had no block devices to show.
    """
    here, there = pty.openpty()
    _columns(there)
    with tempfile.TemporaryFile() as errors, os.fdopen(here, "rb", buffering=0):
        with os.fdopen(there, "wb", buffering=0) as output:
            child = subprocess.Popen(
                command, cwd=ROOT, env=_environment(), stdin=subprocess.DEVNULL,
                stdout=output, stderr=errors, start_new_session=True,
            )
        printed = _read(here).decode("utf-8").replace("\r\n", "\n")
        code = child.wait()
        errors.seek(0)
        complaint = errors.read().decode("utf-8", "replace")
    if code:
        raise NotShown("the demo failed ({}): {}{}".format(code, printed, complaint))
    if "/dev/loop" not in printed:
        raise NotShown("the demo had no loop devices to show; run this as root")
    return printed


def drawn(printed: str, title: str = TITLE, columns: int = COLUMNS) -> str:
    """
    :param printed: what a terminal got.
    :param title: the command.
    :param columns: the width of the terminal.
    :return: the picture.
    """
    with open(os.devnull, "w") as nowhere:
        console = Console(
            file=nowhere, record=True, width=columns, color_system="truecolor",
            force_terminal=True, legacy_windows=False,
        )
        console.print(Text("$ " + title, style="bold"))
        for line in AnsiDecoder().decode(printed.rstrip()):
            console.print(line, no_wrap=True, crop=False)
        console.print()
        return console.export_svg(
            title=title, theme=THEME, code_format=FORMAT.replace("@TITLE@", title),
            unique_id=title.split()[-1], font_aspect_ratio=0.6,
        )


def shown(picture: str) -> List[str]:
    """
    :return: the lines of text in a picture, one blank for any number.
    """
    pieces: Dict[float, List[Tuple[float, str]]] = {}
    for text in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text"):
        if text.get("textLength"):
            place = float(text.get("y", 0)), float(text.get("x", 0))
            pieces.setdefault(place[0], []).append((place[1], text.text or ""))
    return [
        " ".join(" ".join(piece for _, piece in sorted(line)).split())
        for _, line in sorted(pieces.items())
    ]


def masked(lines: Sequence[str]) -> List[str]:
    """
    :return: the lines, without what is another at each run.
    """
    text = "\n".join(lines)
    for pattern, name in VARIES:
        text = pattern.sub(name, text)
    return text.split("\n")


def main(path: str = PICTURE, command: Sequence[str] = DEMO) -> None:
    """Make the picture; keep the former one if that fails."""
    picture = drawn(run(command))
    with open(path, "w", encoding="utf-8") as opened:
        opened.write(picture)


if __name__ == "__main__":
    try:
        main()
    except NotShown as error:
        sys.exit(str(error))
