"""
The embedded service as a child process, for tests that need a real wire.

It runs on Python 3 also when the tests run on 2.7: ``TXSTORAGE_PYTHON3`` names
the interpreter, and ``make test`` sets it.
"""

from __future__ import absolute_import, division, print_function

import atexit
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from uuid import UUID, uuid4

import yaml
from twisted.internet import reactor
from twisted.trial.unittest import SkipTest

from txstorage._assembly import block_device_driver
from txstorage._http.connections import agent_for
from txstorage._support.compat import PY2
from txstorage.testing import (
    FaultyAgent,
    block_device_size,
    make_iblockdeviceasyncapi_tests,
    regular_file_size,
)

from .imports import ROOT
from .loops import detach_below
from .wire import retry_soon

READY = b"txstorage ready: "
#: The beginning of the lines with the addresses of the EC2 face.
EC2 = b"# ec2: "
#: See :mod:`.warm_service`, which 2.7 can't import.
STARTED, ENDED = b"txstorage started: ", b"txstorage ended"

#: The shortest waits, in seconds, that the service allows: the duration of a transition is not
#: under test.  A status lasts less than the time between two polls, so that most operations
#: poll once, and a test that goes through every exchange has few alike.
TRANSITION_DELAY = 0.02
WAITING = {"timeout": 30, "poll_interval": 0.05}


def python_3():
    """:return: the path of a Python 3 that has the embedded service."""
    interpreter = os.environ.get("TXSTORAGE_PYTHON3", None if PY2 else sys.executable)
    if interpreter is None:
        raise SkipTest("TXSTORAGE_PYTHON3 names no Python 3 to run the embedded service on")
    return interpreter


def faulty_driver(test_case, cluster_id, configuration):
    """
    :param cluster_id: ``None`` for a new cluster.
    :param dict configuration: keys and values, without ``cluster_id``.
    :return: an asynchronous driver, and its :class:`~txstorage.testing.FaultyAgent`.
    """
    agent = agent_for(reactor)
    test_case.addCleanup(agent.close)
    faulty = FaultyAgent(reactor, agent)
    driver = block_device_driver(reactor, cluster_id or uuid4(), agent=faulty, **configuration)
    return driver, faulty


#: The processes that have imported the service, and run none at the moment.
_idle = []


def start_warm():
    """:return: a ``Popen``: a process that forks a service for each line of its input."""
    path = [path for path in (ROOT, os.environ.get("PYTHONPATH")) if path]
    return subprocess.Popen(
        [python_3(), "-m", "tests.helpers.warm_service"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # on 2.7, another child would hold this one's input open
        close_fds=True,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(path)),
    )


@atexit.register
def end_warm():
    """End the processes that run no service."""
    while _idle:
        process = _idle.pop()
        process.stdin.close()
        process.stdout.close()
        process.wait()


