"""
A cluster: Flocker's control service on the first node, and a dataset agent on each node, with
certificates of its own.
"""

from __future__ import annotations

import json
import os
import subprocess

import yaml

from ..nodes.machines.nodes import Nodes
from ..nodes.service import CONFIGURATION as OURS
from ..nodes.service import Service
from .units import AGENTS, API, CONFIGURATION, CONTROL, DATASETS, NATIVE, PLUGIN, SYSLOG

#: The agents of the nodes, by the names of the set-ups.
STOCK, ASYNCHRONOUS = "stock", "native"
SETUPS = {
    "stock": (STOCK, STOCK),
    "native": (ASYNCHRONOUS, ASYNCHRONOUS),
    "mixed": (STOCK, ASYNCHRONOUS),
}
DROP_IN = f"/etc/systemd/system/{DATASETS}.service.d/txstorage.conf"
#: Waits until a message has reached the system log: Flocker's tests only look for those that must
#: not.
LOGGED = """\
logger --tag node configured
timeout 30 sh -c "until grep -q 'node: configured' /var/log/messages; do sleep 0.1; done"
"""
#: Prints the state of the nodes whose agents are connected, JSON.
CONNECTED = """\
curl --silent --fail --cacert {0}/cluster.crt --cert {0}/plugin.crt --key {0}/plugin.key \
  https://{1}:{2}/v1/state/nodes
"""
#: The user of the tests, by Flocker's own name.
USER = "user"


class Cluster:
    """
    A cluster, up within the context.

    :param flocker: the :class:`~tests.acceptance.flockers.Flocker`.
    :param layers: the directories that the nodes' roots are overlays of.
    """

    def __init__(self, flocker, layers):
        self.flocker = flocker
        self.nodes = Nodes(layers)
        self.service = None
        self._off = set()

    def __enter__(self):
        self.nodes.up()
        try:
            self._begin()
        except BaseException:
            self.nodes.down()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.nodes.save_logs()
        finally:
            self.nodes.down()

    @property
    def control(self):
        """The node of the control service."""
        return self.nodes[1]

    @property
    def certificates(self):
        """The directory, on this machine, of the authority's and the users' certificates."""
        return self.nodes.within("certificates")

    def _begin(self):
        self.service = Service(self.nodes)
        self.service.start()
        os.mkdir(self.certificates, 0o700)
        self._certificate("initialize", "acceptance")
        self._certificate("create-api-certificate", USER)
        self._certificate("create-api-certificate", "plugin")
        address = self.control.address
        self._certificate("create-control-certificate", address)
        self._give(self.control, f"control-{address}", "control-service")
        for node in self.nodes:
            self._configure(node)
        self.control.run(f"systemctl enable --now {CONTROL}")

    # -- certificates ------------------------------------------------------

    def _certificate(self, *words):
        """:return: list of the names of the certificates that ``flocker-ca`` makes."""
        before = set(os.listdir(self.certificates))
        command = [self.flocker.python, "-W", "ignore", self.flocker.program("flocker-ca")]
        subprocess.run(
            [*command, *words], cwd=self.certificates, stdout=subprocess.DEVNULL, check=True
        )
        made = set(os.listdir(self.certificates)) - before
        return [name[: -len(".crt")] for name in made if name.endswith(".crt")]

    def _read(self, name):
        with open(os.path.join(self.certificates, name), "rb") as opened:
            return opened.read()

    def _give(self, node, name, as_name):
        """Give a node a certificate and its key."""
        for suffix in (".crt", ".key"):
            node.put(self._read(name + suffix), f"{CONFIGURATION}/{as_name}{suffix}", 0o600)

    # -- nodes -------------------------------------------------------------

    def dataset(self, node):
        """:return: the ``dataset`` section of a node's configuration, for this machine."""
        with open(self.service.agent_yml(node), encoding="utf-8") as opened:
            section = yaml.safe_load(opened)["dataset"]
        del section["cluster_id"]
        return {**section, "backend": "txstorage"}

    def _configure(self, node):
        self.service.configure(node)
        section = yaml.safe_load(node.pull(f"{OURS}/agent.yml"))["dataset"]
        del section["cluster_id"]
        control = {"hostname": self.control.address, "port": AGENTS}
        text = yaml.safe_dump(
            {
                "version": 1,
                "control-service": control,
                "dataset": {**section, "backend": "txstorage"},
            }
        )
        node.put(text.encode("ascii"), f"{CONFIGURATION}/agent.yml", 0o600)
        node.put(self._read("cluster.crt"), f"{CONFIGURATION}/cluster.crt", 0o600)
        [name] = self._certificate("create-node-certificate")
        self._give(node, name, "node")
        self._give(node, "plugin", "plugin")
        node.run("systemctl restart docker")
        node.run(f"systemctl enable --now {SYSLOG} && {LOGGED}")

    def admit(self, key):
        """Let the owner of an SSH key in, as root."""
        for node in self.nodes:
            node.run("mkdir -p -m 700 /root/.ssh && chmod 700 /root")
            node.put(key, "/root/.ssh/authorized_keys", 0o600)

    def use(self, setup):
        """
        Start the agents of a set-up, instead of the former ones.

        :param setup: a key of ``SETUPS``.
        """
        native = NATIVE.format(program=self.flocker.program("with-txstorage/" + DATASETS))
        for node, agent in zip(self.nodes, SETUPS[setup]):
            node.run(["rm", "-f", DROP_IN])
            if agent == ASYNCHRONOUS:
                node.put(native.encode("ascii"), DROP_IN)
            node.run(f"systemctl daemon-reload && systemctl enable --quiet {DATASETS} {PLUGIN}")
            node.run(f"systemctl restart {DATASETS} {PLUGIN}")

    def connected(self):
        """:return: the number of agents that are connected with the control service."""
        asked = CONNECTED.format(CONFIGURATION, self.control.address, API)
        output = self.control.run(asked, check=False).output
        return len(json.loads(output)) if output else 0

    # -- power -------------------------------------------------------------

    def look(self):
        """
        Connect the nodes' power with Compute: the server of a node that is off is stopped, and a
        node whose server is started again boots.
        """
        for node in self.nodes:
            if not node.is_off:
                self._off.discard(node)
            elif node not in self._off:
                self._off.add(node)
                self.service.stop_server(node)
            elif self.service.server_status(node) == "ACTIVE":
                self._off.discard(node)
                node.start(wait=False)
