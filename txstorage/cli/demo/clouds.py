# -*- test-case-name: tests.cli.demo.test_clouds -*-
"""
The clouds whose APIs the embedded service speaks, and a node's configuration for each.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Callable, Sequence
from typing import Any

import attr
import yaml

from ...embedded.agent_yml import as_yaml
from ...embedded.apis.ec2.ids import INSTANCE
from ...embedded.disk import write_private
from ...embedded.settings import EC2Settings
from .embedded_process import EmbeddedServiceProcess, ServiceNotStarted

#: The keys of a node's ``agent.yml`` that mean the same on all clouds.
_SHARED = ("backend", "cluster_id", "device_directory", "verify_ca_path")
_ENDPOINT = re.compile(r"\bAWS_ENDPOINT_URL=(\S+)")
_CREDENTIALS = re.compile(r"\bAWS_SHARED_CREDENTIALS_FILE=(\S+)")


@attr.s(frozen=True, auto_attribs=True)
class DemoCloud:
    """
    One of the clouds.

    :ivar options: of ``txstorage serve``.
    :ivar address: called with the started service; returns the address of the cloud's API.
    :ivar agent_yml: called with the started service and a node's name; returns the path of the
        node's configuration.
    """

    options: Sequence[str]
    address: Callable[[EmbeddedServiceProcess], str]
    agent_yml: Callable[[EmbeddedServiceProcess, str], str]


def ec2_dataset(dataset: dict[str, Any], output: str) -> dict[str, Any]:
    """
    Return a node's configuration on the EC2 face.

    :param dataset: the node's configuration on OpenStack's.
    :param output: of ``txstorage serve --ec2-port``.
    :raises ServiceNotStarted: the output names no EC2 face.
    """
    settings = EC2Settings()
    credentials = configparser.ConfigParser()
    credentials.read(_named(_CREDENTIALS, output), encoding="ascii")
    return {
        **{name: dataset[name] for name in _SHARED if name in dataset},
        "auth_plugin": "ec2",
        "region": settings.region,
        "zone": settings.zones[0],
        "access_key_id": credentials["default"]["aws_access_key_id"],
        "secret_access_key": credentials["default"]["aws_secret_access_key"],
        "ec2_endpoint": _named(_ENDPOINT, output),
        "instance_id": INSTANCE.of(dataset["instance_id"]),
    }


def _named(pattern: re.Pattern[str], output: str) -> str:
    found = pattern.search(output)
    if found is None:
        raise ServiceNotStarted("The embedded service has started without an EC2 face")
    return found.group(1)


def _ec2_agent_yml(service: EmbeddedServiceProcess, node: str) -> str:
    """Write a node's configuration beside the one that the service has written."""
    path = service.agent_yml(node)
    with open(path, encoding="utf-8") as opened:
        agent = yaml.safe_load(opened)
    agent["dataset"] = ec2_dataset(agent["dataset"], service.output)
    written = os.path.join(os.path.dirname(path), f"ec2-{node}.yml")
    write_private(written, as_yaml(agent).encode("utf-8"))
    return written


#: The clouds by the names that ``--cloud`` has for them.
CLOUDS = {
    "openstack": DemoCloud(
        (), lambda service: service.address, lambda service, node: service.agent_yml(node)
    ),
    "ec2": DemoCloud(
        ("--ec2-port", "0"), lambda service: _named(_ENDPOINT, service.output), _ec2_agent_yml
    ),
}
DEFAULT = "openstack"

__all__ = ["CLOUDS", "DEFAULT", "DemoCloud", "ec2_dataset"]
