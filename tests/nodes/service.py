"""
The embedded service of a run, on the operator's side: its volumes are loop devices, which all nodes
see.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys

import yaml

from .machines.node import PATIENCE, NodeError

READY = b"txstorage ready: "
PORT = 8780
#: The directory of the configuration on a node, which ``txstorage`` finds there.
CONFIGURATION = "/etc/txstorage"
#: The keys of the configuration that name files, and these files' names on a node.
FILES = {"password_file": "password", "verify_ca_path": "ca.pem"}


class Service:
    """
    The service, not running at first.

    :param nodes: the :class:`~tests.nodes.machines.nodes.Nodes`.
    """

    def __init__(self, nodes):
        self._nodes = nodes
        self._process = None
        self.state = nodes.within("service")
        self.log = nodes.within("service.log")

    # -- process -----------------------------------------------------------

    @property
    def pid(self):
        """The process id of the running service; ``None`` when it does not run."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    def start(self, *options):
        """
        Start the service on its state directory, and wait until it accepts connections.

        :param options: of ``txstorage serve``, besides those that the nodes need.
        :raises NodeError: it does not start.
        """
        words = [sys.executable, "-m", "txstorage.cli", "serve", "--until-input-ends", "--tls"]
        words += ["--state-dir", self.state, "--port", str(PORT)]
        words += ["--host", self._nodes.operator.address, "--devices", "loop"]
        for node in self._nodes:
            words += ["--node", node.name]
        with open(self.log, "ab") as log:
            self._process = self._nodes.operator.spawn(
                [*words, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        self._wait_until_ready()

    def _wait_until_ready(self):
        said = b""
        output = self._process.stdout
        while not any(line.startswith(READY) for line in said.splitlines()):
            ready = select.select([output], [], [], PATIENCE)[0]
            data = os.read(output.fileno(), 4096) if ready else b""
            if not data:
                self.kill()
                with open(self.log, errors="replace") as log:
                    raise NodeError("the service did not start:\n" + log.read())
            said += data

    def stop(self):
        """Stop the service in order; attached volumes stay attached."""
        self._process.stdin.close()
        self._ended()

    def kill(self):
        """Kill the service, as ``kill -9`` does."""
        self._process.kill()
        self._process.stdin.close()
        self._ended()

    def _ended(self):
        self._process.wait()
        self._process.stdout.close()

    # -- nodes -------------------------------------------------------------

    def agent_yml(self, node):
        """:return: the path, on this machine, of a node's ``agent.yml``."""
        return os.path.join(self.state, f"agent-{node.name}.yml")

    def _configuration(self, node):
        with open(self.agent_yml(node), encoding="utf-8") as opened:
            return yaml.safe_load(opened)

    def instance_id(self, node):
        """:return: the id of a node's server."""
        return self._configuration(node)["dataset"]["instance_id"]

    def configure(self, node, **changes):
        """
        Give a node that is up its ``agent.yml``, with the files that this names.

        :param changes: keys and values of its ``dataset`` section.
        """
        configuration = self._configuration(node)
        dataset = configuration["dataset"]
        for key, name in FILES.items():
            with open(dataset[key], "rb") as opened:
                node.put(opened.read(), f"{CONFIGURATION}/{name}", 0o600)
            dataset[key] = f"{CONFIGURATION}/{name}"
        dataset.update(changes)
        text = yaml.safe_dump(configuration, sort_keys=False)
        node.put(text.encode("utf-8"), f"{CONFIGURATION}/agent.yml", 0o600)

    def server_status(self, node, *actions):
        """
        :param node: a node, which may be off.
        :param actions: actions to carry out before.
        :return: the status of its server: ``ACTIVE`` or ``SHUTOFF``.
        """
        words = [sys.executable, "-m", "tests.nodes.servers", self.agent_yml(node)]
        process = self._nodes.operator.spawn(
            [*words, self.instance_id(node), *actions],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        output, errors = process.communicate()
        if process.returncode:
            raise NodeError(f"{node.name}: {' '.join(actions)}: {errors}")
        return output.strip()

    def stop_server(self, node):
        """Report to the cloud that a node is off, as a cloud notices it: ``SHUTOFF``."""
        return self.server_status(node, "os-stop")

    def start_server(self, node):
        """Report to the cloud that a node runs: ``ACTIVE``."""
        return self.server_status(node, "os-start")
