#!/usr/bin/env python3
"""
Stands in for ``systemctl`` and ``journalctl`` where no systemd runs: what
``docs/flocker.rst`` asks of them is what Flocker's unit needs, or an error.
"""

import configparser
import os
import shlex
import shutil
import subprocess
import sys

UNIT = "flocker-dataset-agent"
DROP_INS = "/etc/systemd/system/{}.service.d".format(UNIT)
#: What the unit has that comes with Flocker.
FLOCKERS = "/opt/flocker/bin/flocker-dataset-agent --journald"
LOADED = os.path.expanduser("~/loaded")


def commands():
    """:return: what the unit starts: its own, and what drop-ins add, until an empty one."""
    found = [FLOCKERS]
    for name in sorted(os.listdir(DROP_INS)):
        # the same key again is another value
        with open(os.path.join(DROP_INS, name), encoding="utf-8") as drop_in:
            text = drop_in.read()
        configparser.RawConfigParser(strict=False).read_string(text)
        for line in text.splitlines():
            key, _, value = line.partition("=")
            if key == "ExecStart":
                found = [*found, value] if value else []
    return found


def load():
    """Remember what the unit is now."""
    [command] = commands()
    with open(LOADED, "w", encoding="utf-8") as loaded:
        loaded.write(command)


def restart():
    """
    The agent exists, and takes its options: it does not get further without a
    cluster.  Flocker's own was there before.
    """
    with open(LOADED, encoding="utf-8") as loaded:
        command = loaded.read()
    if command == FLOCKERS:
        return 0
    command = shlex.split(command)
    return subprocess.call([*command, "--version"], stdout=subprocess.DEVNULL)


def show():
    """Print what the agent logged."""
    with open(os.environ["JOURNAL"], encoding="utf-8") as journal:
        shutil.copyfileobj(journal, sys.stdout)


EXPECTED = {
    ("systemctl", "daemon-reload"): load,
    ("systemctl", "restart", UNIT): restart,
    ("journalctl", "--unit", UNIT, "--output", "cat"): show,
}


def main(program, *arguments):
    asked = (os.path.basename(program), *arguments)
    if asked not in EXPECTED:
        return "nobody knows what would come of: " + " ".join(asked)
    return EXPECTED[asked]()


if __name__ == "__main__":
    sys.exit(main(*sys.argv))
