"""Tests of Block Storage's own attachments, compared with Cinder 29's responses."""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from txstorage.embedded.machine.devices import FileDevices, LoopDeviceBusy
from txstorage.embedded.machine.reconcile import reconcile
from txstorage.embedded.store import database as _database
from txstorage.embedded.store.store import Store

from ..support import MISSING, CloudTests, Got

HOST = "f002fa54-fe41-49f2-aa40-1186d4d51465"
CONNECTOR: dict[str, Any] = {"host": "host-1", "mountpoint": "txstorage:" + HOST}
NOT_FOUND = "Volume attachment could not be found with filter: attachment_id = {}."


class AttachmentTests(CloudTests):
    """The base of the tests: a cloud and a volume."""

    settings = {"transition_delay": 0.5, "roles": ("member", "admin")}

    def setUp(self) -> None:
        super().setUp()
        self.volume_id = self.create()

    def at(self, method: str, path: str = "", body: Any = None, version: str = "3.44") -> Got:
        """Make a request below ``/attachments``, and let everything happen that it needs."""
        answers = []
        headers = {"OpenStack-API-Version": "volume " + version, "X-Auth-Token": self.token}
        url = f"http://cloud.example/volume/v3/{self.project}/attachments{path}"
        asked = self.treq.request(method, url, headers=headers, json=body)
        asked.addCallback(answers.append)
        while not answers:
            self.clock.advance(0.1)
            self.treq.flush()
        (response,) = answers
        content = self.successResultOf(response.content())
        body = self.successResultOf(response.json()) if content else None
        received = {
            name.decode().lower(): values[0].decode()
            for name, values in response.headers.getAllRawHeaders()
        }
        return Got(response.code, received, body, response.length)

    def post(self, version: str = "3.44", **wanted: Any) -> Got:
        """Request an attachment of the volume."""
        body = {"attachment": dict({"volume_uuid": self.volume_id}, **wanted)}
        return self.at("POST", body=body, version=version)

    def connect(self, **wanted: Any) -> str:
        """Make an attachment, and connect it."""
        attachment_id: str = self.post(connector=CONNECTOR, **wanted).body["attachment"]["id"]
        return attachment_id

    def complete(self, attachment_id: str) -> Got:
        """Complete an attachment."""
        return self.at("POST", f"/{attachment_id}/action", {"os-complete": None})

    def put(self, attachment_id: str, connector: Any) -> Got:
        """Set an attachment's connector."""
        return self.at("PUT", "/" + attachment_id, {"attachment": {"connector": connector}})

    def shown(self, attachment_id: str) -> Any:
        """Return the attachment as shown."""
        return self.at("GET", "/" + attachment_id).body["attachment"]

    def volume_state(self) -> Any:
        """Return the volume's status and attachments as shown."""
        volume = self.volumes("GET", "/" + self.volume_id).body["volume"]
        return volume["status"], volume["attachments"]

    def refused(self, got: Got, code: int, message: str) -> None:
        """Assert that a response is a refusal."""
        self.assertEqual((got.code, got.message), (code, message))

    def reset(self, status: str) -> None:
        """Set the volume's status, as an administrator."""
        body = {"os-reset_status": {"status": status}}
        self.assertEqual(self.volumes("POST", f"/{self.volume_id}/action", body).code, 202)

    @property
    def device(self) -> str:
        """Return the path of the volume's device while it is connected."""
        return os.path.join(self.cloud.devices_directory, self.volume_id)


