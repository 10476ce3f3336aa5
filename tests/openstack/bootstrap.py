"""
The contents of a new cloud: users, the catalog, a flavor, volume types, quotas and servers; and the
check that the cloud works.
"""

import calendar
import os
import time

from .client import Client, Refused
from .configuration import BACKEND, policy
from .layout import HOST, HOST_6, IPV6_REGION, PAGED_REGION, REGION, ROLES, USERS, has_ipv6
from .progress import until

#: The volume types that the tests' profiles map to.
VOLUME_TYPES = ["rig-gold", "rig-silver", "rig-bronze"]
#: The volume type whose volumes are encrypted.
ENCRYPTED_TYPE = "rig-encrypted"
_ENCRYPTION = {
    "provider": "luks2",
    "control_location": "front-end",
    "cipher": "aes-xts-plain64",
    "key_size": 256,
}
#: How many volumes a project may have.
VOLUMES = {"demo": -1, "other": -1, "cramped": 1}
SERVERS = {"demo": ["node-1", "node-2"], "other": ["node-1"]}

SCHEDULED = {"cinder-scheduler", "cinder-volume"}
COMPUTING = {"nova-scheduler", "nova-conductor", "nova-compute"}


def client(layout, username):
    """:return: a :class:`~tests.openstack.client.Client` for one of :data:`USERS`."""
    password = layout.passwords[username]
    return Client(layout.auth_url, REGION, username, password, USERS[username])


def _ensure(admin, collection, key, wanted, unique):
    """:return: the id of an item of one of Keystone's collections, made unless it exists."""
    listed = admin.get("identity", "/" + collection)[collection]
    for found in listed:
        if all(found.get(name) == wanted[name] for name in unique):
            return found["id"]
    return admin.post("identity", "/" + collection, {key: wanted})[key]["id"]


def _register_users(layout, admin):
    listed = admin.get("identity", "/roles")["roles"]
    roles = {role["name"]: role["id"] for role in listed}
    for username, project_name in USERS.items():
        if username == "admin":
            continue
        project = {"name": project_name, "domain_id": "default"}
        project_id = _ensure(admin, "projects", "project", project, ["name"])
        user = {"name": username, "domain_id": "default", "password": layout.passwords[username]}
        user_id = _ensure(admin, "users", "user", user, ["name"])
        for role in ROLES.get(username, ("member",)):
            path = "/projects/{}/users/{}/roles/{}".format(project_id, user_id, roles[role])
            admin.put("identity", path)


def _catalog(layout):
    """Yield the type and the name of each service, its region and its URL."""
    for region, port, host in [
        (REGION, "cinder-api", HOST),
        (PAGED_REGION, "cinder-api-paged", HOST),
        (IPV6_REGION, "cinder-api", HOST_6),
    ]:
        volumes = layout.url(port, "/v3/%(project_id)s", host)
        yield "block-storage", "cinder", region, volumes
        yield "volumev3", "cinderv3", region, volumes
        yield "compute", "nova", region, layout.url("nova-api", "/v2.1", host)
    yield "placement", "placement", REGION, layout.url("placement")
    yield "network", "neutron", REGION, layout.url("neutron")


def _register_catalog(layout, admin):
    for region in (PAGED_REGION, IPV6_REGION):
        _ensure(admin, "regions", "region", {"id": region}, ["id"])
    for kind, name, region, url in _catalog(layout):
        service = {"type": kind, "name": name}
        service_id = _ensure(admin, "services", "service", service, ["type"])
        for interface in ("public", "internal", "admin"):
            endpoint = {"service_id": service_id, "interface": interface, "region_id": region}
            _ensure(
                admin, "endpoints", "endpoint", {**endpoint, "url": url}, sorted(endpoint)
            )


def register(layout):
    """Register users, services and endpoints in Keystone."""
    admin = client(layout, "admin")
    _register_users(layout, admin)
    _register_catalog(layout, admin)


