"""Tests of Compute v2.1."""

from __future__ import annotations

import os
from typing import Any

from ..support import MISSING, CloudTests, Got


class ServerTests(CloudTests):
    """Tests of servers."""

    def test_show(self) -> None:
        """A server has its name, status, and attachments."""
        server_id = self.cloud.nodes["node-1"]
        server = self.nova("GET", "/servers/" + server_id).body["server"]
        self.assertEqual((server["id"], server["name"]), (server_id, "node-1"))
        self.assertEqual((server["status"], server["OS-EXT-STS:vm_state"]), ("ACTIVE", "active"))
        (root,) = self.attachments()
        self.assertEqual(server["os-extended-volumes:volumes_attached"], [{"id": root["volumeId"]}])
        self.assertEqual(server["created"], "1970-01-01T00:16:40Z")

    def test_list(self) -> None:
        """The short list has names and links, the long one all members."""
        short = self.nova("GET", "/servers").body["servers"]
        self.assertEqual([sorted(server) for server in short], [["id", "links", "name"]] * 2)
        server = self.ask("GET", short[0]["links"][0]["href"]).body["server"]
        self.assertEqual(self.nova("GET", "/servers/detail").body["servers"][0], server)

    def test_unknown(self) -> None:
        """An unknown server is 404."""
        got = self.nova("GET", "/servers/" + MISSING)
        self.assertEqual(got.code, 404)
        self.assertEqual(got.message, f"Instance {MISSING} could not be found.")
        self.assertEqual(got.headers["content-type"], "application/json; charset=UTF-8")

    def act(self, action: str) -> Got:
        """Request an action."""
        path = "/servers/{}/action".format(self.cloud.nodes["node-1"])
        return self.nova("POST", path, {action: None})

    def test_start_and_stop(self) -> None:
        """A server can be stopped and started; an action without effect is 409."""
        path = "/servers/" + self.cloud.nodes["node-1"]
        got = self.act("os-stop")
        self.assertEqual((got.code, got.body), (202, None))
        self.assertEqual(self.nova("GET", path).body["server"]["status"], "SHUTOFF")
        got = self.act("os-stop")
        self.assertEqual(
            (got.code, got.message),
            (
                409,
                "Cannot 'stop' instance {} while it is in vm_state stopped".format(
                    self.cloud.nodes["node-1"]
                ),
            ),
        )
        self.assertEqual(self.act("os-start").code, 202)
        self.assertEqual(self.nova("GET", path).body["server"]["status"], "ACTIVE")
        self.assertEqual(self.act("os-start").code, 409)

    def test_bad_actions(self) -> None:
        """Unknown actions and servers are refused."""
        self.assertEqual(self.act("os-fly").code, 400)
        got = self.nova("POST", "/servers/" + MISSING + "/action", {"os-start": None})
        self.assertEqual(got.code, 404)

    def test_other_status(self) -> None:
        """A status from another source is shown."""
        self.cloud.store.servers.set_status(self.cloud.nodes["node-1"], "ERROR")
        got = self.nova("GET", "/servers/" + self.cloud.nodes["node-1"])
        self.assertEqual(got.body["server"]["OS-EXT-STS:vm_state"], "error")
        self.assertEqual(self.act("os-start").code, 409)


class FormerTests(CloudTests):
    """Tests of Compute v2, which old clients find in the list of versions."""

    def test_servers(self) -> None:
        """Its paths are those of v2.1 without microversions, which requests can't change."""
        server_id = self.cloud.nodes["node-1"]
        expected = self.nova("GET", "/servers/" + server_id).body
        path = "/compute/v2/servers/" + server_id
        got = self.ask("GET", path, OpenStack_API_Version="compute 2.99")
        self.assertEqual((got.code, got.body), (200, expected))
        self.assertNotIn("openstack-api-version", got.headers)
        self.assertNotIn("vary", got.headers)
        self.assertEqual(self.ask("GET", "/compute/v2/nosuch").code, 404)
        self.assertEqual(self.ask("GET", "/compute/v2").body["version"]["id"], "v2.0")


class AttachAtOnceTests(CloudTests):
    """Tests of attaching without a delay."""

    def test_no_delay(self) -> None:
        """A status that would last no time is left out: one commit less."""
        volume_id = self.create()
        self.settle()
        self.attach(volume_id)
        self.assertEqual(self.status(volume_id), "attaching")
        self.settle()
        self.assertEqual(self.status(volume_id), "in-use")