class LifeTests(AttachmentTests):
    """Tests of an attachment's life."""

    def test_life(self) -> None:
        """
        A volume is connected with its attachment, in use when the attachment is complete, and
        available without its device when the attachment is deleted.
        """
        got = self.post(connector=CONNECTOR)
        self.assertEqual(got.code, 200)
        made = got.body["attachment"]
        connection = {
            "device_path": self.device,
            "volume_id": self.volume_id,
            "driver_volume_type": "local",
            "attachment_id": made["id"],
            "access_mode": "rw",
            "qos_specs": None,
            "encrypted": False,
            "cacheable": False,
            "enforce_multipath": False,
        }
        expected = {
            "id": made["id"],
            "status": "reserved",
            "instance": None,
            "volume_id": self.volume_id,
            "attached_at": "",
            "detached_at": "",
            "attach_mode": "null",
            "connection_info": connection,
        }
        self.assertEqual(made, expected)
        self.assertEqual(self.volume_state(), ("attaching", []))
        self.assertEqual(self.shown(made["id"])["status"], "attaching")
        self.assertTrue(os.path.exists(self.device))
        got = self.complete(made["id"])
        self.assertEqual((got.code, got.body), (204, None))
        status, (attached,) = self.volume_state()
        self.assertEqual(
            (status, attached["server_id"], attached["host_name"], attached["device"]),
            ("in-use", None, None, "txstorage:" + HOST),
        )
        self.assertEqual(attached["attachment_id"], made["id"])
        self.assertEqual(self.shown(made["id"])["status"], "attached")
        got = self.at("DELETE", "/" + made["id"])
        self.assertEqual((got.code, got.body), (200, {"attachments": []}))
        self.assertEqual(self.volume_state(), ("available", []))
        self.assertFalse(os.path.exists(self.device))
        self.refused(self.at("GET", "/" + made["id"]), 404, NOT_FOUND.format(made["id"]))

    def test_reserve_first(self) -> None:
        """
        A volume can be reserved first and connected later: the response shows the attachment before
        that.
        """
        made = self.post(instance_uuid=HOST, mode="ro", version="3.54").body["attachment"]
        self.assertEqual(
            (made["status"], made["instance"], made["attach_mode"], made["connection_info"]),
            ("reserved", HOST, "ro", {}),
        )
        self.settle()
        self.assertEqual(self.volume_state(), ("reserved", []))
        updated = self.put(made["id"], CONNECTOR).body["attachment"]
        self.assertEqual((updated["status"], updated["attached_at"]), ("reserved", ""))
        self.assertEqual(updated["connection_info"]["device_path"], self.device)
        self.assertEqual(self.volume_state(), ("attaching", []))
        shown = self.shown(made["id"])
        self.assertEqual((shown["status"], shown["attach_mode"]), ("attaching", "ro"))
        self.assertNotEqual(shown["attached_at"], "")

    def test_connect_again(self) -> None:
        """
        An attached volume can be connected again, and is attaching until it is completed again.
        """
        attachment_id = self.connect()
        self.complete(attachment_id)
        updated = self.put(attachment_id, {"host": "h", "mode": "rw"}).body["attachment"]
        self.assertEqual((updated["status"], updated["attach_mode"]), ("attached", "null"))
        self.assertEqual(self.volume_state()[0], "attaching")
        self.complete(attachment_id)
        status, (attached,) = self.volume_state()
        self.assertEqual((status, attached["device"]), ("in-use", "na"))
        self.assertEqual(self.shown(attachment_id)["attach_mode"], "rw")

    def test_complete_twice(self) -> None:
        """A second completion changes nothing."""
        attachment_id = self.connect()
        for _ in range(2):
            self.assertEqual(self.complete(attachment_id).code, 204)
            self.assertEqual(self.volume_state()[0], "in-use")

    def test_complete_unconnected(self) -> None:
        """A reserved volume can be completed; it is in use without a connection."""
        attachment_id = self.post(instance_uuid=HOST, connector={}).body["attachment"]["id"]
        self.complete(attachment_id)
        status, (attached,) = self.volume_state()
        self.assertEqual(
            (status, attached["server_id"], attached["device"], attached["attached_at"]),
            ("in-use", HOST, None, None),
        )
        self.assertEqual(self.shown(attachment_id)["connection_info"], {})
        self.at("DELETE", "/" + attachment_id)
        self.assertEqual(self.volume_state(), ("available", []))

    def test_client_gone(self) -> None:
        """A started connection continues when its client is gone."""
        url = f"http://cloud.example/volume/v3/{self.project}/attachments"
        headers = {"OpenStack-API-Version": "volume 3.44", "X-Auth-Token": self.token}
        body = {"attachment": {"volume_uuid": self.volume_id, "connector": CONNECTOR}}
        asked = self.treq.request("POST", url, headers=headers, json=body)
        self.assertNoResult(asked)
        asked.cancel()
        self.failureResultOf(asked)
        self.settle()
        self.assertEqual(self.volume_state()[0], "attaching")