def _alive(layout, admin, service, wanted):
    """
    Check that a service's processes have reported since they and RabbitMQ began; earlier reports
    mean
    nothing.
    """
    up = set()
    for found in admin.get(service, "/os-services")["services"]:
        if found["state"] == "up" and found["updated_at"]:
            reported = time.strptime(found["updated_at"][:19], "%Y-%m-%dT%H:%M:%S")
            since = [layout.run("pid", name) for name in (found["binary"], "rabbit")]
            if calendar.timegm(reported) >= max(int(os.path.getmtime(path)) for path in since):
                up.add(found["binary"])
    return wanted <= up or "up: {}".format(sorted(up))


def wait_until_healthy(layout, check):
    """
    Wait until volumes and servers can be made.

    :param check: called again and again; raises when waiting is in vain.
    """

    def healthy(function, *arguments):
        check()
        try:
            return function(client(layout, "admin"), *arguments)
        except Refused as error:
            # services that have just begun do not reach each other yet
            if error.status < 500:
                raise
            return error

    def lists(admin, service, path, key):
        return bool(admin.get(service, path)[key]) or "none yet"

    def alive(admin, *arguments):
        return _alive(layout, admin, *arguments)

    # A scheduler that is up refuses all volumes until it has heard of a back end.
    for what, *question in [
        ("Cinder's services report", alive, "block-storage", SCHEDULED),
        ("Cinder's scheduler knows " + BACKEND, lists)
        + ("block-storage", "/scheduler-stats/get_pools", "pools"),
        ("Nova's services report", alive, "compute", COMPUTING),
        ("Nova has its host", lists, "compute", "/os-hypervisors", "hypervisors"),
    ]:
        until(what, lambda: healthy(*question))


def furnish(layout):
    """
    Make the projects' servers.

    :return: dict of projects to the ids of their servers.
    """
    admin = client(layout, "admin")
    flavor = {"name": "tiny", "id": "1", "ram": 64, "vcpus": 1, "disk": 0}
    admin.post("compute", "/flavors", {"flavor": flavor})
    for name in VOLUME_TYPES:
        admin.post("block-storage", "/types", {"volume_type": {"name": name}})
    made = admin.post("block-storage", "/types", {"volume_type": {"name": ENCRYPTED_TYPE}})
    path = "/types/{}/encryption".format(made["volume_type"]["id"])
    admin.post("block-storage", path, {"encryption": _ENCRYPTION})
    servers = {}
    for username, volumes in VOLUMES.items():
        user = client(layout, username)
        quota = {"quota_set": {"volumes": volumes, "gigabytes": -1, "snapshots": -1}}
        admin.put("block-storage", "/os-quota-sets/" + user.project_id, quota)
        servers[username] = [user.create_server(name) for name in SERVERS.get(username, [])]
    return servers


def describe(layout, servers, control):
    """
    :param servers: the result of :func:`furnish`.
    :param control: the command that controls the rig.
    :return: the description of the cloud for tests, for JSON.
    """
    users = {
        username: {
            "username": username,
            "password": layout.passwords[username],
            "project_name": USERS[username],
            "project_id": client(layout, username).project_id,
        }
        for username in ("admin", "reader", *VOLUMES)
    }
    return {
        "auth_url": layout.auth_url,
        "short_auth_url": layout.url("keystone-short", "/v3"),
        "region": REGION,
        "paged_region": PAGED_REGION,
        "ipv6": {
            "auth_url": layout.url("keystone", "/v3", HOST_6),
            "region": IPV6_REGION,
        }
        if has_ipv6()
        else None,
        "volume_types": VOLUME_TYPES,
        "encrypted_type": ENCRYPTED_TYPE,
        "users": users,
        "servers": servers,
        "control": control,
        "logs": layout.run("log"),
        "programs": layout.path("venv", "bin"),
        "policies": {name: policy(layout, name) for name in ("cinder", "nova")},
    }

