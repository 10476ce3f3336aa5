# -*- test-case-name: tests.embedded.test_agent_yml -*-
"""The ``agent.yml`` for clients of the embedded service."""

from __future__ import annotations

from typing import Any

import attr
import yaml

from .._support.addresses import in_brackets
from .settings import DOMAIN, PROJECT, REGION, USER

#: The wildcard addresses.  The devices are this machine's, so an agent is on this
#: machine too.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def reachable(host: str) -> str:
    """The host by which an agent reaches a service that listens on an address."""
    return _LOOPBACK.get(host, host)


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class Access:
    """
    The address and the trust of the service.

    :ivar cluster_id: of the one cluster that the nodes form.
    :ivar certificate: path of the certificate to trust; ``None`` without TLS.
    :ivar device_directory: the directory of the regular files that stand for devices; ``None`` with
        real devices.
    """

    host: str
    port: int
    password_file: str
    cluster_id: str
    certificate: str | None = None
    device_directory: str | None = None

    @property
    def auth_url(self) -> str:
        """The URL of Identity."""
        host = reachable(self.host)
        return "{}://{}:{}/identity/v3".format(
            "https" if self.certificate else "http",
            in_brackets(host),
            self.port,
        )


def agent_configuration(access: Access, instance_id: str) -> dict[str, Any]:
    """
    One node's ``agent.yml``, which names the file with the password and does not contain it.

    :param instance_id: the node's.
    """
    dataset = {
        "backend": "txstorage",
        "region": REGION,
        "auth_plugin": "password",
        "auth_url": access.auth_url,
        "username": USER,
        "password_file": access.password_file,
        "project_name": PROJECT,
        "user_domain_name": DOMAIN["name"],
        "project_domain_name": DOMAIN["name"],
        "cluster_id": access.cluster_id,
        "instance_id": instance_id,
    }
    if access.certificate is not None:
        dataset["verify_ca_path"] = access.certificate
    if access.device_directory is not None:
        dataset["device_directory"] = access.device_directory
    return {"version": 1, "control-service": {"hostname": "127.0.0.1"}, "dataset": dataset}


def as_yaml(configuration: dict[str, Any]) -> str:
    """The text of an ``agent.yml``."""
    text: str = yaml.safe_dump(configuration, sort_keys=False)
    return text
