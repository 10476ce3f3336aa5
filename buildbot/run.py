"""
``make buildbot`` and ``make buildbot-stop``: the Buildbot that certifies the
driver, on this machine, in ``.buildbot``.

    python3 buildbot/run.py start
    python3 buildbot/run.py stop
"""

from __future__ import annotations

import argparse
import signal
import sys

from installation import Installation, RigError, say

WHERE = """
Buildbot builds {settings.repository}, branch {settings.branch}.
  web pages   {settings.url}
  badges      {settings.url}plugins/badges/functional.svg
  logs        {settings.directory}/log
  secrets     {settings.directory}/secrets
It looks for new commits once a minute; choose a builder there to build by hand.
make buildbot-stop stops it."""


def start(installation: Installation) -> None:
    if installation.is_up():
        say("Buildbot is up already")
    else:
        installation.prepare()
        installation.start()
    print(WHERE.format(settings=installation.settings()))


def stop(installation: Installation) -> None:
    was_up = installation.is_up()
    installation.stop()
    if was_up:
        say("Buildbot is down")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["start", "stop"])
    options = parser.parse_args()
    # so that what was begun is undone also when somebody else ends it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    try:
        {"start": start, "stop": stop}[options.command](Installation())
    except RigError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
