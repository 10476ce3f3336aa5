"""
The servers of the embedded service, from the operator's network namespace::

    python3 -m tests.nodes.servers AGENT_YML SERVER_ID [os-stop|os-start]

Carries out the action, and prints the server's status.
"""

from __future__ import annotations

import os
import sys

import yaml

from ..openstack.client import Client


def client(agent_yml):
    """
    :param agent_yml: the path of a node's ``agent.yml``.
    :return: a client with the rights of that node.
    """
    with open(agent_yml, encoding="utf-8") as opened:
        dataset = yaml.safe_load(opened)["dataset"]
    with open(dataset["password_file"], encoding="utf-8") as opened:
        password = opened.read().rstrip("\n")
    # read when the first connection is made
    os.environ["SSL_CERT_FILE"] = dataset["verify_ca_path"]
    names = (dataset["region"], dataset["username"], password, dataset["project_name"])
    return Client(dataset["auth_url"], *names)


def main(agent_yml, server_id, *actions):
    compute = client(agent_yml)
    path = "/servers/" + server_id
    for action in actions:
        compute.post("compute", path + "/action", {action: None})
    print(compute.get("compute", path)["server"]["status"])


if __name__ == "__main__":
    main(*sys.argv[1:])
