"""
Test in a browser: ``make test-buildbot``.

Builds the documentation, and opens its pages, and the page of the embedded service.  Installs
Buildbot into ``.buildbot``, as ``make buildbot`` does; starts another one on free ports, which
builds a scratch clone of this checkout; runs the tests of this directory against it; and stops it
in any case.  Ends with::

    N passed, N failed, N skipped

The arguments are names of tests, to run only these.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

from installation import CAIRO, DIRECTORY, Installation, has_cairo

from ..debian import ensure
from ..openstack.progress import RigError, say, step
from ..run import ENVIRONMENT, ROOT, concluded, install, run_trial, summed
from . import browser, scratch

#: The directory of this Buildbot; its environment is that of ``make buildbot``.
HERE = os.path.join(DIRECTORY, "test")
#: The tests without a running Buildbot, and those with one.
CHECKS = ["tests.buildbot.check_steps", "tests.buildbot.check_certification"]
#: The tests of the documentation's pages and of the embedded service's, which need no Buildbot.
PAGES = ("tests.buildbot.check_pages", "tests.buildbot.check_live_page")


def prepared(installation: Installation) -> None:
    """Install everything that is missing, and make the clone to build."""
    for directory in ("", "log"):
        os.makedirs(installation.run(directory), mode=0o700, exist_ok=True)
    for program in (browser.PROGRAM, "curl"):
        if shutil.which(program) is None:
            browser.install(program, installation.log("install"))
    if not has_cairo():
        browser.install(CAIRO, installation.log("install"))
    with step("cloning this checkout, with what is not committed yet"):
        scratch.cloned(installation.run("clone"))
    installation.prepare(installation.run("clone"))


def tested(installation: Installation, tests: list[str]) -> dict[str, int]:
    """:return: the counts of the tests, run while a Buildbot is up."""
    installation.stop()
    shutil.rmtree(installation.directory, ignore_errors=True)
    try:
        prepared(installation)
        installation.start()
        os.environ["TXSTORAGE_BUILDBOT"] = installation.directory
        programs = os.path.join(installation.environment, "bin")
        command = [os.path.join(programs, "python"), os.path.join(programs, "trial")]
        return run_trial(command, "buildbot", tests or CHECKS)
    finally:
        # a second interrupt would leave processes behind
        for which in (signal.SIGINT, signal.SIGTERM):
            signal.signal(which, signal.SIG_IGN)
        installation.stop()


def tested_pages(tests: list[str]) -> dict[str, int]:
    """:return: the counts of the tests of pages."""
    ensure(browser.PROGRAM, browser.PROGRAM)
    ensure("chromedriver", "chromium-driver")
    with step("building the documentation"):
        make = [os.environ.get("MAKE", "make"), "--no-print-directory", "PYTHON=" + sys.executable]
        subprocess.run([*make, "docs"], cwd=ROOT, check=True)
        install(ENVIRONMENT, "--editable", ".[browser]")
    programs = os.path.join(ENVIRONMENT, "bin")
    command = [os.path.join(programs, "python"), os.path.join(programs, "trial")]
    return run_trial(command, "pages", tests)


def counted(installation: Installation, tests: list[str]) -> dict[str, int]:
    """:return: the counts of the named tests, or of all."""
    pages = [name for name in tests if name.startswith(PAGES)]
    others = [name for name in tests if name not in pages]
    counts = []
    if pages or not tests:
        counts.append(tested_pages(pages or list(PAGES)))
    if others or not tests:
        counts.append(tested(installation, others))
    return summed(counts)


def main() -> int:
    # so that the code below runs when another process ends this one, too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    installation = Installation(HERE, os.path.join(DIRECTORY, "venv"))
    try:
        counts = counted(installation, sys.argv[1:])
    except (RigError, subprocess.CalledProcessError) as error:
        say(str(error))
        counts = summed([{"failed": 1}])
    if os.path.exists(installation.directory):
        if counts["failed"]:
            say("what master, worker and builds said is in " + installation.directory)
        else:
            shutil.rmtree(installation.directory)
    return concluded(counts)


if __name__ == "__main__":
    sys.exit(main())
