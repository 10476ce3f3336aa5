"""Tests of the controls of a service."""

from __future__ import annotations

import os

from txstorage.embedded.accounts.directory import role_id
from txstorage.embedded.control.controls import begin_anew
from txstorage.embedded.machine.image import IMAGE_ID
from txstorage.embedded.store import database
from txstorage.embedded.store.store import Store
from txstorage.embedded.testing import in_memory_cloud

from ..support import CloudTests, password_auth
from .support import ControlledTests


class BeginningTests(CloudTests):
    """Tests of the state after a reset."""

    def content(self, store: Store) -> dict[str, list[tuple[object, ...]]]:
        """The rows of each table, without those of servers and their root volumes."""
        content, own = store._database, {"servers", "volumes", "attachments"}
        return {
            table: [tuple(row) for row in content.execute(f"SELECT * FROM {table}")]
            for table in content.tables()
            if table not in own
        }

    def test_new(self) -> None:
        """Every table is as in a new database, also one that is not empty there."""
        seeded = (*database._STEPS, "CREATE TABLE seeds (n);\nINSERT INTO seeds VALUES (7);\n")
        self.patch(database, "_STEPS", seeded)
        self.patch(database, "SCHEMA_VERSION", len(seeded))
        self.use(in_memory_cloud(self.clock))
        store, new = self.cloud.store, Store(":memory:", self.clock.seconds)
        self.addCleanup(new.close)
        volume_id = self.create(metadata={"a": "b"})
        store.messages.add(volume_id, "no")
        store.revoked.add("token", 2000.0, 1000.0)
        store._database.execute("UPDATE seeds SET n = 8")
        self.assertNotEqual(self.content(store), self.content(new))
        begin_anew(store)
        self.assertEqual(self.content(store), self.content(new))
        self.assertEqual(self.content(store)["seeds"], [(7,)])
        self.assertEqual(len(store.volumes()), 2)
        self.assertEqual({each.root for each in store.volumes()}, {True})

    def test_without_roots(self) -> None:
        """A node without a root volume gets none."""
        store = Store(":memory:", self.clock.seconds)
        self.addCleanup(store.close)
        store.declare_server("bare", root=False)
        first = store.declare_server("usual")
        begin_anew(store)
        names = [each.name for each in store.servers.every()]
        self.assertEqual(sorted(names), ["bare", "usual"])
        [root] = store.volumes()
        assert root.attachment is not None
        self.assertEqual(root.attachment.server_id, first.server_id)


