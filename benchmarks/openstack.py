"""
The cost of many life cycles at once for a real OpenStack: with the driver and, side by side in the
same run, with openstacksdk, one thread for each volume, both with their defaults.

    .venv/bin/python -m benchmarks.openstack [volumes]

Each volume is created, attached, detached and destroyed, all of them at once, on one server.
Prints the number of successes, the number of requests, counted by the services themselves, and the
seconds.  Brings up the OpenStack of ``make test-openstack``, unless it is up, and takes down what
it brought up.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from uuid import uuid4

from twisted.internet.defer import DeferredList, inlineCallbacks
from twisted.internet.task import react

from tests.openstack.cloud import GIB, configuration
from tests.openstack.rig import Rig
from tests.run import ROOT
from txstorage import block_device_driver

SERVICES = ("keystone", "cinder-api", "nova-api")
REQUEST = re.compile(r"^.* request: ([A-Z]+) \S+ \d+ \d+ ms by (\w+)", re.MULTILINE)


class Requests(object):
    """
    The requests that services got since this was made.

    :param str logs: the directory with their logs.
    """

    def __init__(self, logs):
        paths = [os.path.join(logs, name + ".log") for name in SERVICES]
        self._from = {path: os.path.getsize(path) for path in paths}

    def by(self, who):
        """
        :param str who: how its user agent begins.
        :return: Counter of the methods.
        """
        methods = Counter()
        for path, offset in self._from.items():
            with open(path, "rb") as log:
                log.seek(offset)
                said = log.read().decode("utf-8", "replace")
            methods.update(method for method, agent in REQUEST.findall(said) if agent == who)
        return methods


@inlineCallbacks
def life_cycle(driver, node):
    volume = yield driver.create_volume(uuid4(), GIB)
    yield driver.attach_volume(volume.blockdevice_id, node)
    yield driver.get_device_path(volume.blockdevice_id)
    yield driver.detach_volume(volume.blockdevice_id)
    yield driver.destroy_volume(volume.blockdevice_id)


@inlineCallbacks
def with_driver(reactor, count):
    """:return: a ``Deferred`` that fires with how many ended well, and the seconds."""
    driver = block_device_driver(reactor, uuid4(), **configuration(poll_interval=2.0))
    node = yield driver.compute_instance_id()
    began = reactor.seconds()
    ends = yield DeferredList([life_cycle(driver, node) for _ in range(count)], consumeErrors=True)
    for success, failure in ends:
        if not success:
            print(failure.getErrorMessage())
    return sum(success for success, _ in ends), reactor.seconds() - began  # noqa: B901


def with_sdk(rig, count):
    """:return: how many ended well, and the seconds."""
    with open(rig.description) as opened:
        cloud = json.load(opened)
    user = cloud["users"]["demo"]
    spec = {
        "job": "life_cycles",
        "count": count,
        "threads": count,
        "auth_url": cloud["auth_url"],
        "authority": None,
        "region": cloud["region"],
        "user": {key: user[key] for key in ("username", "password", "project_name")},
        "servers": cloud["servers"]["demo"][:1],
    }
    python = os.path.join(rig.directory, "venv", "bin", "python")
    done = subprocess.run(
        [python, "-W", "ignore", "-m", "benchmarks.clients.sdk"],
        cwd=ROOT,
        input=json.dumps(spec) + "\ngo\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures = json.loads(done.stdout.splitlines()[-1])
    for error in figures["errors"]:
        print(error)
    return figures["ended"], figures["wall"]


def report(name, count, ended_well, seconds, requests):
    total = sum(requests.values())
    print(
        "{:<13} {:>3} of {} ended well, {:>5} requests ({:>5} GET), {:>4.1f} a volume, "
        "{:>6.1f} s".format(
            name + ":", ended_well, count, total, requests["GET"], total / count, seconds
        ),
        flush=True,
    )
    return total


@inlineCallbacks
def measured(reactor, rig, count):
    os.environ["TXSTORAGE_OPENSTACK"] = rig.description
    requests = Requests(rig.logs)
    ended_well, seconds = yield with_driver(reactor, count)
    ours = report("txstorage", count, ended_well, seconds, requests.by("txstorage"))
    requests = Requests(rig.logs)
    ended_well, seconds = with_sdk(rig, count)
    theirs = report("openstacksdk", count, ended_well, seconds, requests.by("openstacksdk"))
    print("requests of txstorage: {:.2f} of those of openstacksdk".format(ours / theirs))


@inlineCallbacks
def main(reactor, count="50"):
    rig = Rig()
    was_up = rig.is_up()
    with rig.held():
        try:
            rig.up()
            yield measured(reactor, rig, int(count))
        finally:
            if not was_up:
                rig.down()


if __name__ == "__main__":
    react(main, sys.argv[1:])
