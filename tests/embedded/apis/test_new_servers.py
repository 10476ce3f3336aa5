"""Tests of servers that clients make and delete."""

from __future__ import annotations

import os
from typing import Any

import attr

from txstorage.embedded.accounts.declarations import Account
from txstorage.embedded.apis.servers.quotas.limits import INSTANCES
from txstorage.embedded.application import Application
from txstorage.embedded.machine.devices import FileDevices
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.machine.image import IMAGE_ID, image_content

from ..support import CloudTests, Got, password_auth

FROM_IMAGE = {"name": "s", "flavorRef": "1", "imageRef": IMAGE_ID}
ACCOUNTS = (Account("other", "pw", {"other": ("member",)}),)


class NewServers(CloudTests):
    """Tests with servers that are made."""

    settings = {"transition_delay": 1.0, "accounts": ACCOUNTS}

    def make(self, version: str = "", settle: bool = True, **members: Any) -> str:
        """Request a server from the image; it is built before its id is returned."""
        got = self.nova("POST", "/servers", {"server": {**FROM_IMAGE, **members}}, version)
        self.assertEqual(got.code, 202, got)
        if settle:
            self.pass_time()
        server_id: str = got.body["server"]["id"]
        return server_id

    def boot_volume(self, **members: Any) -> dict[str, Any]:
        """A new volume, filled from the image, to boot from."""
        mapping = {"source_type": "image", "uuid": IMAGE_ID, "destination_type": "volume"}
        mapping.update(volume_size=1, boot_index=0, **members)
        return {"imageRef": "", "block_device_mapping_v2": [mapping]}

    def pass_time(self) -> None:
        """Let every transition happen, also those that follow from others."""
        self.clock.pump([1.0] * 12)

    def shown(self, server_id: str, version: str = "") -> Any:
        """Return a server's members; its status is 404 when it does not exist."""
        got = self.nova("GET", "/servers/" + server_id, version=version)
        return {"status": "404"} if got.code == 404 else got.body["server"]

    def restart(self, files: FileDevices | None = None) -> None:
        """Start the service again on the same store, as after ``kill -9``."""
        directory = self.cloud.devices_directory
        volumes = os.path.join(os.path.dirname(directory), "volumes")
        devices = FileDevices(VolumeFiles(volumes), directory)
        for call in self.clock.getDelayedCalls():
            call.cancel()
        cloud = self.cloud
        application = Application(self.clock, cloud.store, devices, cloud.settings)
        self.successResultOf(application.start())
        self.cloud = attr.evolve(cloud, application=application)


class QuotaTests(NewServers):
    """Tests of quotas that an administrator has set."""

    settings = {**NewServers.settings, "roles": ("admin",)}

    def test_enforced(self) -> None:
        """Servers are made as far as each of the quotas allows, nodes among them."""
        present = len(self.nova("GET", "/servers").body["servers"])
        path = "/os-quota-sets/" + self.project
        for quota, most in (({"instances": present + 1}, 1), ({"cores": present + 2}, 2)):
            body = {"quota_set": {"instances": -1, "cores": -1, **quota}}
            self.assertEqual(self.nova("PUT", path, body).code, 200)
            body = {"server": {**FROM_IMAGE, "min_count": most + 1}}
            got = self.nova("POST", "/servers", body)
            self.assertEqual(got.code, 403)
            self.assertIn(f"Quota exceeded for {next(iter(quota))}", got.message)
            body = {"server": {**FROM_IMAGE, "max_count": 9, "return_reservation_id": True}}
            self.assertEqual(self.nova("POST", "/servers", body).code, 202)
            self.pass_time()
            servers = self.nova("GET", "/servers").body["servers"]
            self.assertEqual(len(servers), present + most)
            for each in servers[:most]:
                self.nova("DELETE", "/servers/" + each["id"])
            self.pass_time()