class TransitionTests(ControlledTests):
    """Tests of transitions with faults."""

    def make(self) -> str:
        """Begin to make a volume; :return: its id."""
        volume_id: str = self.volumes("POST", body={"volume": {"size": 1}}).body["volume"]["id"]
        return volume_id

    def test_stuck(self) -> None:
        """A stuck volume keeps its status until the fault is removed."""
        fault = self.fail_with(transition="creating", stuck=True)
        volume_id, other = self.make(), self.make()
        self.advance(1800)
        self.assertEqual((self.status(volume_id), self.status(other)), ("creating", "available"))
        self.control("DELETE", f"/faults/{fault}")
        self.advance(0)
        self.assertEqual(self.status(volume_id), "available")

    def test_stuck_on_the_way(self) -> None:
        """The second transition of an attach may be the stuck one."""
        volume_id = self.create()
        self.fail_with(transition="attaching", stuck=True)
        server = self.cloud.nodes["node-1"]
        body = {"volumeAttachment": {"volumeId": volume_id}}
        self.nova("POST", f"/servers/{server}/os-volume_attachments", body)
        self.advance(1800)
        self.assertEqual(self.status(volume_id), "attaching")
        self.control("DELETE", "/faults")
        self.advance(0)
        self.assertEqual(self.status(volume_id), "in-use")

    def test_slow(self) -> None:
        """A slow transition takes the requested time."""
        self.fail_with(transition="creating", seconds=20)
        volume_id = self.make()
        self.advance(19)
        self.assertEqual(self.status(volume_id), "creating")
        self.advance(1)
        self.assertEqual(self.status(volume_id), "available")

    def test_error(self) -> None:
        """A failing transition leaves an error, with the reason in a message."""
        self.fail_with(transition="creating", error="No valid backend was found.")
        volume_id = self.make()
        self.advance(0)
        self.assertEqual(self.status(volume_id), "error")
        got = self.cinder("GET", f"/messages?resource_uuid={volume_id}", version="3.5")
        [message] = got.body["messages"]
        self.assertIn("No valid backend was found.", message["user_message"])

    def test_snapshots(self) -> None:
        """Snapshots have faults of their own."""
        volume_id = self.create()
        self.fail_with(transition="creating", resource="snapshot", error="no")
        got = self.cinder("POST", "/snapshots", {"snapshot": {"volume_id": volume_id}})
        other = self.make()
        self.advance(0)
        snapshot_id = got.body["snapshot"]["id"]
        shown = self.cinder("GET", f"/snapshots/{snapshot_id}").body["snapshot"]
        self.assertEqual((shown["status"], self.status(other)), ("error", "available"))

    def server(self) -> str:
        """Begin to make a server; :return: its id."""
        server = {"name": "made", "flavorRef": "1", "imageRef": IMAGE_ID}
        got = self.nova("POST", "/servers", {"server": server})
        server_id: str = got.body["server"]["id"]
        return server_id

    def server_status(self, server_id: str) -> str:
        """Return a server's status, which is empty if there is none."""
        server = self.nova("GET", "/servers/" + server_id).body.get("server", {})
        status: str = server.get("status", "")
        return status

    def test_servers(self) -> None:
        """A server can be stuck while it is built, fail, and be stuck while it is deleted."""
        fault = self.fail_with(transition="BUILD", resource="server", stuck=True)
        server_id = self.server()
        self.advance(1800)
        self.assertEqual(self.server_status(server_id), "BUILD")
        self.control("DELETE", f"/faults/{fault}")
        self.advance(0)
        self.assertEqual(self.server_status(server_id), "ACTIVE")
        self.fail_with(transition="BUILD", resource="server", error="No valid host was found.")
        failed = self.server()
        self.advance(0)
        self.assertEqual(self.server_status(failed), "ERROR")
        self.fail_with(transition="DELETING", resource="server", resource_id=server_id, seconds=20)
        for each in (server_id, failed):
            self.nova("DELETE", "/servers/" + each)
        self.advance(19)
        found = [self.server_status(each) for each in (server_id, failed)]
        self.assertEqual(found, ["ACTIVE", ""])
        self.advance(1)
        self.assertEqual(self.server_status(server_id), "")

    def test_backups(self) -> None:
        """A backup can be stuck, whatever its volume's transitions."""
        self.fail_with(transition="creating", resource="backup", stuck=True)
        body = {"backup": {"volume_id": self.create()}}
        backup_id = self.cinder("POST", "/backups", body).body["backup"]["id"]
        for expected in ("creating", "available"):
            self.advance(60)
            shown = self.cinder("GET", "/backups/" + backup_id).body["backup"]
            self.assertEqual(shown["status"], expected)
            self.control("DELETE", "/faults")