class AttachTests(CloudTests):
    """Tests of attaching."""

    settings: dict[str, Any] = {"transition_delay": 1.0}

    def shown(self, volume_id: str) -> Any:
        """Return the volume's own attachments."""
        return self.volumes("GET", "/" + volume_id).body["volume"]["attachments"]

    def test_attach(self) -> None:
        """
        An attach is 200 with the device's name, and Compute lists it at once; the volume passes
        ``reserved`` and ``attaching`` to ``in-use``, lists its attachment only then, and its device
        exists.
        """
        volume_id = self.create()
        got = self.attach(volume_id)
        server_id = self.cloud.nodes["node-1"]
        expected = {
            "id": volume_id,
            "serverId": server_id,
            "volumeId": volume_id,
            "device": "/dev/vdb",
        }
        self.assertEqual((got.code, got.body), (200, {"volumeAttachment": expected}))
        self.assertEqual(self.attachments()[0], expected)
        device = os.path.join(self.cloud.devices_directory, volume_id)
        for status in ("reserved", "attaching"):
            self.assertEqual((self.status(volume_id), self.shown(volume_id)), (status, []))
            self.assertFalse(os.path.exists(device))
            self.clock.advance(1)
        self.assertEqual(self.status(volume_id), "in-use")
        self.assertEqual(os.path.getsize(device), 2**30)
        (attachment,) = self.shown(volume_id)
        self.assertEqual(
            (attachment["server_id"], attachment["device"], attachment["host_name"]),
            (server_id, "/dev/vdb", None),
        )
        (listed, _) = self.attachments(version="2.89")
        self.assertEqual(listed["attachment_id"], attachment["attachment_id"])

    def test_asynchronous(self) -> None:
        """Since 2.101 an attach is 202 without a body."""
        got = self.attach(self.create(), version="2.101")
        self.assertEqual((got.code, got.body), (202, None))
        got = self.attach(self.create(), version="2.100")
        self.assertEqual(got.code, 200)
        self.assertEqual(got.body["volumeAttachment"]["delete_on_termination"], False)

    def test_versions(self) -> None:
        """The members of an attachment depend on the microversion."""
        old = {"id", "serverId", "volumeId", "device"}
        for version, members in (
            ("2.69", old),
            ("2.70", old | {"tag"}),
            ("2.79", old | {"tag", "delete_on_termination"}),
            (
                "2.89",
                (old - {"id"}) | {"tag", "delete_on_termination", "attachment_id", "bdm_uuid"},
            ),
        ):
            (root,) = self.attachments(version=version)
            self.assertEqual(set(root), members, version)
            path = "/servers/{}/os-volume_attachments/{}".format(root["serverId"], root["volumeId"])
            got = self.nova("GET", path, version=version)
            self.assertEqual(got.body, {"volumeAttachment": root})

    def test_attached_already(self) -> None:
        """An attached volume is refused, for any server."""
        volume_id = self.create()
        self.attach(volume_id)
        self.settle()
        for node in ("node-1", "node-2"):
            got = self.attach(volume_id, node)
            self.assertEqual(
                (got.code, got.message),
                (
                    400,
                    "Invalid volume: volume {} is already attached to instances: {}".format(
                        volume_id, self.cloud.nodes["node-1"]
                    ),
                ),
            )
        self.assertEqual(self.status(volume_id), "in-use")

    def test_in_progress(self) -> None:
        """A volume that is neither available nor attached is refused with its status."""
        volume_id = self.create()
        for status in ("reserved", "attaching", "maintenance"):
            self.cloud.store.set_status(volume_id, status)
            got = self.attach(volume_id, "node-2")
            self.assertEqual(
                (got.code, got.message),
                (
                    400,
                    "Invalid input received: Invalid volume: Volume {} status must be available "
                    "or downloading to reserve, but the current status is {}. (HTTP 400) "
                    "(Request-ID: {})".format(
                        volume_id, status, got.headers["x-openstack-request-id"]
                    ),
                ),
            )

    def test_error(self) -> None:
        """A volume in error is refused with a message of its own."""
        volume_id = self.create()
        self.cloud.store.set_status(volume_id, "error")
        got = self.attach(volume_id)
        self.assertEqual(got.code, 400)
        self.assertIn("can not be created if the volume is in an error state", got.message)

    def test_unknown(self) -> None:
        """Unknown servers and volumes are 404, an invalid UUID is 400."""
        volume_id = self.create()
        got = self.attach(MISSING)
        self.assertEqual((got.code, got.message), (404, f"Volume {MISSING} could not be found."))
        got = self.attach(volume_id, MISSING)
        self.assertEqual((got.code, got.message), (404, f"Instance {MISSING} could not be found."))
        got = self.attach("xyz")
        self.assertEqual(
            (got.code, got.message),
            (
                400,
                "Invalid input for field/attribute volumeId. Value: xyz. 'xyz' is not a 'uuid'",
            ),
        )
        path = "/servers/{}/os-volume_attachments".format(self.cloud.nodes["node-1"])
        self.assertEqual(self.nova("POST", path, {"volumeAttachment": {}}).code, 400)
        self.assertEqual(self.nova("POST", path, {}).code, 400)

    def test_device(self) -> None:
        """A request may name a device; an invalid name is 400, one in use 409."""
        got = self.attach(self.create(), device="/dev/vdc")
        self.assertEqual(got.body["volumeAttachment"]["device"], "/dev/vdc")
        volume_id = self.create()
        got = self.attach(volume_id, device="/dev/vdc")
        self.assertEqual(
            (got.code, got.message), (409, "The supplied device path (/dev/vdc) is in use.")
        )
        for device in ("/etc/passwd", 1):
            self.assertEqual(self.attach(volume_id, device=device).code, 400)
        self.assertEqual(self.status(volume_id), "available")
        self.assertEqual(self.attach(volume_id).body["volumeAttachment"]["device"], "/dev/vdb")
        got = self.attach(self.create())
        self.assertEqual(got.body["volumeAttachment"]["device"], "/dev/vdd")

    def test_failure(self) -> None:
        """A failed attach leaves the volume available, with a message that gives the reason."""
        volume_id = self.create()
        self.attach(volume_id)
        os.rmdir(self.cloud.devices_directory)
        self.settle()
        os.mkdir(self.cloud.devices_directory)
        self.assertEqual(self.status(volume_id), "available")
        self.assertEqual(len(self.attachments()), 1)
        (message,) = self.cloud.store.messages.listed(volume_id)
        self.assertIn("attach volume: ", message.text)


