"""The network of a run: a bridge in the operator's network namespace, and a cable for each node."""

from __future__ import annotations

import subprocess

#: The operator's address, and the beginning of the nodes'.
OPERATOR, NODE = "10.77.0.1", "10.77.0.1{}"


def bridge():
    """:return: the commands of ``ip`` for the operator's namespace."""
    return f"""\
link set lo up
link add br0 type bridge
addr add {OPERATOR}/24 dev br0
link set br0 up
"""


def entering(pid, *words):
    """:return: list, a command that runs in the network namespace of a process."""
    return ["nsenter", f"--net=/proc/{pid}/ns/net", *words]


def ip(pid, commands):
    """Run commands of ``ip`` in the network namespace of a process."""
    command = entering(pid, "ip", "-batch", "-")
    subprocess.run(command, input=commands, text=True, check=True)


def connect(operator, power, number):
    """
    Connect a node.

    :param operator: the process id of :mod:`.operator`.
    :param power: the process id of the node's :mod:`.power`.
    :param number: the node's, from 1.
    """
    cable = f"link add node{number} type veth peer name eth0 netns {power}\n"
    ip(operator, cable + f"link set node{number} master br0 up\n")
    # a given hardware address, which depends on nothing of this machine
    ip(
        power,
        f"""\
link set lo up
link set eth0 address 02:00:00:00:00:{10 + number}
addr add {NODE.format(number)}/24 dev eth0
link set eth0 up
route add default via {OPERATOR}
""",
    )