class ResetTests(ControlledTests):
    """Tests of the way back to the beginning."""

    settings = {"roles": ("admin",)}

    def reset(self) -> None:
        """Reset the service."""
        self.assertEqual(self.control("POST", "/reset").code, 204)

    def test_projects(self) -> None:
        """Projects that administrators made, and the tokens for them, are gone."""
        body = {"project": {"name": "made"}}
        made = self.ask("POST", "/identity/v3/projects", body).body["project"]["id"]
        user = self.ask("GET", "/identity/v3/users").body["users"][0]["id"]
        path = f"/identity/v3/projects/{made}/users/{user}/roles/{role_id('member')}"
        self.assertEqual(self.ask("PUT", path).code, 204)
        scoped = {**password_auth()["auth"], "scope": {"project": {"id": made}}}
        got = self.ask("POST", "/identity/v3/auth/tokens", {"auth": scoped})
        token = got.headers["x-subject-token"]
        self.assertEqual(self.ask("GET", "/volume/v3/volumes", X_Auth_Token=token).code, 200)
        self.reset()
        self.assertEqual(self.ask("GET", "/volume/v3/volumes", X_Auth_Token=token).code, 401)
        self.assertEqual(self.ask("GET", "/identity/v3/projects/" + made).code, 404)

    def test_everything(self) -> None:
        """
        Afterwards there are no volumes, snapshots, backups, attachments, files or devices, and the
        servers are as at the beginning, with their ids.
        """
        volume_id = self.create(metadata={"a": "b"})
        server = self.cloud.nodes["node-1"]
        body = {"volumeAttachment": {"volumeId": volume_id}}
        self.nova("POST", f"/servers/{server}/os-volume_attachments", body)
        snapshot = {"snapshot": {"volume_id": volume_id, "force": True}}
        self.advance(0)
        self.assertEqual(self.cinder("POST", "/snapshots", snapshot).code, 202)
        self.advance(0)
        backup = {"backup": {"volume_id": volume_id, "force": True}}
        self.assertEqual(self.cinder("POST", "/backups", backup).code, 202)
        self.advance(0)
        self.nova("POST", f"/servers/{server}/action", {"os-stop": None})
        files = self.cloud.application._devices.files.directory
        devices = self.cloud.devices_directory
        self.assertEqual((len(os.listdir(files)), len(os.listdir(devices))), (3, 1))
        self.reset()
        self.assertEqual((os.listdir(files), os.listdir(devices)), ([], []))
        store = self.cloud.store
        self.assertEqual((store.usage().volumes, store.snapshots.every()), (0, []))
        self.assertEqual(store.backups.every(), [])
        servers = {each.name: each.server_id for each in store.servers.every()}
        self.assertEqual(servers, self.cloud.nodes)
        self.assertEqual({each.status for each in store.servers.every()}, {"ACTIVE"})
        roots = [each for each in store.volumes() if each.attachment is not None]
        self.assertEqual(sorted(each.name or "" for each in roots), ["node-1-root", "node-2-root"])

    def test_works_on(self) -> None:
        """The token stays valid, and volumes can be made again."""
        self.create()
        self.reset()
        self.assertEqual(self.status(self.create()), "available")

    def test_servers(self) -> None:
        """A server that a client has made is gone, also one that is being built."""
        server = {"name": "made", "flavorRef": "1", "imageRef": IMAGE_ID}
        for _ in range(2):
            self.assertEqual(self.nova("POST", "/servers", {"server": server}).code, 202)
            self.fail_with(transition="BUILD", resource="server", stuck=True)
        self.reset()
        self.advance(1800)
        found = [each["name"] for each in self.nova("GET", "/servers").body["servers"]]
        self.assertEqual(sorted(found), ["node-1", "node-2"])

    def test_faults(self) -> None:
        """No fault stays in force, and a late answer's connection ends."""
        self.fail_with(route="GET /volume/v3/volumes", status=500, times=None)
        self.fail_with(route="GET /volume/v3/volumes/detail", delay=60)
        url = f"{self.cloud.settings.base_url}/volume/v3/{self.project}/volumes/detail"
        late = self.treq.get(url, headers={"X-Auth-Token": self.token})
        self.reset()
        self.treq.flush()
        self.failureResultOf(late)
        self.assertEqual(self.control("GET", "/faults").body["faults"], [])
        self.assertEqual(self.volumes("GET").code, 200)

    def test_transitions(self) -> None:
        """A stuck or a pending transition of a volume that is gone does nothing more."""
        self.fail_with(transition="creating", stuck=True)
        for _ in range(2):
            self.volumes("POST", body={"volume": {"size": 1}})
        self.reset()
        self.advance(1800)
        self.assertEqual(self.cloud.store.usage().volumes, 0)
        self.assertEqual(os.listdir(self.cloud.application._devices.files.directory), [])

    def test_waiting(self) -> None:
        """A request that waits for a transition is answered."""
        volume_id = self.create()
        self.fail_with(transition="reserved", stuck=True)
        url = f"{self.cloud.settings.base_url}/volume/v3/{self.project}/attachments"
        attachment = {"volume_uuid": volume_id, "connector": {"host": "here", "initiator": "i"}}
        waiting = self.treq.post(
            url,
            json={"attachment": attachment},
            headers={"X-Auth-Token": self.token, "OpenStack-API-Version": "volume 3.54"},
        )
        self.advance(60)
        self.treq.flush()
        self.assertNoResult(waiting)
        self.reset()
        self.treq.flush()
        self.assertGreaterEqual(self.successResultOf(waiting).code, 400)

    def test_clock(self) -> None:
        """The clock is set back to the real time."""
        self.advance(1800)
        self.reset()
        self.assertEqual(self.control("GET", "/clock").body["clock"]["advanced"], 0.0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
