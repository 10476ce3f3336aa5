"""
The operator's side of a run: ``unshare --net python3 -m tests.nodes.machines.operator DIRECTORY``.

The program's network namespace has the bridge to which the nodes are connected; services for the
nodes listen there.  The end of its input, which comes with the end of the program that started the
run, however that ends, is the end of the run: it removes all that the run has made.
"""

from __future__ import annotations

import subprocess
import sys

from .network import bridge
from .runs import Run


def main(directory):
    subprocess.run(["ip", "-batch", "-"], input=bridge(), text=True, check=True)
    print("ready", flush=True)
    sys.stdin.read()
    Run(directory).sweep()


if __name__ == "__main__":
    main(*sys.argv[1:])