class RefusalTests(AttachmentTests):
    """Tests of the refusals."""

    def test_versions(self) -> None:
        """Attachments exist since 3.27, and their completion since 3.44."""
        text = "The resource could not be found."
        self.refused(self.post("3.26"), 404, text)
        self.refused(self.at("GET", version="3.26"), 404, text)
        self.assertEqual(self.post("3.27").code, 200)
        path = f"/{MISSING}/action"
        self.refused(self.at("POST", path, {"os-complete": {}}, "3.43"), 404, text)

    def test_form(self) -> None:
        """A malformed request is refused with Cinder's message."""
        for body, version, message in (
            ({}, "3.44", "'attachment' is a required property"),
            ({"attachment": []}, "3.44", "attachment. Value: []. [] is not of type 'object'"),
            ({"attachment": {}}, "3.44", "Value: {}. 'volume_uuid' is a required property"),
            ({"attachment": {"volume_uuid": "x"}}, "3.44", "Value: x. 'x' is not a 'uuid'"),
            ({"attachment": {"volume_uuid": None}}, "3.44", "None is not of type 'string'"),
            (
                {"attachment": {"volume_uuid": MISSING, "instance_uuid": None}},
                "3.44",
                "instance_uuid. Value: None. None is not of type 'string'",
            ),
            (
                {"attachment": {"volume_uuid": MISSING, "connector": []}},
                "3.44",
                "connector. Value: []. [] is not of type 'object', 'null'",
            ),
            (
                {"attachment": {"volume_uuid": MISSING, "mode": "rw"}},
                "3.53",
                "Additional properties are not allowed ('mode' was unexpected)",
            ),
            (
                {"attachment": {"volume_uuid": MISSING, "mode": "x"}},
                "3.54",
                "mode. Value: x. 'x' is not one of ['rw', 'ro']",
            ),
            (
                {"attachment": {"volume_uuid": MISSING}, "a": 1, "b": 2},
                "3.44",
                "Additional properties are not allowed ('a', 'b' were unexpected)",
            ),
        ):
            got = self.at("POST", body=body, version=version)
            self.assertEqual(got.code, 400, body)
            self.assertTrue(got.message.endswith(message), (body, got.message))

    def test_update_form(self) -> None:
        """An update must have a connector."""
        attachment_id = self.post().body["attachment"]["id"]
        for body, message in (
            ({"attachment": {}}, "'connector' is a required property"),
            ({"attachment": {"connector": {}}}, "{} should be non-empty"),
            ({"attachment": {"connector": None}}, "None is not of type 'object'"),
        ):
            got = self.at("PUT", "/" + attachment_id, body)
            self.assertEqual(got.code, 400, body)
            self.assertTrue(got.message.endswith(message), (body, got.message))
        self.refused(
            self.put(attachment_id, {"ip": "192.0.2.1"}), 500, "Unable to update the attachment."
        )
        self.assertEqual(self.volume_state()[0], "reserved")

    def test_unknown(self) -> None:
        """An unknown volume, attachment or action is refused."""
        got = self.at("POST", body={"attachment": {"volume_uuid": MISSING}})
        self.refused(got, 404, f"Volume {MISSING} could not be found.")
        for got in (
            self.at("GET", "/" + MISSING),
            self.put(MISSING, CONNECTOR),
            self.at("DELETE", "/" + MISSING),
            self.complete(MISSING),
        ):
            self.refused(got, 404, NOT_FOUND.format(MISSING))
        got = self.at("POST", f"/{MISSING}/action", {"nosuch": None})
        self.assertEqual(got.code, 400)
        self.assertIn("There is no such action: nosuch.", got.message)
        got = self.at("POST", f"/{MISSING}/action", {})
        self.refused(got, 400, "Malformed request body")

    def test_taken(self) -> None:
        """A reserved, attaching or used volume can't be reserved."""
        problem = (
            "Invalid volume: Volume {} status must be available or downloading to reserve, but "
            "the current status is {}."
        )
        attachment_id = self.post().body["attachment"]["id"]
        self.refused(self.post(), 400, problem.format(self.volume_id, "reserved"))
        self.put(attachment_id, CONNECTOR)
        self.refused(self.post(), 400, problem.format(self.volume_id, "attaching"))
        self.complete(attachment_id)
        self.refused(self.post(), 400, problem.format(self.volume_id, "in-use"))
        self.assertEqual(self.volumes("DELETE", "/" + self.volume_id).code, 400)
        self.assertEqual(self.attach(self.volume_id).code, 400)

    def test_error_status(self) -> None:
        """A volume in an error status can't be reserved or connected."""
        attachment_id = self.post().body["attachment"]["id"]
        self.reset("error")
        state = f"The Volume {self.volume_id} currently has a status of: error "
        problem = "Volume attachments can not be {} if the volume is in an error state. " + state
        self.refused(self.post(), 400, "Invalid volume: " + problem.format("created"))
        message = "Resource conflict: " + problem.format("updated")
        self.refused(self.put(attachment_id, CONNECTOR), 409, message)
        self.assertEqual(self.at("DELETE", "/" + attachment_id).code, 200)
        self.assertEqual(self.volume_state(), ("available", []))

    def test_of_compute(self) -> None:
        """Compute's attachment can be deleted only through Compute."""
        self.attach(self.volume_id)
        self.settle()
        (attached,) = self.volume_state()[1]
        node = self.cloud.nodes["node-1"]
        message = (
            "ConflictNovaUsingAttachment: Detach volume from instance {} using the Compute API"
        )
        got = self.at("DELETE", "/" + attached["attachment_id"])
        self.refused(got, 409, message.format(node))
        self.assertEqual(self.volume_state()[0], "in-use")
        shown = self.shown(attached["attachment_id"])
        self.assertEqual((shown["instance"], shown["attach_mode"]), (node, "rw"))

    def test_not_of_compute(self) -> None:
        """
        Compute neither lists nor detaches a host's attachment, whatever server the host names.
        """
        node = self.cloud.nodes["node-1"]
        self.complete(self.connect(instance_uuid=node))
        self.assertNotIn(self.volume_id, [each["volumeId"] for each in self.attachments()])
        self.assertEqual(self.detach(self.volume_id).code, 404)
        self.assertEqual(self.volume_state()[0], "in-use")


