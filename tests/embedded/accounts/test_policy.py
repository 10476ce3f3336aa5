"""Tests of the policy: what exists for a user, and what a role allows."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis.strategies import sampled_from, sets
from twisted.trial.unittest import SynchronousTestCase

from tests.contract.record import APPS
from txstorage.embedded.accounts.declarations import Account
from txstorage.embedded.accounts.policy import ACTIONS, ROUTES, Rule, Who
from txstorage.embedded.accounts.requester import Owner, Requester
from txstorage.embedded.accounts.roles import IMPLIED, effective
from txstorage.embedded.machine.image import IMAGE_ID

from ...helpers.properties import RELAXED
from ..support import MISSING, CloudTests, Got, password_auth

PASSWORD = "pw"
ACCOUNTS = (
    Account("other", PASSWORD, {"other": ("member",)}),
    Account("viewer", PASSWORD, {"other": ("reader",), "txstorage": ("reader",)}),
    Account("nothing", PASSWORD, {"txstorage": ("service",)}),
    Account("root", PASSWORD, {"other": ("admin",)}),
)
#: The resources that belong to a project, by the segments of their paths.
OWNED = (
    "<volume_id>",
    "<snapshot_id>",
    "<attachment_id>",
    "<server_id>",
    "<transfer_id>",
    "<group_id>",
    *("<message_id>", "<backup_id>"),
)
#: Offers are for other projects.
OFFERED = "/<transfer_id>/accept"
_V, _VOLUME, _SNAPSHOT = (
    "/v3/<project_id>",
    "/v3/<project_id>/volumes/<volume_id>",
    "/v3/<project_id>/snapshots/<snapshot_id>",
)
_SERVER, _TYPE = "/v2.1/servers/<server_id>", "/v3/<project_id>/types/<type_id>"
#: Requests' bodies that the schemas admit, by the routes that have one.
BODIES: dict[str, Any] = {
    f"POST {_V}/volumes": {"volume": {"size": 1}},
    f"PUT {_VOLUME}": {"volume": {"name": "n"}},
    f"POST {_V}/snapshots": {"snapshot": {"volume_id": MISSING}},
    f"POST {_V}/attachments": {"attachment": {"volume_uuid": MISSING}},
    f"PUT {_SNAPSHOT}": {"snapshot": {"name": "n"}},
    f"POST {_VOLUME}/action": {"os-extend": {"new_size": 2}},
    f"POST {_SNAPSHOT}/action": {"os-force_delete": {}},
    f"POST {_TYPE}/action": {"addProjectAccess": {"project": "p"}},
    f"POST {_SERVER}/action": {"os-stop": None},
    "POST /v2.1/servers": {
        "server": {"name": "n", "flavorRef": "1", "imageRef": IMAGE_ID, "networks": "none"}
    },
    f"PUT {_SERVER}": {"server": {"accessIPv4": "192.0.2.1"}},
    f"POST {_SERVER}/metadata": {"metadata": {"key": "v"}},
    f"PUT {_SERVER}/metadata": {"metadata": {"key": "v"}},
    f"PUT {_SERVER}/metadata/<key>": {"meta": {"key": "v"}},
    f"PUT {_SERVER}/tags": {"tags": ["tag"]},
    f"PUT {_SERVER}/tags/<tag>": {},
    f"PUT {_V}/attachments/<attachment_id>": {"attachment": {"connector": {"host": "h"}}},
    f"POST {_V}/attachments/<attachment_id>/action": {"os-complete": {}},
    f"POST {_SERVER}/os-volume_attachments": {"volumeAttachment": {"volumeId": MISSING}},
    f"PUT {_SERVER}/os-volume_attachments/<volume_id>": {"volumeAttachment": {"volumeId": MISSING}},
    f"POST {_V}/types": {"volume_type": {"name": "t"}},
    f"PUT {_TYPE}": {"volume_type": {"name": "t"}},
    f"POST {_TYPE}/extra_specs": {"extra_specs": {}},
    f"PUT {_TYPE}/extra_specs/<key>": {"key": "v"},
    f"POST {_TYPE}/encryption": {"encryption": {"provider": "p", "control_location": "back-end"}},
    f"PUT {_TYPE}/encryption/<key>": {"encryption": {}},
    f"POST {_V}/qos-specs": {"qos_specs": {"name": "q"}},
    f"PUT {_V}/qos-specs/<qos_id>": {"qos_specs": {}},
    f"PUT {_V}/qos-specs/<qos_id>/delete_keys": {"keys": []},
    f"POST {_V}/backups": {"backup": {"volume_id": MISSING}},
    f"POST {_V}/backups/import_record": {},
    f"PUT {_V}/backups/<backup_id>": {"backup": {"name": "n"}},
    f"POST {_V}/backups/<backup_id>/restore": {"restore": {}},
    f"POST {_V}/backups/<backup_id>/action": {"os-force_delete": {}},
    f"POST {_V}/os-volume-transfer": {"transfer": {"volume_id": MISSING}},
    f"POST {_V}/volume-transfers": {"transfer": {"volume_id": MISSING}},
    f"POST {_V}/os-volume-transfer/<transfer_id>/accept": {"accept": {"auth_key": "k"}},
    f"POST {_V}/volume-transfers/<transfer_id>/accept": {"accept": {"auth_key": "k"}},
    f"PUT {_V}/os-quota-sets/<quota_project>": {"quota_set": {"volumes": 1}},
    f"PUT {_V}/os-hosts/<host>": {"status": "enable"},
    "PUT /v2.1/os-services/<process_id>": {},
    f"POST {_V}/workers/cleanup": {},
    "POST /v2.1/os-server-groups": {"server_group": {"name": "g", "policy": "affinity"}},
    "PUT /v2.1/os-quota-sets/<quota_project>": {"quota_set": {"instances": 1}},
    **{
        f"PUT {_V}/os-services/{action}": {"binary": "b", "host": "h"}
        for action in ("enable", "disable", "disable-log-reason")
    },
    **{
        f"{method} {path}/metadata{end}": body
        for path in (_VOLUME, _SNAPSHOT)
        for method, end, body in (
            ("POST", "", {"metadata": {}}),
            ("PUT", "", {"metadata": {}}),
            ("PUT", "/<key>", {"meta": {"key": "v"}}),
        )
    },
}
#: Parts of the paths of what the servers here do not have.
WITHOUT = (
    *("os-volume_attachments/", "/ips/", "/tags/", "actions/", "servers/<server_id>/metadata/"),
    "export_record",
)
#: Routes that the latest microversion does not have, and their last ones.
EARLIER = {
    "GET /v2.1/os-security-groups": "2.35",
    "GET /v2.1/os-hypervisors/statistics": "2.87",
    "GET /v2.1/os-hypervisors/<hypervisor_id>/search": "2.52",
    "GET /v2.1/os-hypervisors/<hypervisor_id>/servers": "2.52",
}
#: Rules of the table of actions that are about a request's parameter or path.
NO_ACTIONS = {"force", "limits of others", "quotas of others", "swap", "update attachment"}
#: Bodies for which another resource than that of the path must exist.
NAMING: dict[str, str] = {
    f"POST {_V}/attachments": "attachment",
    f"POST {_V}/snapshots": "volume",
    f"POST {_V}/os-volume-transfer": "volume",
    f"POST {_V}/volume-transfers": "volume",
    f"POST {_V}/backups": "volume",
}

#: The values of actions on volumes that are not looked at one by one.
OTHER_ACTIONS: dict[str, Any] = {
    "os-attach": {"host_name": "h", "mountpoint": "m"},
    "os-initialize_connection": {"connector": {}},
    "os-terminate_connection": {"connector": {}},
    "os-set_bootable": {"bootable": True},
    "os-update_readonly_flag": {"readonly": True},
    "os-set_image_metadata": {"metadata": {}},
    "os-unset_image_metadata": {"key": "k"},
    "os-volume_upload_image": {"image_name": "i"},
    "os-retype": {"new_type": "gold"},
    "os-reimage": {"image_id": MISSING},
    "os-migrate_volume": {"host": "h"},
    "os-migrate_volume_completion": {"new_volume": MISSING},
    **{
        name: {}
        for name in (
            *("os-begin_detaching", "os-detach", "os-roll_detaching", "os-reserve"),
            *("os-unreserve", "os-show_image_metadata", "os-unmanage", "revert"),
            *("os-extend_volume_completion", "os-force_detach"),
        )
    },
}


def routes() -> set[tuple[str, str]]:
    """All routes of the services, and the methods of each."""
    return {(service, f"{method} {path}") for service, app in APPS for method, path in app.rules()}


def of_who(*who: Who) -> list[tuple[str, str]]:
    """The routes of the two services with roles that require one of these."""
    return sorted(
        key for key, rule in ROUTES.items() if rule.who in who and key[0] in ("volume", "compute")
    )


def owned() -> list[tuple[str, str]]:
    """The routes of resources that belong to a project."""
    return sorted(
        key
        for key in routes()
        if any(segment in key[1] for segment in OWNED) and not key[1].endswith(OFFERED)
    )


class PolicyTests(CloudTests):
    """Requests of several users for the resources of the first project."""

    def setUp(self) -> None:
        # In the class, the name is Hypothesis's.
        self.settings = {"accounts": ACCOUNTS}
        super().setUp()
        volume_id = self.create(metadata={"key": "v"})
        body = {"snapshot": {"volume_id": volume_id, "metadata": {"key": "v"}}}
        snapshot_id = self.cinder("POST", "/snapshots", body).body["snapshot"]["id"]
        self.settle()
        attached = self.create()
        body = {"attachment": {"volume_uuid": attached}}
        got = self.cinder("POST", "/attachments", body, "3.44")
        backup = self.cinder("POST", "/backups", {"backup": {"volume_id": self.create()}})
        self.cloud.store.messages.add(attached, "reason")
        body = {"transfer": {"volume_id": self.create()}}
        offered = self.cinder("POST", "/volume-transfers", body)
        body = {"server_group": {"name": "g", "policies": ["affinity"]}}
        group = self.nova("POST", "/os-server-groups", body)
        self.ids = {
            "<transfer_id>": offered.body["transfer"]["id"],
            "<volume_id>": volume_id,
            "<snapshot_id>": snapshot_id,
            "<attachment_id>": got.body["attachment"]["id"],
            "<server_id>": self.cloud.nodes["node-1"],
            "<type_id>": self.cinder("GET", "/types").body["volume_types"][0]["id"],
            "<key>": "key",
            "<message_id>": self.cloud.store.messages.listed()[0].message_id,
            "<backup_id>": backup.body["backup"]["id"],
            "<resource_id>": MISSING,
            "<qos_id>": MISSING,
            "<host>": "host",
            "<process_id>": MISSING,
            "<alias>": "a",
            "<group_id>": group.body["server_group"]["id"],
            "<hypervisor_id>": MISSING,
            "<tag>": "tag",
            "<network>": "n",
            "<request_id>": "r",
        }
        self.attached = attached
        self.tokens: dict[tuple[str, str], tuple[str, str]] = {}
        for name, project in (
            *(("other", "other"), ("viewer", "other"), ("viewer", "txstorage")),
            *(("nothing", "txstorage"), ("root", "other")),
        ):
            self.tokens[name, project] = self.log_in(name, project)
        self.own = (str(self.token), self.project)

    def log_in(self, name: str, project: str) -> tuple[str, str]:
        """Return a token of a user for a project, and the project's id."""
        domain = {"id": "default"}
        body = password_auth(PASSWORD, name=name, domain=domain)
        body["auth"]["scope"] = {"project": {"name": project, "domain": domain}}
        got = self.ask("POST", "/identity/v3/auth/tokens", body)
        self.assertEqual(got.code, 201, (name, project))
        return got.headers["x-subject-token"], got.body["token"]["project"]["id"]

    def ask_as(self, who: tuple[str, str], route: tuple[str, str], body: Any = None) -> Got:
        """Make a request of a route, with the ids of the first project's resources."""
        service, (method, path) = route[0], route[1].split(" ")
        token, project = who
        for segment, value in {
            **self.ids,
            "<project_id>": project,
            "<quota_project>": project,
        }.items():
            path = path.replace(segment, value)
        self.assertNotIn("<", path)
        if body is None and method in ("POST", "PUT"):
            body = BODIES[route[1]]
            if route[1] in NAMING:
                text = json.dumps(body)
                named = self.ids["<volume_id>"] if NAMING[route[1]] == "volume" else self.attached
                body = json.loads(text.replace(MISSING, named))
        latest = {"volume": "3.71", "compute": "2.104"}.get(service, "")
        version = EARLIER.get(route[1], latest)
        headers = {"OpenStack_API_Version": f"{service} {version}"}
        return self.ask(method, f"/{service}{path}", body, X_Auth_Token=token, **headers)

    def state(self) -> Any:
        """All rows of the store."""
        tables = (
            *("volumes", "snapshots", "attachments", "metadata", "snapshot_metadata", "servers"),
            *("transfers", "messages", "backups", "server_groups"),
        )
        database = self.cloud.store._database
        return [
            [tuple(row) for row in database.execute(f"SELECT * FROM {table}")] for table in tables
        ]

    def test_every_route(self) -> None:
        """Each route of the services has a row in the policy, and each row a route."""
        self.assertEqual(set(ROUTES), routes())

    @settings(**RELAXED)
    @given(sampled_from(owned()), sampled_from(["other", "viewer"]))
    def test_other_project(self, route: tuple[str, str], name: str) -> None:
        """Another project's resource is 404 on each of its routes, and nothing changes."""
        before = self.state()
        got = self.ask_as(self.tokens[name, "other"], route)
        self.assertEqual(got.code, 404, (route, got))
        self.assertEqual(self.state(), before)

    def test_owner(self) -> None:
        """The same requests reach the resource with a token of its own project."""
        for route in owned():
            if route[1].startswith("GET") and not any(part in route[1] for part in WITHOUT):
                self.assertEqual(self.ask_as(self.own, route).code, 200, route)
                self.assertEqual(self.ask_as(self.tokens["root", "other"], route).code, 200, route)

    @settings(**RELAXED)
    @given(sampled_from(of_who(Who.MEMBER)))
    def test_reader(self, route: tuple[str, str]) -> None:
        """A reader's request that takes a member is 403 with the policy's name; nothing changes."""
        self.assert_forbidden(self.tokens["viewer", "txstorage"], route)

    @settings(**RELAXED)
    @given(sampled_from(of_who(Who.ADMIN)))
    def test_member(self, route: tuple[str, str]) -> None:
        """A member's request that takes an administrator is 403."""
        self.assert_forbidden(self.own, route)

    @settings(**RELAXED)
    @given(sampled_from(of_who(Who.READER)))
    def test_no_role(self, route: tuple[str, str]) -> None:
        """A user without a role that implies reading reads nothing."""
        self.assert_forbidden(self.tokens["nothing", "txstorage"], route)

    def assert_forbidden(self, who: tuple[str, str], route: tuple[str, str]) -> None:
        """Assert that a request is refused with the policy's name, and changes nothing."""
        before = self.state()
        got = self.ask_as(who, route)
        message = f"Policy doesn't allow {ROUTES[route].name} to be performed."
        self.assertEqual(got.code, 403, (route, got))
        self.assertEqual(got.message, message)
        self.assertEqual(self.state(), before)

    def test_actions(self) -> None:
        """Each action is 403 for a user below the role that it requires."""
        bodies = {
            "os-extend": {"new_size": 2},
            "os-reset_status": {"status": "error"},
            "os-force_delete": {},
            "snapshot os-reset_status": {"status": "error"},
            "snapshot os-force_delete": {},
            "backup os-reset_status": {"status": "error"},
            "backup os-force_delete": {},
            "addProjectAccess": {"project": "p"},
            "removeProjectAccess": {"project": "p"},
            **OTHER_ACTIONS,
            "os-start": None,
            "os-stop": None,
            "reboot": {"type": "SOFT"},
        }
        self.assertEqual(set(bodies) | NO_ACTIONS, {name for _, name in ACTIONS})
        paths = {"volume": f"POST {_VOLUME}/action", "compute": f"POST {_SERVER}/action"}
        for (service, name), rule in ACTIONS.items():
            if name in bodies:
                below = {Who.MEMBER: "viewer", Who.READER: "nothing"}.get(rule.who)
                who = self.tokens[below, "txstorage"] if below else self.own
                # A server that is off can't be stopped; it is checked before the policy.
                server = self.cloud.nodes["node-1"]
                off = "SHUTOFF" if name == "os-start" else "ACTIVE"
                self.cloud.store.servers.set_status(server, off)
                route = paths[service]
                if name.startswith("snapshot "):
                    route = f"POST {_SNAPSHOT}/action"
                elif name.startswith("backup "):
                    route = f"POST {_V}/backups/<backup_id>/action"
                elif name.endswith("ProjectAccess"):
                    route = f"POST {_TYPE}/action"
                body = {name.rpartition(" ")[2]: bodies[name]}
                got = self.ask_as(who, (service, route), body)
                self.assertEqual(got.code, 403, (name, got))
                self.assertIn(f" {rule.name} ", got.message)
        path = f"/volume/v3/{self.project}/volumes/{self.ids['<volume_id>']}?force=true"
        got = self.ask("DELETE", path, OpenStack_API_Version="volume 3.23")
        self.assertEqual((got.code, got.message.split()[3]), (403, "volume:force_delete"))
        for path, name in (
            ("/os-quota-sets/" + MISSING, "os_compute_api:os-quota-sets:show"),
            ("/limits?tenant_id=" + MISSING, "os_compute_api:limits:other_project"),
        ):
            got = self.nova("GET", path)
            self.assertEqual((got.code, got.message.split()[3]), (403, name))


