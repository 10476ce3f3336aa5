"""
A whole Flocker: its control service and the dataset agents of two nodes, with
certificates of their own, creating, moving and deleting datasets.

Each agent runs in a mount namespace of its own, so that a file system which is
mounted on one node is not on the other, and none outlives its agent.
"""

from __future__ import absolute_import, division, print_function

import json
import os
import signal
import socket
import subprocess
import sys
from uuid import UUID, uuid4

import yaml
from flocker.ca import (
    ControlCredential,
    NodeCredential,
    RootCredential,
    UserCredential,
    treq_with_authentication,
)
from twisted.internet import reactor
from twisted.internet.defer import gatherResults, inlineCallbacks, returnValue
from twisted.internet.task import deferLater
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SkipTest, TestCase
from twisted.web.http import CREATED, OK

from txstorage.driver.labels import SUPERSEDED, dataset_labels

from ..helpers.child import EmbeddedService
from .support import GIB, made_by_flocker

MOUNTS = FilePath("/flocker")
NODES = ("node-1", "node-2")
#: The commands that start the two agents.
STOCK = "from flocker.node.script import flocker_dataset_agent_main as main"
NATIVE = "from txstorage.flocker.dataset_agent import main"
CONTROL = "from flocker.control.script import flocker_control_main as main"
#: A directory without packages, as Python 2 looks for packages in its working directory.
_CODE = "import sys; sys.path[:] = [p for p in sys.path if p]; {}; sys.exit(main())"

LOOK_EVERY = 0.3
PATIENCE = 90.0