class ListTests(AttachmentTests):
    """Tests of lists of attachments."""

    def listed(self, query: str = "", version: str = "3.44") -> Any:
        """Return the volumes of the listed attachments."""
        got = self.at("GET", query, version=version)
        self.assertEqual(got.code, 200, got)
        return [each["volume_id"] for each in got.body["attachments"]]

    def test_list(self) -> None:
        """
        The list has the newest first and includes those of Compute; only the long list has details.
        """
        attachment_id = self.connect(instance_uuid=HOST)
        self.assertEqual((len(self.listed()), self.listed()[0]), (3, self.volume_id))
        (short,) = self.at("GET", "?volume_id=" + self.volume_id).body["attachments"]
        self.assertEqual(
            short,
            {
                "id": attachment_id,
                "status": "attaching",
                "instance": HOST,
                "volume_id": self.volume_id,
            },
        )
        (long,) = self.at("GET", "/detail?instance_id=" + HOST).body["attachments"]
        self.assertEqual(long, self.shown(attachment_id))

    def test_filters(self) -> None:
        """
        Filters select attachments, and an administrator's unknown ones find nothing; ``status``
        never matches.
        """
        attachment_id = self.connect()
        self.assertEqual(self.listed("?attach_status=attaching"), [self.volume_id])
        self.assertEqual(self.listed("?status=attaching"), [])
        for version in ("3.30", "3.71"):
            self.assertEqual(self.listed("?id=" + attachment_id, version), [self.volume_id])
            self.assertEqual(self.listed("?foo=1&volume_id=" + self.volume_id, version), [])
            self.assertEqual(self.listed("?project_id=" + MISSING, version), self.listed())

    def test_pages(self) -> None:
        """A page begins after its marker, which must be an attachment."""
        attachment_id = self.connect()
        whole = self.listed()
        self.assertEqual(self.listed("?limit=1"), whole[:1])
        self.assertEqual(self.listed("?marker=" + attachment_id), whole[1:])
        self.assertEqual(self.listed("?offset=1&limit=1"), whole[1:2])
        self.refused(self.at("GET", "?marker=" + MISSING), 404, NOT_FOUND.format(MISSING))


