"""Tests of Block Storage v3."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote

from twisted.internet.defer import Deferred

from txstorage.embedded.apis import versioned
from txstorage.embedded.bounds import BOUNDS
from txstorage.embedded.machine.turns import ReactorTurns
from txstorage.embedded.settings import GIB, VOLUME_TYPES
from txstorage.embedded.testing import in_memory_cloud

from ..support import MISSING, CloudTests, Got

NOT_DELETABLE = (
    "Invalid volume: Volume status must be available or error or error_restoring or "
    "error_extending or error_managing and must not be migrating, attached, belong to a group, "
    "have snapshots, awaiting a transfer, or be disassociated from snapshots after volume "
    "transfer."
)


class CreateTests(CloudTests):
    """Tests of creating volumes."""

    def post(self, **volume: Any) -> Got:
        """Request a volume."""
        return self.volumes("POST", body={"volume": volume})

    def test_create(self) -> None:
        """
        A create is 202 with the volume in progress, which is available later; unknown members of
        the request are ignored.
        """
        got = self.post(size=2, name="n", metadata={"a": "b"}, bogus=1, imageRef=None)
        self.assertEqual((got.code, got.headers["content-type"]), (202, "application/json"))
        volume = got.body["volume"]
        self.assertEqual(
            (volume["status"], volume["size"], volume["name"], volume["metadata"]),
            ("creating", 2, "n", {"a": "b"}),
        )
        self.assertEqual((volume["attachments"], volume["updated_at"]), ([], None))
        self.assertEqual(volume["created_at"], "1970-01-01T00:16:40.500000")
        self.assertNotIn("os-vol-tenant-attr:tenant_id", volume)
        self.assertEqual(self.status(volume["id"]), "creating")
        self.clock.advance(0)
        self.assertEqual(self.status(volume["id"]), "available")

    def test_file(self) -> None:
        """A volume is a sparse file of exactly its size, which only its owner can use."""
        volume_id = self.create(size=3)
        (directory,) = (os.path.dirname(self.cloud.devices_directory),)
        stat = os.stat(os.path.join(directory, "volumes", "volume-" + volume_id))
        self.assertEqual((stat.st_size, stat.st_mode & 0o777), (3 * GIB, 0o600))
        self.assertTrue(stat.st_blocks < 100)

    def test_size_as_text(self) -> None:
        """A size may be given as text."""
        self.assertEqual(self.post(size="2").body["volume"]["size"], 2)

    def test_bad_size(self) -> None:
        """A malformed size is 400, with the schema's message."""
        for size, problem in (
            (0, "0 is less than the minimum of 1"),
            (-1, "-1 is less than the minimum of 1"),
            ("abc", "'abc' does not match '^[0-9]+$'"),
            (1.5, "1.5 is not of type 'integer', 'string', 'null'"),
            (True, "True is not of type 'integer', 'string', 'null'"),
            (2**31, "2147483648 is greater than the maximum of 2147483647"),
        ):
            got = self.post(size=size)
            message = f"Invalid input for field/attribute size. Value: {size}. {problem}"
            self.assertEqual((got.code, got.message), (400, message))
        self.assertEqual(self.post(size="9" * 5000).code, 400)
        self.assertEqual(self.post().code, 400)

    def test_bad_metadata(self) -> None:
        """Labels are short texts, and their keys have a limited alphabet."""
        long = "x" * 256
        for labels, message in (
            (
                {"a": 1},
                "Invalid input for field/attribute a. Value: 1. 1 is not of type 'string'",
            ),
            (
                {"a": long},
                f"Invalid input for field/attribute a. Value: {long}. '{long}' is too long",
            ),
        ):
            got = self.post(size=1, metadata=labels)
            self.assertEqual((got.code, got.message), (400, message))
        for labels in ({"": "x"}, {"a/b?": "x"}, ["a"]):
            self.assertEqual(self.post(size=1, metadata=labels).code, 400, labels)

    def test_names(self) -> None:
        """A name is text of at most 255 characters."""
        self.assertEqual(self.post(size=1, name="x" * 255).code, 202)
        self.assertEqual(self.post(size=1, name="x" * 256).code, 400)
        self.assertEqual(self.post(size=1, name=1).code, 400)

    def test_type(self) -> None:
        """A type is identified by name or id; unknown ones are 404."""
        self.assertEqual(
            self.post(size=1, volume_type="gold").body["volume"]["volume_type"], "gold"
        )
        by_id = self.post(size=1, volume_type=VOLUME_TYPES["silver"])
        self.assertEqual(by_id.body["volume"]["volume_type"], "silver")
        got = self.post(size=1, volume_type="nope")
        self.assertEqual(
            (got.code, got.message), (404, "Volume type with name nope could not be found.")
        )
        got = self.post(size=1, volume_type=MISSING)
        self.assertEqual(got.message, f"Volume type {MISSING} could not be found.")

    def test_zone(self) -> None:
        """The one availability zone is accepted, any other is refused."""
        self.assertEqual(self.post(size=1, availability_zone="nova").code, 202)
        got = self.post(size=1, availability_zone="nope")
        self.assertEqual((got.code, got.message), (400, "Availability zone 'nope' is invalid."))

    def test_source(self) -> None:
        """A missing source of a volume is not silently ignored."""
        for source, code in (
            ("snapshot_id", 404),
            ("source_volid", 404),
            ("backup_id", 404),
            ("consistencygroup_id", 404),
            ("imageRef", 400),
        ):
            self.assertEqual(self.post(size=1, **{source: MISSING}).code, code)

    def test_malformed(self) -> None:
        """The body must wrap an object."""
        self.assertEqual(self.volumes("POST", body={}).message, "'volume' is a required property")
        self.assertEqual(self.volumes("POST", body={"volume": 1}).code, 400)