def free_ports(many):
    """:return: a list of unused TCP ports."""
    sockets = [socket.socket() for _ in range(many)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Cluster(object):
    """
    :param TestCase test_case: all processes end with the test.
    :param text main: the agent to run, ``STOCK`` or ``NATIVE``.
    """

    def __init__(self, test_case, main):
        self._test_case = test_case
        self._main = main
        self._directory = FilePath(os.path.abspath(test_case.mktemp()))
        self._directory.makedirs()
        self._ports = free_ports(2)
        self.cluster_id = uuid4()
        self._processes = {}
        self.node_ids = {name: str(uuid4()) for name in NODES}
        self.service = EmbeddedService()
        test_case.addCleanup(self.service.remove)
        self.service.start()

    # -- its parts -------------------------------------------------------------

    def start(self):
        """Start the control service and an agent on each node."""
        if not MOUNTS.exists():
            MOUNTS.makedirs()
            self._test_case.addCleanup(MOUNTS.remove)
        root = RootCredential.initialize(
            self._made("root"), b"txstorage", cluster_id=self.cluster_id
        )
        self._start_control(root)
        for name in NODES:
            self._configure(name, root)
            self.start_agent(name)
        UserCredential.initialize(self._directory.child("root"), root, u"tester")
        self._http = treq_with_authentication(
            reactor,
            *[self._directory.child("root").child(n) for n in self._files("cluster", "tester")]
        )

    @staticmethod
    def _files(authority, who):
        return [authority + ".crt", who + ".crt", who + ".key"]

    def _made(self, name):
        path = self._directory.child(name)
        path.makedirs()
        return path

    def _credentials(self, name, as_name, path):
        """Rename a credential's files as its reader requires, and add the authority's."""
        for suffix in (".crt", ".key"):
            path.child(name + suffix).moveTo(path.child(as_name + suffix))
        self._directory.child("root").child("cluster.crt").copyTo(path.child("cluster.crt"))

    def _start_control(self, root):
        path = self._made("control")
        ControlCredential.initialize(path, root, b"localhost")
        self._credentials("control-localhost", "control-service", path)
        api, agents = ["tcp:{}:interface=127.0.0.1".format(port) for port in self._ports]
        options = ["--port", api, "--agent-port", agents, "--data-path", path.child("data").path]
        self._run("control", [], CONTROL, options + ["--certificates-directory", path.path])

    def _configure(self, name, root):
        path = self._made(name)
        NodeCredential.initialize(path, root, uuid=self.node_ids[name])
        self._credentials(self.node_ids[name], "node", path)
        dataset = dict(self.service.configuration(name), backend="txstorage", poll_interval=0.1)
        del dataset["cluster_id"]
        control = {"hostname": "localhost", "port": self._ports[1]}
        path.child("agent.yml").setContent(
            yaml.safe_dump({"version": 1, "control-service": control, "dataset": dataset})
        )

    def start_agent(self, name):
        """Start a node's agent."""
        agent = self._directory.child(name).child("agent.yml").path
        apart = ["unshare", "--mount", "--propagation", "private"]
        self._run(name, apart, self._main, ["--agent-config", agent])

    def _run(self, name, prefix, main, options):
        log = self._directory.child(name + ".log").open("ab")
        process = subprocess.Popen(
            prefix + [sys.executable, "-W", "ignore", "-c", _CODE.format(main)] + options,
            stdout=log,
            stderr=log,
        )
        log.close()
        self._test_case.addCleanup(self._end, process)
        self._processes[name] = process

    @staticmethod
    def _end(process, how=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(how)
        process.wait()

    def kill_agent(self, name):
        """Kill an agent, like a power failure."""
        self._end(self._processes[name], signal.SIGKILL)

    def log_of(self, name):
        """:return: the Eliot messages of a process."""
        with self._directory.child(name + ".log").open() as log:
            return [json.loads(line) for line in log if line.startswith(b"{")]

    # -- its use ---------------------------------------------------------------

    @inlineCallbacks
    def _request(self, method, path, body=None):
        url = b"https://localhost:{}/v1/{}".format(self._ports[0], path)
        response = yield self._http.request(
            method,
            url,
            data=None if body is None else json.dumps(body),
            headers={b"content-type": b"application/json"},
            persistent=False,
        )
        content = yield response.content()
        if response.code not in (OK, CREATED):
            raise RuntimeError("{} {}: {} {}".format(method, url, response.code, content))
        returnValue(json.loads(content))

    def create(self, node, metadata=None):
        """Request a dataset on a node; fires with its id."""
        body = {u"primary": self.node_ids[node], u"maximum_size": GIB, u"metadata": metadata or {}}
        d = self._request(b"POST", b"configuration/datasets", body)
        return d.addCallback(lambda answer: answer[u"dataset_id"])

    def move(self, dataset_id, node):
        """Request the move of a dataset to another node."""
        path = b"configuration/datasets/{}".format(dataset_id)
        return self._request(b"POST", path, {u"primary": self.node_ids[node]})

    def delete(self, dataset_id):
        """Request the deletion of a dataset."""
        return self._request(b"DELETE", b"configuration/datasets/{}".format(dataset_id))

    @inlineCallbacks
    def until(self, is_so):
        """
        Wait until the cluster is in a state.

        :param is_so: called with a dict of dataset id to its state.
        """
        deadline = reactor.seconds() + PATIENCE
        found = None
        while reactor.seconds() < deadline:
            self._assert_alive()
            try:
                states = yield self._request(b"GET", b"state/datasets")
            except Exception as error:  # the control service may still be starting
                found = error
            else:
                found = {state[u"dataset_id"]: state for state in states}
                if is_so(found):
                    returnValue(found)
            yield deferLater(reactor, LOOK_EVERY, lambda: None)
        raise RuntimeError("Not so in {} s: {!r}".format(PATIENCE, found))

    def _assert_alive(self):
        for name, process in self._processes.items():
            if process.poll() is not None:
                said = self._directory.child(name + ".log").getContent()[-2000:]
                raise RuntimeError("{} ended: {}".format(name, said))

    def until_logged(self, name, text):
        """Wait until a process has logged a text."""
        return self.until(lambda _: text in json.dumps(self.log_of(name)))

    def until_logged_anywhere(self, text):
        """Wait until an agent of any node has logged a text."""
        return self.until(lambda _: any(text in json.dumps(self.log_of(name)) for name in NODES))

    def until_on(self, dataset_ids, node):
        """Wait until datasets are mounted on a node."""
        where = self.node_ids[node]
        return self.until(
            lambda found: all(
                found.get(dataset_id, {}).get(u"primary") == where for dataset_id in dataset_ids
            )
        )

    def until_gone(self, dataset_ids):
        """Wait until datasets no longer exist."""
        return self.until(lambda found: not set(dataset_ids) & set(found))

    def directory(self, node, dataset_id):
        """:return: ``FilePath`` of a mounted dataset, as its node sees it."""
        root = FilePath("/proc/{}/root".format(self._processes[node].pid))
        return root.descendant(MOUNTS.segmentsFrom(FilePath("/")) + [str(dataset_id)])


class DatasetsMixin(object):
    """
    The tests of a cluster.

    :cvar main: the command that starts an agent.
    """

    timeout = 300

    def setUp(self):
        if os.getuid() != 0:
            raise SkipTest("loop devices and mount namespaces need root")
        self.cluster = Cluster(self, self.main)

    @inlineCallbacks
    def made(self, many, node="node-1"):
        """Create datasets that are mounted on a node and hold a file; fires with their ids."""
        ids = yield gatherResults([self.cluster.create(node) for _ in range(many)])
        yield self.cluster.until_on(ids, node)
        for dataset_id in ids:
            self.cluster.directory(node, dataset_id).child("data").setContent(str(dataset_id))
        returnValue(ids)

    def assert_holds(self, node, dataset_id):
        """Assert that a dataset still holds its file, in a file system of its own."""
        mounted = self.cluster.directory(node, dataset_id)
        self.assertTrue(os.path.ismount(mounted.path))
        self.assertEqual(str(dataset_id), mounted.child("data").getContent())

    def volumes(self):
        """:return: the cluster's volumes in the cloud."""
        cluster = self.cluster
        return made_by_flocker(self, cluster.cluster_id, cluster.service).list_volumes()

    @inlineCallbacks
    def test_life(self):
        """Datasets are created, keep their files, move to another node, and are deleted."""
        cluster = self.cluster
        cluster.start()
        yield cluster.until(lambda found: True)
        ids = yield self.made(3)
        yield gatherResults([cluster.move(dataset_id, "node-2") for dataset_id in ids])
        yield cluster.until_on(ids, "node-2")
        for dataset_id in ids:
            self.assert_holds("node-2", dataset_id)
            self.assertFalse(os.path.ismount(cluster.directory("node-1", dataset_id).path))
        # moved back: the devices have changed, and no path may be an old one
        yield gatherResults([cluster.move(dataset_id, "node-1") for dataset_id in reversed(ids)])
        yield cluster.until_on(ids, "node-1")
        for dataset_id in ids:
            self.assert_holds("node-1", dataset_id)
        yield gatherResults([cluster.delete(dataset_id) for dataset_id in ids])
        yield cluster.until_gone(ids)
        self.assertEqual([], self.volumes())

    @inlineCallbacks
    def test_extra_volume(self):
        """
        A second volume with a dataset's label, made through the cloud's API, is not used: neither
        while the dataset lives and moves, nor after its deletion, when the volume is an orphan.
        """
        cluster = self.cluster
        cluster.start()
        yield cluster.until(lambda found: True)
        [dataset_id] = yield self.made(1)
        [used] = self.volumes()
        another, _ = cluster.service.driver(self, uuid4())
        extra = yield another.create_volume(uuid4(), GIB)
        labels = dataset_labels(cluster.cluster_id, UUID(dataset_id))
        yield another._service.set_labels(extra.blockdevice_id, labels)
        yield cluster.move(dataset_id, "node-2")
        yield cluster.until_on([dataset_id], "node-2")
        self.assert_holds("node-2", dataset_id)
        yield cluster.until_logged_anywhere(u"txstorage:list:second_marked")
        yield cluster.delete(dataset_id)
        yield cluster.until_gone([dataset_id])
        yield cluster.until_logged_anywhere(u"txstorage:list:orphan")
        self.assertEqual([], self.volumes())
        left = yield another._service.get_volume(extra.blockdevice_id)
        self.assertEqual(
            (u"available", used.blockdevice_id), (left.status, left.labels[SUPERSEDED])
        )

    @inlineCallbacks
    def test_cloud_down_at_start(self):
        """An agent starts while its cloud is down, and needs no restart when the cloud is up."""
        cluster = self.cluster
        cluster.service.kill()
        cluster.start()
        yield cluster.until(lambda found: True)
        asked = yield cluster.create("node-1")
        yield cluster.until_logged("node-1", u"Unreachable")
        cluster.service.start()
        yield cluster.until_on([asked], "node-1")

    @inlineCallbacks
    def test_agent_killed(self):
        """After an agent was killed, another uses the same datasets and creates no second ones."""
        cluster = self.cluster
        cluster.start()
        yield cluster.until(lambda found: True)
        ids = yield self.made(1)
        another = yield cluster.create("node-1")
        cluster.kill_agent("node-1")
        cluster.start_agent("node-1")
        yield cluster.until_on([another], "node-1")
        # no file system is mounted any more, as the mount namespace is gone
        yield cluster.until_on(ids, "node-1")
        yield cluster.until(
            lambda _: os.path.ismount(cluster.directory("node-1", ids[0]).path)
        )
        self.assert_holds("node-1", ids[0])
        self.assertEqual(2, len(self.volumes()))


class StockAgentTests(DatasetsMixin, TestCase):
    """``flocker-dataset-agent``."""

    main = STOCK


class AsynchronousAgentTests(DatasetsMixin, TestCase):
    """``txstorage-dataset-agent``."""

    main = NATIVE