ROLES = sets(sampled_from(sorted(IMPLIED)))
RULES = [*ROUTES.values(), *ACTIONS.values()]


def requester(roles: set[str]) -> Requester:
    """A user with roles."""
    return Requester("u", "p", frozenset(effective(roles)), Owner("p", "u"))


class RuleTests(SynchronousTestCase):
    """The table by itself."""

    @settings(**RELAXED)
    @given(ROLES, ROLES, sampled_from(RULES))
    def test_more_roles(self, some: set[str], others: set[str], rule: Rule) -> None:
        """No role takes anything away."""
        if rule.allows(requester(some)):
            self.assertTrue(rule.allows(requester(some | others)))

    @settings(**RELAXED)
    @given(ROLES, sampled_from(RULES))
    def test_role(self, roles: set[str], rule: Rule) -> None:
        """A rule allows a user who has its role, given or implied, and nobody else."""
        needed = rule.who.value if rule.who in (Who.READER, Who.MEMBER, Who.ADMIN) else None
        self.assertEqual(
            rule.allows(requester(roles)), needed is None or needed in effective(roles)
        )

    def test_effective(self) -> None:
        """Each role implies those below it, in one order."""
        self.assertEqual(effective(["admin"]), ("admin", "manager", "member", "reader"))
        self.assertEqual(effective(["reader", "manager"]), ("manager", "member", "reader"))
        self.assertEqual(effective(["service"]), ("service",))

    def test_sees(self) -> None:
        """A user without a project sees nothing, not even what is the first project's."""
        first, none = Requester("u", "p", frozenset(), Owner(None, None)), requester(set())
        self.assertEqual([first.sees(None), first.sees("other")], [True, False])
        unscoped = Requester("u", "", frozenset(), Owner("", None))
        self.assertEqual([unscoped.sees(None), unscoped.sees("")], [False, False])
        self.assertEqual([none.sees("p"), none.sees(None)], [True, False])
        admin = requester({"admin"})
        self.assertEqual([admin.sees("q"), admin.sees(None)], [True, True])
