"""
A waiting client of OpenStack's APIs: for setting the rig up, and for tests to act as another user.
"""

import json
import time
import urllib.error
import urllib.request

from .progress import RigError


class Refused(RigError):
    """
    A refused request.

    :ivar int status: the HTTP status.
    """

    def __init__(self, method, url, status, body):
        RigError.__init__(self, "{} {}: HTTP {}: {}".format(method, url, status, body[:500]))
        self.status = status


def exchange(method, url, body=None, headers=()):
    """
    :return: the response's headers, and its body: decoded JSON or ``None``.
    :raises Refused: for a status that means failure.
    """
    request = urllib.request.Request(
        url,
        None if body is None else json.dumps(body).encode(),
        {"Accept": "application/json", "Content-Type": "application/json", **dict(headers)},
        method=method,
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as response:
            said = response.read()
            return response.headers, json.loads(said) if said else None
    except urllib.error.HTTPError as error:
        raise Refused(method, url, error.code, error.read().decode(errors="replace")) from None


class Client:
    """
    A user logged in to a project.

    :ivar str project_id: the project's id.
    :ivar dict endpoints: the region's endpoints, by type of service.
    """

    def __init__(self, auth_url, region, username, password, project_name):
        domain = {"id": "default"}
        user = {"name": username, "domain": domain, "password": password}
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"name": project_name, "domain": domain}}
        headers, body = exchange(
            "POST", auth_url + "/auth/tokens", {"auth": {"identity": identity, "scope": scope}}
        )
        self._headers = {"X-Auth-Token": headers["X-Subject-Token"]}
        self.project_id = body["token"]["project"]["id"]
        self.endpoints = {
            entry["type"]: endpoint["url"]
            for entry in body["token"]["catalog"]
            for endpoint in entry["endpoints"]
            if (endpoint["interface"], endpoint["region_id"]) == ("public", region)
        }
        self.endpoints["identity"] = auth_url

    def request(self, method, service, path, body=None, **headers):
        """
        :param service: a type of service.
        :param path: the path below its endpoint.
        :param headers: with underscores for hyphens.
        :return: the body of the response.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.endpoints[service] + path
        return exchange(method, url, body, {**self._headers, **named})[1]

    def get(self, service, path):
        return self.request("GET", service, path)

    def post(self, service, path, body, **headers):
        return self.request("POST", service, path, body, **headers)

    def put(self, service, path, body=None):
        return self.request("PUT", service, path, body)

    def delete(self, service, path):
        return self.request("DELETE", service, path)

    def wait(self, service, path, status, seconds=120):
        """
        Wait until the item at a path has a status, or, with ``None``, until it is gone.

        :raises RigError: it failed, or took too long.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                [found] = self.get(service, path).values()
                seen = found["status"]
            except Refused as error:
                if error.status != 404:
                    raise
                seen = None
            if seen == status:
                return
            if "ERROR" in str(seen).upper() or time.monotonic() > end:
                raise RigError("{} is {}, and not {}".format(path, seen, status))
            time.sleep(0.2)

    def create_server(self, name):
        """
        Make a server, which boots from its own volume and has no network.

        :return: its id.
        """
        made = self.post("block-storage", "/volumes", {"volume": {"size": 1, "name": name}})
        volume = "/volumes/" + made["volume"]["id"]
        self.wait("block-storage", volume, "available")
        bootable = {"os-set_bootable": {"bootable": True}}
        self.post("block-storage", volume + "/action", bootable)
        root = {
            "boot_index": 0,
            "uuid": made["volume"]["id"],
            "source_type": "volume",
            "destination_type": "volume",
            "delete_on_termination": True,
        }
        server = {
            "name": name,
            "flavorRef": "1",
            "networks": "none",
            "block_device_mapping_v2": [root],
        }
        # the first microversion with servers without networks
        made = self.post(
            "compute", "/servers", {"server": server}, OpenStack_API_Version="compute 2.37"
        )
        self.wait("compute", "/servers/" + made["server"]["id"], "ACTIVE")
        return made["server"]["id"]

    def delete_server(self, server_id):
        """Delete a server; returns when it is gone."""
        self.delete("compute", "/servers/" + server_id)
        self.wait("compute", "/servers/" + server_id, None)
