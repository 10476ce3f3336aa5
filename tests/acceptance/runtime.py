#!/usr/bin/python3
"""
runc on a node with Flocker: containers see the boot id of their node.

All nodes have one kernel, whose boot id a container's own ``/proc`` shows.  The runtime of all
nodes, :mod:`tests.nodes.trees.runtime`, comes next.
"""

import json
import os
import sys

NEXT = "/usr/local/lib/txstorage-runc"
#: Mounts the node's file in the container, whose state is the input, before it has its root.
MOUNT = """\
pid=$(sed 's/.*"pid": *\\([0-9]*\\).*/\\1/') &&
exec nsenter --target "$pid" --mount mount --bind /run/boot-id "$1/proc/sys/kernel/random/boot_id"
"""


def hooked(description, bundle):
    """
    :param description: a bundle's configuration: config.md of the OCI runtime.
    :param bundle: the path of the bundle.
    :return: the same, with one more hook.
    """
    root = os.path.join(bundle, description["root"]["path"])
    hook = {"path": "/bin/sh", "args": ["sh", "-c", MOUNT, "sh", root], "env": ["PATH=/bin:/sbin"]}
    hooks = description.get("hooks", {})
    created = [*hooks.get("createRuntime", []), hook]
    return dict(description, hooks=dict(hooks, createRuntime=created))


def main(arguments):
    for option, value in zip(arguments, arguments[1:]):
        if option in ("--bundle", "-b"):
            path = os.path.join(value, "config.json")
            with open(path, encoding="utf-8") as opened:
                description = hooked(json.load(opened), os.path.abspath(value))
            with open(path, "w", encoding="utf-8") as opened:
                json.dump(description, opened)
    os.execv(NEXT, ["runc", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