class QuotaTests(CloudTests):
    """Tests of the quota."""

    settings: dict[str, Any] = {"max_volumes": 2, "max_gigabytes": 10}

    def refused(self, size: int) -> str:
        """Return the message of a refused create."""
        got = self.volumes("POST", body={"volume": {"size": size}})
        self.assertEqual((got.code, got.headers["retry-after"]), (413, "0"))
        self.assertEqual(got.body["overLimit"]["retryAfter"], "0")
        return got.message

    def test_volumes(self) -> None:
        """
        One volume over the quota is 413; the nodes' root volumes don't count, and deleting one
        makes room.
        """
        first = self.create()
        self.create()
        self.assertEqual(
            self.refused(1),
            "VolumeLimitExceeded: Maximum number of volumes allowed (2) exceeded for quota "
            "'volumes'.",
        )
        self.volumes("DELETE", "/" + first)
        self.settle()
        self.create()

    def test_gigabytes(self) -> None:
        """A size over the quota is 413 too."""
        self.create(size=4)
        self.assertEqual(
            self.refused(7),
            "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed "
            "gigabytes quota. Requested 7G, quota is 10G and 4G has been consumed.",
        )
        self.create(size=6)

    def test_told(self) -> None:
        """The quota and its use are shown as limits and as a quota set."""
        self.create(size=4)
        limits = self.cinder("GET", "/limits").body["limits"]["absolute"]
        self.assertEqual(
            [
                limits[name]
                for name in (
                    "maxTotalVolumes",
                    "totalVolumesUsed",
                    "maxTotalVolumeGigabytes",
                    "totalGigabytesUsed",
                )
            ],
            [2, 1, 10, 4],
        )
        path = "/os-quota-sets/" + self.project
        quota = self.cinder("GET", path + "?usage=True").body["quota_set"]
        self.assertEqual(quota["gigabytes"], {"limit": 10, "in_use": 4, "reserved": 0})
        self.assertEqual(quota["id"], self.project)
        self.assertEqual(self.cinder("GET", path).body["quota_set"]["volumes"], 2)

    def test_none(self) -> None:
        """A negative quota is unlimited."""
        self.use(in_memory_cloud(self.clock, max_volumes=-1, max_gigabytes=-1))
        self.create(size=100000)


