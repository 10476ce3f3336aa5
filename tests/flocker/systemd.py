#!/usr/bin/env python3
"""
A stand-in for ``systemctl`` and ``journalctl`` on machines without systemd.

The commands of ``docs/flocker.rst`` have their effect on Flocker's unit; all others are errors.
"""

import configparser
import os
import shlex
import shutil
import subprocess
import sys

UNIT = "flocker-dataset-agent"
DROP_INS = "/etc/systemd/system/{}.service.d".format(UNIT)
#: The command of the unit that comes with Flocker.
FLOCKERS = "/opt/flocker/bin/flocker-dataset-agent --journald"
LOADED = os.path.expanduser("~/loaded")


def commands():
    """:return: the unit's commands: its own and those of drop-ins; an empty one resets them."""
    found = [FLOCKERS]
    for name in sorted(os.listdir(DROP_INS)):
        # a repeated key adds a value
        with open(os.path.join(DROP_INS, name), encoding="utf-8") as drop_in:
            text = drop_in.read()
        configparser.RawConfigParser(strict=False).read_string(text)
        for line in text.splitlines():
            key, _, value = line.partition("=")
            if key == "ExecStart":
                found = [*found, value] if value else []
    return found


def load():
    """Keep the unit's current command."""
    [command] = commands()
    with open(LOADED, "w", encoding="utf-8") as loaded:
        loaded.write(command)


def restart():
    """
    Check that the agent exists and accepts its options.

    Without a cluster, it does not get further. Flocker's own agent is not checked.
    """
    with open(LOADED, encoding="utf-8") as loaded:
        command = loaded.read()
    if command == FLOCKERS:
        return 0
    command = shlex.split(command)
    return subprocess.call([*command, "--version"], stdout=subprocess.DEVNULL)


def show():
    """Print the agent's log."""
    with open(os.environ["JOURNAL"], encoding="utf-8") as journal:
        shutil.copyfileobj(journal, sys.stdout)


EXPECTED = {
    ("systemctl", "daemon-reload"): load,
    ("systemctl", "restart", UNIT): restart,
    ("journalctl", "--unit", UNIT, "--output", "cat"): show,
}


def main(program, *arguments):
    command = (os.path.basename(program), *arguments)
    if command not in EXPECTED:
        return "unexpected command: " + " ".join(command)
    return EXPECTED[command]()


if __name__ == "__main__":
    sys.exit(main(*sys.argv))