class LifeTests(NewServers):
    """The life of a server."""

    def test_states(self) -> None:
        """A server is BUILD until the delay is over, then ACTIVE; deleted, it is gone likewise."""
        server_id = self.make(settle=False)
        server = self.shown(server_id)
        self.assertEqual((server["status"], server["OS-EXT-STS:task_state"]), ("BUILD", "spawning"))
        self.assertIsNone(server["OS-SRV-USG:launched_at"])
        self.clock.advance(0.9)
        self.assertEqual(self.shown(server_id)["status"], "BUILD")
        self.clock.advance(0.2)
        server = self.shown(server_id)
        self.assertEqual((server["status"], server["image"]["id"]), ("ACTIVE", IMAGE_ID))
        self.assertEqual(self.nova("DELETE", "/servers/" + server_id).code, 204)
        self.assertEqual(self.shown(server_id)["OS-EXT-STS:task_state"], "deleting")
        self.pass_time()
        self.assertEqual(self.shown(server_id)["status"], "404")

    def test_nodes_stay(self) -> None:
        """A node is neither deleted nor renamed; the refusal says why, and nothing changes."""
        node = self.cloud.nodes["node-1"]
        for method, body in (("DELETE", None), ("PUT", {"server": {"name": "x"}})):
            got = self.nova(method, "/servers/" + node, body)
            self.assertEqual(got.code, 409)
            self.assertIn("is a node of this service, declared with --node", got.message)
        self.pass_time()
        server = self.shown(node)
        self.assertEqual((server["status"], server["name"]), ("ACTIVE", "node-1"))

    def test_busy(self) -> None:
        """A server that is being deleted takes no volume and no action."""
        volume_id, server_id = self.create(), self.make()
        self.nova("DELETE", "/servers/" + server_id)
        got = self.attach(volume_id, server_id)
        busy = "instance {} while it is in task_state deleting".format(server_id)
        self.assertEqual((got.code, got.message), (409, "Cannot 'attach_volume' " + busy))
        got = self.nova("POST", f"/servers/{server_id}/action", {"os-stop": None})
        self.assertEqual((got.code, got.message), (409, "Cannot 'stop' " + busy))
        self.assertEqual(self.nova("DELETE", "/servers/" + server_id).code, 204)

    def test_reboot(self) -> None:
        """A reboot takes the delay; a server that is off only reboots hard."""
        server_id = self.make()
        path = f"/servers/{server_id}/action"
        self.assertEqual(self.nova("POST", path, {"reboot": {"type": "soft"}}).code, 202)
        self.assertEqual(self.shown(server_id)["status"], "REBOOT")
        for query, number in {"status=reboot": 1, "status=active": 3, "status=build": 0}.items():
            got = self.nova("GET", "/servers?" + query)
            expected = number if query == "status=reboot" else number and 2
            self.assertEqual(len(got.body["servers"]), expected, query)
        self.pass_time()
        self.assertEqual(self.shown(server_id)["status"], "ACTIVE")
        self.nova("POST", path, {"os-stop": None})
        self.assertEqual(self.nova("POST", path, {"reboot": {"type": "SOFT"}}).code, 409)
        self.assertEqual(self.nova("POST", path, {"reboot": {"type": "HARD"}}).code, 202)
        self.pass_time()
        self.assertEqual(self.shown(server_id)["status"], "ACTIVE")

    def test_names(self) -> None:
        """Servers may have one name, a node's among them; many get numbers, up to the quota."""
        made = {self.make(name="node-1") for _ in range(2)}
        self.assertEqual(len(made), 2)
        body = {"server": {**FROM_IMAGE, "max_count": 2, "return_reservation_id": True}}
        reservation = self.nova("POST", "/servers", body).body["reservation_id"]
        got = self.nova("GET", "/servers?reservation_id=" + reservation)
        self.assertEqual({each["name"] for each in got.body["servers"]}, {"s-1", "s-2"})
        body["server"].update(max_count=INSTANCES)
        self.nova("POST", "/servers", body)
        got = self.nova("GET", "/servers")
        self.assertEqual(len(got.body["servers"]), INSTANCES)
        got = self.nova("POST", "/servers", {"server": FROM_IMAGE})
        self.assertEqual(
            (got.code, got.message),
            (
                403,
                "Quota exceeded for cores, instances, ram: Requested 1, 1, 64, but already used "
                "100, 100, 6400 of 100, 100, 6400 cores, instances, ram",
            ),
        )

    def test_project(self) -> None:
        """A server belongs to the project of its maker, and does not exist for another."""
        mine = self.make()
        who = password_auth("pw", name="other", domain={"id": "default"})
        got = self.ask("POST", "/identity/v3/auth/tokens", who)
        self.token = got.headers["x-subject-token"]
        theirs = self.make()
        server = self.shown(theirs)
        token = got.body["token"]
        self.assertEqual(
            (server["tenant_id"], server["user_id"]), (token["project"]["id"], token["user"]["id"])
        )
        listed = self.nova("GET", "/servers").body["servers"]
        self.assertEqual([each["id"] for each in listed], [theirs])
        self.assertEqual(self.nova("DELETE", "/servers/" + mine).code, 404)
        self.assertEqual(self.nova("GET", "/limits").body["limits"]["absolute"]["totalRAMUsed"], 64)

    def test_restart(self) -> None:
        """After a restart, a server is built or deleted to the end, and its volumes are free."""
        volume_id = self.create()
        kept = self.make()
        self.attach(volume_id, kept)
        self.pass_time()
        built = self.make(settle=False, **self.boot_volume(delete_on_termination=True))
        self.nova("DELETE", "/servers/" + kept)
        self.restart()
        self.pass_time()
        self.restart()
        self.treq = type(self.treq)(self.cloud.resource)
        self.assertEqual((self.shown(kept)["status"], self.status(volume_id)), ("404", "available"))
        [root] = self.shown(built)["os-extended-volumes:volumes_attached"]
        self.assertEqual(
            (self.shown(built)["status"], self.status(root["id"])), ("ACTIVE", "in-use")
        )
        self.nova("DELETE", "/servers/" + built)
        self.restart()
        self.pass_time()
        self.assertEqual(self.cloud.store.servers.of_projects(None)[2:], [])
        self.assertIsNone(self.cloud.store.volume(root["id"]))