class ShowTests(CloudTests):
    """Tests of reading volumes and the project's resources."""

    def test_unknown(self) -> None:
        """An unknown volume is 404, in whatever format its id is."""
        for volume_id in (MISSING, "nonsense", "caf%C3%A9"):
            for method in ("GET", "DELETE"):
                self.assertEqual(self.volumes(method, "/" + volume_id).code, 404)
        self.assertEqual(
            self.volumes("GET", "/nonsense").message, "Volume nonsense could not be found."
        )

    def test_later_fields(self) -> None:
        """Newer microversions have more members."""
        path = "/" + self.create()
        old = set(self.volumes("GET", path).body["volume"])
        for version, more in (
            ("3.12", set()),
            ("3.13", {"group_id"}),
            ("3.48", {"group_id", "shared_targets", "service_uuid"}),
            (
                "3.70",
                {
                    "group_id",
                    "shared_targets",
                    "service_uuid",
                    "volume_type_id",
                    "consumes_quota",
                },
            ),
        ):
            new = set(self.volumes("GET", path, version=version).body["volume"])
            self.assertEqual(new - old, more, version)

    def test_links(self) -> None:
        """A volume's link leads to the volume."""
        volume_id = self.create()
        entry = self.volumes("GET").body["volumes"][0]
        self.assertEqual(sorted(entry), ["id", "links", "name"])
        got = self.ask("GET", entry["links"][0]["href"])
        self.assertEqual(got.body["volume"]["id"], volume_id)
        self.assertEqual(got.body["volume"]["os-vol-tenant-attr:tenant_id"], self.project)

    def test_types(self) -> None:
        """The types are the default one and the profiles' names."""
        types = self.cinder("GET", "/types").body["volume_types"]
        self.assertEqual(
            [entry["name"] for entry in types], ["bronze", "silver", "gold", "__DEFAULT__"]
        )

    def test_availability_zones(self) -> None:
        """All volumes are in the one availability zone."""
        self.assertEqual(
            self.cinder("GET", "/os-availability-zone").body,
            {"availabilityZoneInfo": [{"zoneName": "nova", "zoneState": {"available": True}}]},
        )
        volume = self.volumes("GET", "/" + self.create()).body["volume"]
        self.assertEqual(volume["availability_zone"], "nova")

    def test_root(self) -> None:
        """A node's root volume is listed, in use and bootable, as with a real cloud."""
        roots = self.volumes("GET", "/detail").body["volumes"]
        self.assertEqual({root["bootable"] for root in roots}, {"true"})
        self.assertEqual({root["status"] for root in roots}, {"in-use"})


class FilterTests(CloudTests):
    """Tests of a list's filters."""

    def setUp(self) -> None:
        super().setUp()
        for number in range(3):
            labels = {"cluster": "c1", "dataset": f"ds{number}"}
            self.create(name=f"p{number}", metadata=labels)

    def names(self, query: str, version: str = "") -> Any:
        """Return the names in a list."""
        got = self.volumes("GET", "/detail?" + query, version=version)
        self.assertEqual(got.code, 200, got)
        return [volume["name"] for volume in got.body["volumes"]]

    def test_metadata(self) -> None:
        """
        A volume must have all labels of the filter, which is a Python literal and so may be JSON.
        """
        for text, names in (
            ('{"cluster": "c1"}', ["p2", "p1", "p0"]),
            ("{'cluster': 'c1'}", ["p2", "p1", "p0"]),
            ('{"cluster": "c1", "dataset": "ds1"}', ["p1"]),
            ('{"cluster": "c2"}', []),
        ):
            self.assertEqual(self.names("metadata=" + quote(text)), names, text)

    def test_malformed_metadata(self) -> None:
        """An invalid filter matches nothing."""
        for text in ("{cluster:c1}", "abc", "[]", '{"cluster": 1}', "{[]: 1}", "(" * 3000, "1+"):
            self.assertEqual(self.names("metadata=" + quote(text)), [], text)

    def test_columns(self) -> None:
        """Name and status are filters."""
        self.assertEqual(self.names("name=p1"), ["p1"])
        self.assertEqual(self.names("status=available"), ["p2", "p1", "p0"])

    def test_unknown(self) -> None:
        """Unknown filters are ignored, until a microversion refuses them."""
        everything = ["p2", "p1", "p0", "node-2-root", "node-1-root"]
        for query in ("nosuch=1", "all_tenants=1", "id=x", "with_count=true"):
            self.assertEqual(self.names(query), everything)
        got = self.volumes("GET", "?metadata~=x", version="3.34")
        self.assertEqual(
            (got.code, got.message),
            (400, "Invalid filters metadata~ are found in query options."),
        )


