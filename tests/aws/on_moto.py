"""The parts of the tests against moto: a server, and a driver on it."""

import atexit
import json
import os
import subprocess
import tempfile
from shutil import rmtree
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.python.filepath import FilePath

from txstorage._assembly import block_device_driver, drivers
from txstorage._devices.finder import DeviceFinder
from txstorage._http.connections import agent_for

from .support import clients

REGION, ZONE = "us-east-1", "us-east-1a"
WAITING = {"timeout": 30, "poll_interval": 0.05}
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "moto_server.py")
_running = []


class MotoServer:
    """
    A moto server, shared by all tests.

    :ivar str url: its address.
    :ivar list instances: the ids of two instances.
    """

    def __init__(self):
        command = [os.path.join(clients(), "python"), PROGRAM, REGION, ZONE]
        environ = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
        )
        atexit.register(self.stop)
        document = json.loads(self._process.stdout.readline().decode("ascii"))
        self.url, self.instances = document["url"], document["instances"]

    def stop(self):
        """Stop it."""
        if self._process.poll() is None:
            self._process.communicate()


def moto():
    """:return: the shared :class:`MotoServer`."""
    if not _running:
        _running.append(MotoServer())
    return _running[0]


class ImaginaryDevices(DeviceFinder):
    """
    Devices that appear and disappear when they are waited for: moto's instances are not machines.
    """

    def __init__(self, reactor, directory):
        DeviceFinder.__init__(self, reactor, directory=directory)
        self._directory = directory

    def find(self, volume_id, size, encrypted=False):
        """See :class:`DeviceFinder`."""
        with open(self._directory.child(volume_id).path, "ab") as made:
            made.truncate(size)
        return DeviceFinder.find(self, volume_id, size, encrypted)

    def wait_until_present(self, volume_id, size, encrypted=False, report=lambda failure: None):
        """See :class:`DeviceFinder`."""
        return maybeDeferred(self.find, volume_id, size, encrypted)

    def wait_until_gone(self, volume_id):
        """See :class:`DeviceFinder`."""
        device = self._directory.child(volume_id)
        if device.exists():
            device.remove()
        return DeviceFinder.wait_until_gone(self, volume_id)

    def wait_until_grown(self, volume_id, size, encrypted=False, report=lambda failure: None):
        """See :class:`DeviceFinder`."""
        return maybeDeferred(self.find, volume_id, size, encrypted)


def on_moto(test_case):
    """:return: a driver for a new cluster, on an instance of moto's."""
    directory = tempfile.mkdtemp(prefix="txstorage-test-")
    test_case.addCleanup(rmtree, directory, ignore_errors=True)
    test_case.patch(drivers, "DeviceFinder", ImaginaryDevices)
    agent = agent_for(reactor)
    test_case.addCleanup(agent.close)
    server = moto()
    return block_device_driver(
        reactor,
        uuid4(),
        agent=agent,
        region=REGION,
        zone=ZONE,
        access_key_id="AKIAMOTO",
        secret_access_key="s3cret",
        ec2_endpoint=server.url,
        instance_id=server.instances[0],
        device_directory=FilePath(directory).path,
        **WAITING,
    )