class DetachTests(CloudTests):
    """Tests of detaching."""

    settings: dict[str, Any] = {"transition_delay": 1.0}

    def setUp(self) -> None:
        super().setUp()
        self.volume_id = self.create()
        self.attach(self.volume_id)
        self.settle()

    def test_detach(self) -> None:
        """
        A detach is 202 without a body; the volume is ``detaching`` for a while, in which Compute
        still lists it; then it is available, and the device is gone.
        """
        got = self.detach(self.volume_id)
        self.assertEqual((got.code, got.body), (202, None))
        self.assertEqual(got.headers["content-type"], "application/json")
        self.assertEqual(self.status(self.volume_id), "detaching")
        self.assertEqual(len(self.attachments()), 2)
        self.clock.advance(1)
        self.assertEqual(self.status(self.volume_id), "available")
        self.assertEqual(len(self.attachments()), 1)
        self.assertEqual(os.listdir(self.cloud.devices_directory), [])

    def test_again(self) -> None:
        """A second detach is 400 at once, and 404 later."""
        self.detach(self.volume_id)
        got = self.detach(self.volume_id)
        self.assertEqual(
            (got.code, got.message),
            (
                400,
                "Invalid volume: Invalid input received: Invalid volume: Unable to detach volume. "
                "Volume status must be 'in-use' and attach_status must be 'attached' to detach. "
                "(HTTP 400) (Request-ID: {})".format(got.headers["x-openstack-request-id"]),
            ),
        )
        self.settle()
        self.assert_not_attached(self.detach(self.volume_id), "node-1")

    def assert_not_attached(self, got: Got, node: str) -> None:
        """Assert that a response is the 404 of a server without the volume."""
        self.assertEqual(
            (got.code, got.message),
            (
                404,
                f"Instance {self.cloud.nodes[node]} is not attached to volume {self.volume_id}",
            ),
        )

    def test_elsewhere(self) -> None:
        """A detach from another server is 404."""
        self.assert_not_attached(self.detach(self.volume_id, "node-2"), "node-2")

    def test_too_early(self) -> None:
        """A detach during an attach is 400."""
        volume_id = self.create()
        self.attach(volume_id)
        self.assertEqual(self.detach(volume_id).code, 400)

    def test_unknown(self) -> None:
        """Unknown servers and volumes are 404."""
        self.assertIn("Volume", self.detach(MISSING).message)
        self.assertIn("Instance", self.detach(self.volume_id, MISSING).message)

    def test_root(self) -> None:
        """A root volume can't be detached."""
        got = self.detach(self.attachments()[-1]["volumeId"])
        self.assertEqual((got.code, got.message), (400, "Cannot detach a root device volume"))

    def test_move(self) -> None:
        """A volume can be detached from one server and attached to another."""
        self.detach(self.volume_id)
        self.settle()
        self.assertEqual(self.attach(self.volume_id, "node-2").code, 200)
        self.settle()
        self.assertEqual(
            [entry["volumeId"] for entry in self.attachments("node-2")][0], self.volume_id
        )
