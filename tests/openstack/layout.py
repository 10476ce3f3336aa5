"""
The places of the rig: its files, its ports, and its users.

Everything is in one directory, and the ports were free: two rigs on one machine do not meet.
"""

import json
import os
import random
import secrets
import socket
from dataclasses import asdict, dataclass, field

HOST = "127.0.0.1"
HOST_6 = "::1"
REGION = "RegionOne"
#: The same cloud, behind a Cinder whose pages have two volumes.
PAGED_REGION = "RegionPaged"
#: The same cloud, at IPv6 addresses.
IPV6_REGION = "RegionIPv6"

PORTS = [
    *("keystone", "keystone-short", "cinder-api", "cinder-api-paged", "nova-api"),
    *("placement", "neutron", "rabbit", "rabbit-distribution", "epmd"),
]
#: The users, and the project of each.
USERS = {
    **{"admin": "admin", "svc": "service", "demo": "demo", "other": "other", "cramped": "cramped"},
    "reader": "demo",
}
#: The roles of users that are not members of their project.
ROLES = {"svc": ("admin", "service"), "reader": ("reader",)}


def has_ipv6():
    """:return: whether this machine's loopback interface has its IPv6 address."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((HOST_6, 0))
    except OSError:
        return False
    return True


def hosts():
    """:return: the addresses that the APIs listen on."""
    return [HOST, HOST_6] if has_ipv6() else [HOST]


def free_ports(names):
    """
    :return: dict of names to free ports, below the range from which the kernel assigns ports, so
        that
        they stay free while a service restarts.
    """
    ports = {}
    while len(ports) < len(names):
        port = random.randrange(20000, 32000)
        if port not in ports.values() and all(_is_free(host, port) for host in hosts()):
            ports[names[len(ports)]] = port
    return ports


def _is_free(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Layout:
    """
    :ivar directory: absolute path.
    :ivar ports: names of :data:`PORTS` to numbers.
    :ivar passwords: names of :data:`USERS`, and ``rabbit``, to passwords.
    """

    directory: str
    ports: dict = field(default_factory=lambda: free_ports(PORTS))
    passwords: dict = field(
        default_factory=lambda: {name: secrets.token_hex(12) for name in [*USERS, "rabbit"]}
    )

    @classmethod
    def load(cls, directory):
        """:return: the layout of the rig that runs in the directory, or did, or ``None``."""
        try:
            with open(os.path.join(directory, "run", "layout.json")) as saved:
                return cls(**json.load(saved))
        except FileNotFoundError:
            return None

    def save(self):
        path = self.run("layout.json")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, json.dumps(asdict(self)))

    def path(self, *parts):
        """:return: a path in the rig's directory, of a file that outlives a run."""
        return os.path.join(self.directory, *parts)

    def run(self, *parts):
        """:return: a path in the directory of one run."""
        return self.path("run", *parts)

    def log(self, name):
        return self.run("log", name + ".log")

    def configuration(self, name):
        return self.run("conf", name)

    def database(self, name):
        # A short wait for a lock: inside/sitecustomize.py waits better.
        return "sqlite:///{}?timeout=0.05".format(self.run("db", name + ".db"))

    def program(self, name):
        """:return: the path of a program in the environment of the services."""
        return self.path("venv", "bin", name)

    def url(self, name, path="", host=HOST):
        place = "[{}]".format(host) if ":" in host else host
        return "http://{}:{}{}".format(place, self.ports[name], path)

    @property
    def auth_url(self):
        return self.url("keystone", "/v3")

    @property
    def rabbit_url(self):
        return "rabbit://rig:{}@{}:{}/".format(self.passwords["rabbit"], HOST, self.ports["rabbit"])


def write(path, text):
    """Write a file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as written:
        written.write(text)