class FaultTests(AttachmentTests):
    """Tests of failures to make or remove the device, and of a restart of the service."""

    def test_not_connected(self) -> None:
        """A volume that can't be connected stays reserved, and the response gives the reason."""
        os.rmdir(self.cloud.devices_directory)
        got = self.post(connector=CONNECTOR)
        self.assertEqual(got.code, 500)
        self.assertIn("Unable to create attachment for volume (connect volume: ", got.message)
        self.assertEqual(self.volume_state(), ("reserved", []))
        (entry,) = self.at("GET", "?volume_id=" + self.volume_id).body["attachments"]
        self.assertEqual(self.shown(entry["id"])["connection_info"], {})
        got = self.put(entry["id"], CONNECTOR)
        self.assertEqual(got.code, 500)
        os.mkdir(self.cloud.devices_directory)
        self.assertEqual(self.put(entry["id"], CONNECTOR).code, 200)
        self.assertEqual(self.volume_state()[0], "attaching")

    def test_not_disconnected(self) -> None:
        """A volume in use on the host stays attached, and the response gives the reason."""
        attachment_id = self.connect()
        self.complete(attachment_id)
        self.patch(FileDevices, "detach", lambda *_: fail(LoopDeviceBusy("/dev/loop7 is in use")))
        got = self.at("DELETE", "/" + attachment_id)
        self.assertEqual(got.code, 500)
        self.assertEqual(self.volume_state()[0], "in-use")
        messages = self.cinder("GET", "/messages", version="3.5").body["messages"]
        self.assertIn("/dev/loop7 is in use", messages[0]["user_message"])

    def restart(self) -> None:
        """Restart after the devices were lost, as in a reboot."""
        for name in os.listdir(self.cloud.devices_directory):
            os.unlink(os.path.join(self.cloud.devices_directory, name))
        devices = self.cloud.application._devices
        self.successResultOf(Deferred.fromCoroutine(reconcile(self.cloud.store, devices)))
        self.cloud.application._engine.resume()

    def test_restart(self) -> None:
        """
        After a restart, an attachment is as before, with its device; one being connected is
        connected, and a reserved one stays reserved.
        """
        for prepare, status, device in (
            (lambda: self.post(), "reserved", False),
            (lambda: self.connect(), "attaching", True),
            (lambda: self.complete(self.connect()), "in-use", True),
            (
                lambda: self.cloud.store.attachments.reserve_for_host(
                    self.volume_id, None, "null", CONNECTOR
                ),
                "attaching",
                True,
            ),
        ):
            prepare()
            self.restart()
            self.settle()
            self.assertEqual(
                (self.volume_state()[0], os.path.exists(self.device)), (status, device)
            )
            self.volume_id = self.create()