class MetadataTests(CloudTests):
    """Tests of labels."""

    def setUp(self) -> None:
        super().setUp()
        self.path = "/{}/metadata".format(self.create(metadata={"a": "1", "b": "2"}))

    def test_add(self) -> None:
        """POST adds and changes labels and keeps the others."""
        got = self.volumes("POST", self.path, {"metadata": {"b": "3", "c": "4"}})
        self.assertEqual((got.code, got.body), (200, {"metadata": {"a": "1", "b": "3", "c": "4"}}))
        self.assertEqual(self.volumes("GET", self.path).body, got.body)

    def test_bound(self) -> None:
        """
        All labels of a volume, and all metadata of its image, have at most the bytes of one request
        for them; the last request before changes them, and that one nothing.
        """
        action = self.path.replace("metadata", "action")
        for change in (
            lambda labels: self.volumes("POST", self.path, {"metadata": labels}),
            lambda labels: self.volumes(
                "POST", action, {"os-set_image_metadata": {"metadata": labels}}
            ),
        ):
            codes, number = [200], 0
            while codes[-1] == 200:
                labels = {f"{number}-{each}": "ä" * 250 for each in range(50)}
                codes.append(change(labels).code)
                number += 1
            self.assertEqual((codes[-1], number), (413, BOUNDS.body // (50 * 500) + 1))
        shown = self.volumes("GET", self.path).body["metadata"]
        self.assertEqual(len(shown), 2 + 50 * (number - 1))

    def test_replace(self) -> None:
        """PUT replaces all labels."""
        got = self.volumes("PUT", self.path, {"metadata": {"c": "4"}})
        self.assertEqual((got.code, got.body), (200, {"metadata": {"c": "4"}}))

    def test_one(self) -> None:
        """One label can be shown, set and removed."""
        got = self.volumes("PUT", self.path + "/c", {"meta": {"c": "5"}})
        self.assertEqual((got.code, got.body), (200, {"meta": {"c": "5"}}))
        self.assertEqual(self.volumes("GET", self.path + "/c").body, {"meta": {"c": "5"}})
        self.assertEqual(self.volumes("DELETE", self.path + "/c").code, 200)
        for method in ("GET", "DELETE"):
            self.assertEqual(self.volumes(method, self.path + "/c").code, 404)
        self.assertEqual(self.volumes("GET", self.path).body["metadata"], {"a": "1", "b": "2"})

    def test_refused(self) -> None:
        """Invalid labels, a key other than the path's, and unknown volumes are refused."""
        self.assertEqual(self.volumes("POST", self.path, {"metadata": {"a": 1}}).code, 400)
        self.assertEqual(self.volumes("POST", self.path, {}).code, 400)
        got = self.volumes("PUT", self.path + "/c", {"meta": {"d": "5"}})
        self.assertEqual((got.code, got.message), (400, "Request body and URI mismatch"))
        for method in ("GET", "POST", "PUT"):
            got = self.volumes(method, "/" + MISSING + "/metadata", {"metadata": {}})
            self.assertEqual(got.code, 404)
        got = self.volumes("PUT", "/" + MISSING + "/metadata/a", {"meta": {"a": "1"}})
        self.assertEqual(got.code, 404)
        got = self.volumes("PUT", "/" + MISSING + "/metadata/a", {"meta": {"b": "1"}})
        self.assertEqual((got.code, got.message), (400, "Request body and URI mismatch"))

    def test_statuses(self) -> None:
        """The labels of a volume in maintenance, or being uploaded, can't be changed."""
        volume_id = self.path.split("/")[1]
        for status in ("available", "in-use", "error", "creating", "maintenance", "uploading"):
            self.cloud.store.set_status(volume_id, status)
            kept = status in ("maintenance", "uploading")
            got = self.volumes("POST", self.path, {"metadata": {"a": "2"}})
            self.assertEqual(got.code, 400 if kept else 200, status)
            if kept:
                end = f"volume metadata is not allowed for volumes in {status} status."
                self.assertEqual(got.message, "Invalid volume: Updating " + end)
                got = self.volumes("DELETE", self.path + "/a")
                self.assertEqual(got.message, "Invalid volume: Deleting " + end)
        self.assertEqual(self.volumes("GET", self.path).body["metadata"], {"a": "2", "b": "2"})

    def test_format(self) -> None:
        """A format at the end of a key in the path is not a part of the key."""
        self.volumes("POST", self.path, {"metadata": {"a.json": "1", "b.xml": "2"}})
        self.assertEqual(self.volumes("GET", self.path + "/a.json").body, {"meta": {"a": "1"}})
        for key in ("a.json", "b.xml"):
            self.assertEqual(self.volumes("DELETE", f"{self.path}/{key}").code, 200)
        self.assertEqual(self.volumes("GET", self.path).body["metadata"], {"a.json": "1", "b": "2"})

    def test_touched(self) -> None:
        """A change of labels updates the volume's time of change."""
        self.clock.advance(1)
        self.volumes("POST", self.path, {"metadata": {}})
        volume = self.volumes("GET", self.path.replace("/metadata", "")).body["volume"]
        self.assertEqual(volume["updated_at"], "1970-01-01T00:16:41.500000")


class DeleteTests(CloudTests):
    """Tests of deleting volumes."""

    settings: dict[str, Any] = {"transition_delay": 1.0}

    def test_delete(self) -> None:
        """
        A delete is 202 without a body; the volume is ``deleting`` for a while, then 404; a second
        delete in between is 400.
        """
        volume_id = self.create()
        got = self.volumes("DELETE", "/" + volume_id)
        self.assertEqual((got.code, got.body), (202, None))
        self.assertEqual(got.headers["content-type"], "text/html; charset=UTF-8")
        self.assertEqual(self.status(volume_id), "deleting")
        again = self.volumes("DELETE", "/" + volume_id)
        self.assertEqual((again.code, again.message), (400, NOT_DELETABLE))
        self.clock.advance(1)
        self.assertEqual(self.status(volume_id), "404")
        directory = os.path.join(os.path.dirname(self.cloud.devices_directory), "volumes")
        self.assertEqual(os.listdir(directory), [])

    def test_statuses(self) -> None:
        """Only volumes in certain statuses can be deleted."""
        volume_id = self.create()
        for status in ("creating", "attaching", "in-use", "reserved", "maintenance"):
            self.cloud.store.set_status(volume_id, status)
            self.assertEqual(self.volumes("DELETE", "/" + volume_id).message, NOT_DELETABLE)
        self.cloud.store.set_status(volume_id, "error")
        self.assertEqual(self.volumes("DELETE", "/" + volume_id).code, 202)

    def test_attached(self) -> None:
        """An attached volume can't be deleted, even when its status was reset."""
        volume_id = self.create()
        self.attach(volume_id)
        self.settle()
        self.assertEqual(self.volumes("DELETE", "/" + volume_id).message, NOT_DELETABLE)
        self.cloud.store.set_status(volume_id, "available")
        self.assertEqual(self.volumes("DELETE", "/" + volume_id).message, NOT_DELETABLE)


class ActionTests(CloudTests):
    """Tests of actions on volumes."""

    def test_member(self) -> None:
        """A member of the project may not reset a status."""
        path = f"/{self.create()}/action"
        got = self.volumes("POST", path, {"os-reset_status": {"status": "error"}})
        self.assertEqual(
            (got.code, got.message),
            (
                403,
                "Policy doesn't allow volume_extension:volume_admin_actions:reset_status to be "
                "performed.",
            ),
        )

    def test_admin(self) -> None:
        """An administrator may reset a status, and no transition begins."""
        self.use(in_memory_cloud(self.clock, roles=("admin", "member")))
        volume_id = self.create()
        path = f"/{volume_id}/action"
        got = self.volumes("POST", path, {"os-reset_status": {"status": "creating"}})
        self.assertEqual((got.code, got.body), (202, None))
        self.settle()
        self.assertEqual(self.status(volume_id), "creating")
        self.assertEqual(self.volumes("POST", path, {"os-reset_status": {}}).code, 400)

    def test_unknown(self) -> None:
        """Unknown actions and volumes are refused."""
        path = f"/{self.create()}/action"
        got = self.volumes("POST", path, {"os-fly": {}})
        self.assertEqual((got.code, "no such action: os-fly." in got.message), (400, True))
        self.assertEqual(self.volumes("POST", path, {}).code, 400)
        reset = {"os-reset_status": {"status": "error"}}
        self.assertEqual(self.volumes("POST", "/" + MISSING + "/action", reset).code, 404)


class MessageTests(CloudTests):
    """Tests of messages."""

    def test_since(self) -> None:
        """Before 3.3 messages do not exist."""
        got = self.cinder("GET", "/messages", version="3.2")
        self.assertEqual((got.code, got.message), (404, "The resource could not be found."))
        self.assertEqual(got.headers["openstack-api-version"], "volume 3.2")
        self.assertEqual(self.cinder("GET", "/messages", version="3.3").body, {"messages": []})

    def test_failed_create(self) -> None:
        """
        A failed create leaves the volume in ``error``, with a message that gives the reason, which
        can be listed by volume.
        """
        directory = os.path.join(os.path.dirname(self.cloud.devices_directory), "volumes")
        os.rmdir(directory)
        volume_id = self.create()
        os.mkdir(directory)
        self.assertEqual(self.status(volume_id), "error")
        got = self.cinder("GET", "/messages?resource_uuid=" + volume_id, version="3.5")
        (message,) = got.body["messages"]
        self.assertEqual(
            (message["resource_uuid"], message["user_message"], message["message_level"]),
            (volume_id, "create volume: No such file or directory", "ERROR"),
        )
        self.assertEqual(
            sorted(message),
            [
                "created_at",
                "event_id",
                "guaranteed_until",
                "id",
                "links",
                "message_level",
                "request_id",
                "resource_type",
                "resource_uuid",
                "user_message",
            ],
        )
        self.assertEqual([link["rel"] for link in message["links"]], ["self", "bookmark"])
        self.assertEqual(message["guaranteed_until"], "1970-01-31T00:16:40.500000")
        other = "/messages?resource_uuid=" + MISSING
        self.assertEqual(self.cinder("GET", other, version="3.5").body, {"messages": []})
        unfiltered = self.cinder("GET", other, version="3.4").body["messages"]
        self.assertEqual(unfiltered, [message])


class SliceTests(CloudTests):
    """Tests of lists that are encoded in slices."""

    def setUp(self) -> None:
        super().setUp()
        for number in range(5):
            self.create(name=f'p"{number}')
        self.waiting: list[Deferred[None]] = []
        self.paths = ("/volumes/detail?limit=5", "/volumes?with_count=1", "/attachments/detail")

    def listed(self, path: str) -> bytes:
        """Return the bytes of a list, whose pauses last until all else is done."""
        url = f"{self.cloud.settings.base_url}/volume/v3{path}"
        headers = {"X-Auth-Token": self.token, "OpenStack-API-Version": "volume 3.50"}
        asked = self.treq.get(url, headers=headers)
        while self.waiting:
            self.assertNoResult(asked)
            self.assertEqual(self.volumes("GET", "?limit=1").code, 200)
            self.waiting.pop().callback(None)
            self.treq.flush()
        response = self.successResultOf(asked)
        self.assertEqual(response.code, 200)
        content: bytes = self.successResultOf(response.content())
        return content

    def pause(self) -> Deferred[None]:
        """Wait for the test."""
        self.waiting.append(Deferred())
        self.pauses += 1
        return self.waiting[-1]

    def test_slices(self) -> None:
        """Between the slices, others have their turn; the list is as if it were in one piece."""
        whole = [self.listed(path) for path in self.paths]
        self.patch(ReactorTurns, "pause", lambda turns: self.pause())
        self.patch(versioned, "_SLICE", 2)
        for path, expected, pauses in zip(self.paths, whole, (2, 3, 0)):
            self.pauses = 0
            self.assertEqual(self.listed(path), expected)
            self.assertEqual(self.pauses, pauses)
        names = [each["name"] for each in json.loads(whole[0])["volumes"]]
        self.assertEqual(names, [f'p"{number}' for number in (4, 3, 2, 1, 0)])
        self.assertEqual(json.loads(whole[1])["count"], 7)