class EmbeddedService(object):
    """
    One embedded service, with loop devices as root and regular files otherwise.

    :param options: more options of ``txstorage serve``.
    """

    def __init__(self, *options):
        self.state = tempfile.mkdtemp(prefix="txstorage-test-")
        self.loop_devices = os.getuid() == 0
        self._options = ["--devices", "loop" if self.loop_devices else "file"]
        self._options += ["--transition-delay", str(TRANSITION_DELAY)] + list(options)
        self._warm = None
        self._pid = None
        self._port = 0
        self._ec2 = None
        atexit.register(self.remove)

    @property
    def pid(self):
        """The running service's process id; ``None`` between a kill and the next start."""
        return self._pid

    def start(self, *options):
        """
        Start it at the same address as before; returns when it is ready.

        :param options: more options of ``txstorage serve``, for this start.
        """
        log = os.path.join(self.state, "stderr")
        if self._warm is None:
            self._warm = _idle.pop() if _idle else start_warm()
        arguments = ["--state-dir", self.state, "--port", str(self._port)] + self._options
        arguments += options
        order = json.dumps({"arguments": arguments, "log": log})
        self._warm.stdin.write(order.encode("utf-8") + b"\n")
        self._warm.stdin.flush()
        for line in iter(self._warm.stdout.readline, b""):
            if line.startswith(STARTED):
                self._pid = int(line[len(STARTED) :])
            elif line.startswith(EC2) and b"AWS_ENDPOINT_URL=" in line:
                self._ec2 = line.partition(b"AWS_ENDPOINT_URL=")[2].split()[0].decode("ascii")
            elif line.startswith(READY):
                self._port = int(line.rpartition(b":")[2].split(b"/")[0])
                return
            elif line.rstrip() == ENDED:
                self._pid = None
                break
        with open(log) as said:
            raise RuntimeError("the embedded service did not start: " + said.read())

    def _end(self, how):
        if self._pid is not None:
            pid, self._pid = self._pid, None
            try:
                os.kill(pid, how)
            except OSError as error:
                # An interrupt from the keyboard has ended it, too.
                if error.errno != errno.ESRCH:
                    raise
            for line in iter(self._warm.stdout.readline, b""):
                if line.rstrip() == ENDED:
                    return

    def kill(self):
        """Kill it, as a power failure would."""
        self._end(signal.SIGKILL)

    def remove(self):
        """End it, and remove everything it made, loop devices too."""
        self._end(signal.SIGTERM)
        if self._warm is not None:
            _idle.append(self._warm)
            self._warm = None
        if self.loop_devices:
            detach_below(self.state)
        shutil.rmtree(self.state, ignore_errors=True)

    def configuration(self, node="node-1"):
        """:return: the ``dataset`` section of a node's ``agent.yml``."""
        with open(os.path.join(self.state, "agent-{}.yml".format(node))) as agent:
            dataset = yaml.safe_load(agent)["dataset"]
        del dataset["backend"]
        return dataset

    def driver(self, test_case, cluster_id=None, node="node-1", **changes):
        """
        :return: a driver for one of the nodes, and its :class:`~txstorage.testing.FaultyAgent`.
        """
        configuration = self.configuration(node)
        del configuration["cluster_id"]
        configuration.update(WAITING, **changes)
        retry_soon(test_case)
        return faulty_driver(test_case, cluster_id, configuration)

    def ec2_configuration(self, node="node-1"):
        """:return: the configuration of a node's driver on the EC2 face, without the cluster."""
        with open(os.path.join(self.state, "ec2-credentials")) as opened:
            lines = [line.partition(" = ") for line in opened.read().splitlines()]
        key = {name: value for name, separator, value in lines if separator}
        configuration = {
            "region": "txstorage-1",
            "zone": "txstorage-1a",
            "access_key_id": key["aws_access_key_id"],
            "secret_access_key": key["aws_secret_access_key"],
            "ec2_endpoint": self._ec2,
            "instance_id": ec2_id("i", self.configuration(node)["instance_id"]),
        }
        if not self.loop_devices:
            configuration["device_directory"] = self.configuration(node)["device_directory"]
        return configuration

    def ec2_driver(self, test_case, cluster_id=None, node="node-1", **changes):
        """:return: as :meth:`driver`, on the EC2 face, which needs the option ``--ec2-port``."""
        configuration = dict(self.ec2_configuration(node), **WAITING)
        configuration.update(changes)
        retry_soon(test_case)
        return faulty_driver(test_case, cluster_id, configuration)

    @property
    def device_size(self):
        """The function that reads the size of one of the service's devices."""
        return block_device_size if self.loop_devices else regular_file_size

    def cluster_id(self):
        return UUID(self.configuration()["cluster_id"])


def ec2_id(kind, uuid):
    """:return: EC2's id of a volume (``vol``), a node (``i``) or a snapshot (``snap``)."""
    return u"{}-{}".format(kind, uuid.replace("-", "")[:17])


GIB = 2**30
NOBODY = u"00000000-0000-4000-8000-000000000000"


#: Returns the size of a device of the service, in bytes.
device_size = block_device_size if os.getuid() == 0 else regular_file_size


def contract(factory, make=make_iblockdeviceasyncapi_tests, nobody=NOBODY, **options):
    """
    :param text nobody: an id that no volume has.
    :return: the contract suite for the drivers of a factory, which makes one for each cluster.
    """
    return make(
        api_factory=factory,
        minimum_allocatable_size=GIB,
        device_allocation_unit=GIB,
        unknown_blockdevice_id_factory=lambda test_case: nobody,
        device_size=device_size,
        other_cluster_factory=factory,
        **options
    )


_shared = {}


def shared_service(transition_delay=TRANSITION_DELAY, *options):
    """
    :param float transition_delay: seconds that a volume stays in a transient status.
    :param options: more options of ``txstorage serve``.
    :return: an :class:`EmbeddedService` shared by the tests that do not break it.
    """
    key = (transition_delay,) + options
    if key not in _shared:
        service = EmbeddedService("--transition-delay", str(transition_delay), *options)
        service.start()
        _shared[key] = service
    return _shared[key]
