"""Debian's Chromium, headless: a page after its script has run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile

from tests.openstack.installation import logged
from tests.openstack.progress import RigError, step

PROGRAM = "chromium"
#: Milliseconds of the page's own time, which passes as fast as it can: a busy machine
#: delivers the data of a web socket later.
PAGE_TIMES = (20000, 40000, 80000, 160000, 320000)
#: Seconds.
PATIENCE = 120
SIZE = "1280,560"


def install(package: str, log: str) -> None:
    """
    Install a package from Debian.

    :raises RigError: it can't be installed.
    """
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        raise RigError(f"{package} is missing: apt-get install {package}")
    with step(f"installing {package} from Debian"):
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        apt = ["apt-get", "-q", "-y"]
        logged(log, [*apt, "update"], env=environment)
        logged(log, [*apt, "install", "--no-install-recommends", package], env=environment)


def opened(url: str, *awaited: str, picture: str | None = None) -> str:
    """
    Open a page and wait for its content, as a person would.

    :param awaited: texts, or parts of the document.
    :param picture: the path of a PNG to make of the page.
    :return: the page's document after its script has run.
    """
    for page_time in PAGE_TIMES:
        document = _opened(url, page_time, picture)
        seen = document + text_of(document)
        if all(each in seen for each in awaited):
            break
    return document


def _opened(url: str, page_time: int, picture: str | None) -> str:
    with tempfile.TemporaryDirectory(prefix="txstorage-test-") as profile:
        # no sandbox, which root may not have, for the project's own pages
        command = [PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += ["--user-data-dir=" + profile, "--window-size=" + SIZE]
        command += [f"--virtual-time-budget={page_time}", "--dump-dom"]
        if picture is not None:
            command.append("--screenshot=" + picture)
        return subprocess.run(
            [*command, url],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            universal_newlines=True,
            check=True,
            timeout=PATIENCE,
        ).stdout


def text_of(document: str) -> str:
    """:return: the visible text of a document, in one line."""
    document = re.sub(r"(?s)<(script|style|noscript)\b.*?</\1>", " ", document)
    return " ".join(re.sub(r"<[^>]*>", " ", document).split())
