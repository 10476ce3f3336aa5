"""
The tutorial's picture of the page that ``txstorage serve`` shows.

``make picture-page``, as root on Debian: the commands of the tutorial run against a service of
their own, and a headless browser draws its page.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from base64 import b64decode
from contextlib import contextmanager
from typing import Any, Iterator
from urllib.parse import urlsplit

from PIL import Image

from tests.buildbot.window import Window
from tests.helpers.loops import detach_below

PICTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "live-page.png")
#: Pixels.
WIDTH = 1080
#: Enough for the few colours of the page, and for the edges of its letters.
COLOURS = 48
READY = "txstorage ready: "
#: The lower end of the table of volumes, below which the picture ends.
END = """
const section = document.getElementById("volumes").closest("section");
return Math.ceil(section.getBoundingClientRect().bottom) + 8;
"""
SHOWN = "return document.querySelector('#snapshots tbody .good')"
COMMAND = [sys.executable, "-W", "ignore", "-m", "txstorage.cli"]


@contextmanager
def served(directory: str) -> Iterator[str]:
    """
    Serve the volumes of a directory, until the context ends.

    :return: a context manager for the address.
    """
    serve = [*COMMAND, "serve", "--state-dir", directory, "--port", "0", "--devices", "loop"]
    service = subprocess.Popen(serve, stdout=subprocess.PIPE, universal_newlines=True)
    try:
        assert service.stdout is not None
        ready = next(line for line in service.stdout if line.startswith(READY))
        yield urlsplit(ready[len(READY):].strip()).netloc
    finally:
        service.terminate()
        service.communicate()
        detach_below(directory)


def run(directory: str, node: str, *arguments: str) -> Any:
    """
    Run a command of txstorage on a node.

    :return: its result.
    """
    configuration = os.path.join(directory, f"agent-{node}.yml")
    done = subprocess.run(
        [*COMMAND, "--json", *arguments],
        env=dict(os.environ, TXSTORAGE_CONFIG=configuration),
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


def prepare(directory: str) -> None:
    """Make three volumes, of which each node has one, and a snapshot."""
    volumes = [
        run(directory, "node-1", "volumes", "create", size)["volume_id"]
        for size in ("1GiB", "5GiB", "2GiB")
    ]
    run(directory, "node-1", "volumes", "attach", volumes[0])
    run(directory, "node-2", "volumes", "attach", volumes[1])
    run(directory, "node-1", "snapshots", "create", volumes[2])


def drawn(address: str) -> bytes:
    """:return: the page as a PNG."""
    window = Window("", WIDTH)
    try:
        window.chrome.get(f"http://{address}/")
        window.until(lambda: window.run(SHOWN))
        # The marks of changed rows would still move.
        window.prefer("light", "reduce")
        area = {"x": 0, "y": 0, "width": WIDTH, "height": window.run(END), "scale": 1}
        taken = window.chrome.execute_cdp_cmd(
            "Page.captureScreenshot", {"clip": area, "captureBeyondViewport": True}
        )
    finally:
        window.close()
    return b64decode(taken["data"])


def small(picture: bytes) -> bytes:
    """:return: a PNG with few colours, which is a fraction of the size."""
    output = io.BytesIO()
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    whole.quantize(COLOURS, dither=Image.Dither.NONE).save(output, "PNG", optimize=True)
    return output.getvalue()


def main() -> None:
    """Make the picture; keep the former one if that fails."""
    with tempfile.TemporaryDirectory(prefix="txstorage-page-") as directory:
        state = os.path.join(directory, "volumes")
        with served(state) as address:
            prepare(state)
            picture = small(drawn(address))
    with open(PICTURE, "wb") as opened:
        opened.write(picture)


if __name__ == "__main__":
    main()
