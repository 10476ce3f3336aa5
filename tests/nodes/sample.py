"""
A run in which everything is in use, for the tests of its end::

    python3 -m tests.nodes.sample PLACE

Prints ``up`` and the path of a mounted device; the end of the input is the end of the run.
"""

from __future__ import annotations

import json
import sys

from .machines.nodes import Nodes
from .service import Service
from .support import made
from .trees.images import Image


def mounted(node):
    """:return: the path of the device of a new volume, which is mounted."""
    volume = json.loads(node.run("txstorage --json volumes create 1GiB"))["volume_id"]
    found = json.loads(node.run(f"txstorage --json volumes attach {volume}"))
    node.run("mkfs.ext4 -q {0} && mount {0} /mnt".format(found["device_path"]))
    return found["device_path"]


def main(place):
    [busybox] = [Image(**each) for each in made()["images"] if each["name"] == "busybox"]
    with Nodes(made()["layers"], place=place) as nodes:
        service, node = Service(nodes), nodes[1]
        service.start()
        service.configure(node)
        busybox.load(node)
        node.run("docker run --detach --network=none busybox sleep 999")
        print("up", mounted(node), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
