"""Tests of a node's ``agent.yml``."""

from __future__ import annotations

import attr
import yaml
from twisted.trial.unittest import SynchronousTestCase

from txstorage._configuration.configuration import Configuration
from txstorage.embedded.agent_yml import Access, agent_configuration, as_yaml

from .support import MISSING, temporary_directory

ACCESS = Access(host="127.0.0.1", port=8780, password_file="/state/password", cluster_id=MISSING)


class AgentConfigurationTests(SynchronousTestCase):
    """Tests of :func:`agent_configuration`."""

    def test_whole(self) -> None:
        """The configuration has exactly the driver's keys, and names the password's file."""
        self.assertEqual(
            yaml.safe_load(as_yaml(agent_configuration(ACCESS, "node"))),
            {
                "version": 1,
                "control-service": {"hostname": "127.0.0.1"},
                "dataset": {
                    "backend": "txstorage",
                    "region": "txstorage",
                    "auth_plugin": "password",
                    "auth_url": "http://127.0.0.1:8780/identity/v3",
                    "username": "txstorage",
                    "password_file": "/state/password",
                    "project_name": "txstorage",
                    "user_domain_name": "Default",
                    "project_domain_name": "Default",
                    "cluster_id": MISSING,
                    "instance_id": "node",
                    "profiles": {"gold": "gold", "silver": "silver", "bronze": "bronze"},
                },
            },
        )

    def test_options(self) -> None:
        """TLS adds the certificate to trust, regular files their directory."""
        access = attr.evolve(ACCESS, certificate="/c.pem", device_directory="/state/devices")
        dataset = agent_configuration(access, "node")["dataset"]
        self.assertEqual(dataset["auth_url"], "https://127.0.0.1:8780/identity/v3")
        self.assertEqual(dataset["verify_ca_path"], "/c.pem")
        self.assertEqual(dataset["device_directory"], "/state/devices")

    def test_hosts(self) -> None:
        """A wildcard address is replaced by the loopback one, and an IPv6 address has brackets."""
        for host, expected in (
            ("0.0.0.0", "127.0.0.1"),
            ("::", "[::1]"),
            ("::1", "[::1]"),
            ("localhost", "localhost"),
        ):
            url = attr.evolve(ACCESS, host=host).auth_url
            self.assertEqual(url, f"http://{expected}:8780/identity/v3")

    def test_accepted(self) -> None:
        """The driver's configuration accepts the file unchanged."""
        directory = temporary_directory(self)
        path = directory + "/password"
        with open(path, "w") as opened:
            opened.write("p\n")
        access = attr.evolve(ACCESS, password_file=path, device_directory=directory)
        agent = directory + "/agent.yml"
        with open(agent, "w") as opened:
            opened.write(as_yaml(agent_configuration(access, MISSING)))
        configuration = Configuration.from_file(agent)
        self.assertEqual(configuration.instance_id, MISSING)