class ProjectlessTests(AttachmentTests):
    """Tests of paths without a project."""

    def bare(self, path: str, **headers: str) -> Got:
        """Call Block Storage without naming the project."""
        return self.ask("GET", "/volume" + path, **headers)

    def test_links(self) -> None:
        """Every microversion has such paths; the links in their responses have no project."""
        for version in ("3.0", "3.67"):
            got = self.bare("/v3/volumes?limit=1", OpenStack_API_Version="volume " + version)
            base = "http://cloud.example/volume/v3/volumes"
            (volume,) = got.body["volumes"]
            self.assertEqual(volume["links"][0]["href"], f"{base}/{self.volume_id}")
            self.assertEqual(
                got.body["volumes_links"][0]["href"],
                f"{base}?limit=1&marker={self.volume_id}",
            )
        volume = self.bare("/v3/volumes/" + self.volume_id).body["volume"]
        self.assertEqual(volume["os-vol-tenant-attr:tenant_id"], self.project)

    def test_others(self) -> None:
        """Another project is refused; a segment that can't be a project is an unknown path."""
        got = self.bare(f"/v3/{uuid4()}/volumes")
        self.refused(got, 400, "Malformed request url")
        self.assertEqual(self.bare("/v3/zzz/volumes").code, 404)
        self.assertEqual(self.bare("/v3/nosuch").body["code"], "404 Not Found")
        self.assertEqual(self.ask("GET", "/attachments").code, 404)
        got = self.bare("/v3/attachments", OpenStack_API_Version="volume 3.27")
        self.assertEqual(got.code, 200)

    def test_versions(self) -> None:
        """The version's own document needs a token; the root's does not."""
        root = self.bare("/")
        got = self.bare("/v3/", OpenStack_API_Version="volume 3.44")
        self.assertEqual((got.code, got.headers["openstack-api-version"]), (200, "volume 3.0"))
        self.assertEqual(got.body, root.body)
        (version,) = root.body["versions"]
        self.assertEqual([link["rel"] for link in version["links"]], ["describedby", "self"])
        # The client follows the redirect.
        self.assertEqual(self.bare("/v3").body, root.body)
        for path in ("/", "/v3/"):
            got = self.bare(path, OpenStack_API_Version="volume 3.999")
            self.assertEqual(got.code, 406, path)
        self.assertEqual(self.ask("POST", "/volume/", {}).code, 400)


class MigrationTests(AttachmentTests):
    """Tests of a state directory that is older than hosts' attachments."""

    def test_first_schema(self) -> None:
        """Compute's attachments are kept, and hosts can attach."""
        path = os.path.join(self.mktemp())
        steps = _database._STEPS
        self.patch(_database, "_STEPS", steps[:1])
        self.patch(_database, "SCHEMA_VERSION", 1)
        old = _database.Database(path)
        volume = "INSERT INTO volumes (id, size, status, volume_type, created_at)"
        old.execute(volume + " VALUES ('v', 1, 'in-use', 'gold', 0)")
        old.execute("INSERT INTO servers (id, name, status, created_at) VALUES ('s', 'n', 'A', 0)")
        old.execute(
            "INSERT INTO attachments (id, block_device_id, volume_id, server_id, device,"
            " node_device, attached_at) VALUES ('a', 'b', 'v', 's', '/dev/vdb', '/dev/loop7', 5)"
        )
        old.close()
        self.patch(_database, "_STEPS", steps)
        self.patch(_database, "SCHEMA_VERSION", len(steps))
        store = Store(path, Clock().seconds)
        self.addCleanup(store.close)
        (found,) = store.attachments.of_server("s")
        self.assertEqual(
            (found.attachment_id, found.node_device, found.attached_at, found.by_compute),
            ("a", "/dev/loop7", 5, True),
        )
        store.attachments.release(found)
        store.attachments.reserve_for_host("v", None, "null", CONNECTOR)
