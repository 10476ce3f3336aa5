"""A clean root to install packages into, with a stand-in for systemd."""

import glob
import json
import os

from ..roots.root import Root

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIGURATION = "/var/lib/txstorage/agent-node-1.yml"


class PackagesRoot(Root):
    """A root that the package is used in."""

    def txstorage(self, arguments):
        """:return: the JSON document that the installed command prints."""
        return json.loads(self.run(f"txstorage --config {CONFIGURATION} --json {arguments}"))

    def install_systemctl(self):
        """Stand in for systemd and the journal; see ``systemctl.py``."""
        [python] = glob.glob(self.within("usr/bin/python3.*[0-9]"))
        place = self.within("usr/bin/systemctl")
        with open(os.path.join(HERE, "systemctl.py"), encoding="utf-8") as source:
            script = source.read()
        with open(place, "w", encoding="utf-8") as target:
            target.write(f"#!/usr/bin/{os.path.basename(python)}\n{script}")
        os.chmod(place, 0o755)
        with open(self.within("usr/bin/journalctl"), "w", encoding="utf-8") as target:
            target.write("#!/bin/sh\nexec cat /run/txstorage.output\n")
        os.chmod(target.name, 0o755)
        os.makedirs(self.within("run/systemd/system"))

    def systemctl_calls(self):
        """:return: the calls of systemctl since the last time."""
        try:
            with open(self.within("run/systemctl.log"), encoding="utf-8") as opened:
                calls = opened.read().splitlines()
        except FileNotFoundError:
            return []
        os.unlink(self.within("run/systemctl.log"))
        return calls