class VolumesOfServersTests(NewServers):
    """The volumes of servers."""

    def device(self, volume_id: str) -> str | None:
        """Return the path of a volume's device, if it has one."""
        path = os.path.join(self.cloud.devices_directory, volume_id)
        return path if os.path.lexists(path) else None

    def test_attach(self) -> None:
        """A volume is attached with a device of this host, and detached with the server."""
        server_id, volume_id = self.make(), self.create()
        got = self.attach(volume_id, server_id, "2.79", delete_on_termination=True)
        self.assertEqual(got.body["volumeAttachment"]["device"], "/dev/vdb")
        self.pass_time()
        self.assertEqual(self.status(volume_id), "in-use")
        self.assertIsNotNone(self.device(volume_id))
        [shown] = self.shown(server_id, "2.3")["os-extended-volumes:volumes_attached"]
        self.assertEqual(shown, {"id": volume_id, "delete_on_termination": True})
        self.nova("DELETE", "/servers/" + server_id)
        self.pass_time()
        self.assertEqual((self.shown(server_id)["status"], self.status(volume_id)), ("404", "404"))
        self.assertIsNone(self.device(volume_id))

    def test_deleted_while_attaching(self) -> None:
        """A volume that is being attached to a server that is deleted is available in the end."""
        server_id, volume_id = self.make(), self.create()
        self.attach(volume_id, server_id)
        self.nova("DELETE", "/servers/" + server_id)
        self.pass_time()
        self.assertEqual(self.shown(server_id)["status"], "404")
        self.assertEqual((self.status(volume_id), self.device(volume_id)), ("available", None))

    def test_from_image(self) -> None:
        """A server boots from a new volume with the image's content, which goes with the server."""
        server_id = self.make(**self.boot_volume(delete_on_termination=True))
        server = self.shown(server_id)
        [root] = server["os-extended-volumes:volumes_attached"]
        self.assertEqual((server["status"], server["image"]), ("ACTIVE", ""))
        with open(str(self.device(root["id"])), "rb") as device:
            self.assertEqual(device.read(len(image_content()) + 1), image_content() + b"\0")
        self.assertEqual(self.detach(root["id"], server_id).message[:13], "Cannot detach")
        self.nova("DELETE", "/servers/" + server_id)
        self.pass_time()
        self.assertEqual(self.status(root["id"]), "404")

    def test_deleted_while_built(self) -> None:
        """The volume of a server that is deleted before it was built goes, too."""
        server_id = self.make(settle=False, **self.boot_volume(delete_on_termination=True))
        self.nova("DELETE", "/servers/" + server_id)
        self.pass_time()
        self.assertEqual(self.shown(server_id)["status"], "404")
        self.assertEqual([each for each in self.cloud.store.volumes() if not each.root], [])

    def test_failure(self) -> None:
        """A server whose volume can't be made is in error, and can be deleted."""
        directory = os.path.join(os.path.dirname(self.cloud.devices_directory), "volumes")
        os.rename(directory, directory + "-away")
        server_id = self.make(**self.boot_volume())
        os.rename(directory + "-away", directory)
        self.assertEqual(self.shown(server_id)["status"], "ERROR")
        self.nova("DELETE", "/servers/" + server_id)
        self.pass_time()
        self.assertEqual(self.shown(server_id)["status"], "404")

    def test_quota(self) -> None:
        """A server whose volume exceeds the quota is refused, and leaves nothing."""
        body = {"server": {**FROM_IMAGE, **self.boot_volume()}}
        key = self.cloud.store
        key.quotas.set(None, {"volumes": 0})
        got: Got = self.nova("POST", "/servers", body)
        self.assertEqual((got.code, got.message), (403, "Volume resource quota exceeded"))
        self.assertEqual(len(self.nova("GET", "/servers").body["servers"]), 2)

    def test_snapshot(self) -> None:
        """A server boots from a new volume of a snapshot, at least as large."""
        volume_id = self.create(size=2)
        body = {"snapshot": {"volume_id": volume_id}}
        snapshot_id = self.cinder("POST", "/snapshots", body).body["snapshot"]["id"]
        self.settle()
        mapping = {"source_type": "snapshot", "uuid": snapshot_id, "destination_type": "volume"}
        mapping.update(boot_index="0", volume_size="1")
        server_id = self.make(imageRef="", block_device_mapping_v2=[mapping])
        [root] = self.shown(server_id)["os-extended-volumes:volumes_attached"]
        volume = self.volumes("GET", "/" + root["id"]).body["volume"]
        self.assertEqual((volume["snapshot_id"], volume["size"]), (snapshot_id, 2))

    def test_former_mapping(self) -> None:
        """The first version of the mapping names a volume to boot from."""
        volume_id = self.create()
        self.volumes("POST", f"/{volume_id}/action", {"os-set_bootable": {"bootable": True}})
        mapping = [{"volume_id": volume_id, "device_name": "/dev/vdc"}]
        server_id = self.make(imageRef="", block_device_mapping=mapping)
        [shown] = self.nova("GET", f"/servers/{server_id}/os-volume_attachments").body[
            "volumeAttachments"
        ]
        self.assertEqual((shown["volumeId"], shown["device"]), (volume_id, "/dev/vdc"))
