"""Tests of the Image service, and of volumes that are filled from its image."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from txstorage.embedded.machine.image import IMAGE_ID, IMAGE_NAME, IMAGE_SIZE, image_content

from ..support import MISSING, CloudTests, Got


class ImageTests(CloudTests):
    """Tests of the one image."""

    settings = {"transition_delay": 1.0}

    def glance(self, method: str, path: str, body: Any = None) -> Got:
        """Call the Image service."""
        return self.ask(method, "/image/v2" + path, body)

    def message(self, got: Got) -> str:
        """Return the text of an error."""
        text: str = got.body["message"].partition("<br />")[0]
        return text

    def test_found(self) -> None:
        """The catalog and the versions lead to it."""
        token = self.ask("GET", "/identity/v3/auth/catalog").body["catalog"]
        [endpoints] = [each["endpoints"] for each in token if each["type"] == "image"]
        got = self.ask("GET", endpoints[0]["url"])
        self.assertEqual((got.code, got.body["versions"][0]["status"]), (300, "CURRENT"))
        place = got.body["versions"][0]["links"][0]["href"]
        self.assertEqual(self.ask("GET", place + "images").body["images"][0]["id"], IMAGE_ID)
        self.token = None
        self.assertEqual(self.glance("GET", "/images").code, 401)
        self.assertEqual(self.ask("GET", "/image/nosuch").code, 404)

    def test_content(self) -> None:
        """The content has the size and the digests that the image shows."""
        image = self.glance("GET", "/images/" + IMAGE_ID).body
        url = "http://cloud.example/image" + image["file"]
        response = self.successResultOf(
            self.treq.request("GET", url, headers={"X-Auth-Token": self.token})
        )
        content = self.successResultOf(response.content())
        self.assertEqual((response.code, len(content)), (200, image["size"]))
        self.assertEqual(hashlib.md5(content).hexdigest(), image["checksum"])
        digest = hashlib.new(image["os_hash_algo"], content).hexdigest()
        self.assertEqual(digest, image["os_hash_value"])
        self.assertEqual(response.headers.getRawHeaders("content-type")[0][:11], "application")

    def test_lists(self) -> None:
        """Filters choose the image or not; a page that is full has a link to the next."""
        for query, number in {
            "": 1,
            "name=" + IMAGE_NAME: 1,
            "name=in:a," + IMAGE_NAME: 1,
            "name=nosuch": 0,
            "visibility=public": 1,
            "visibility=private": 0,
            "protected=true": 1,
            "os_hidden=true": 0,
            "tag=a": 0,
            f"size_min={IMAGE_SIZE}": 1,
            f"size_max={IMAGE_SIZE - 1}": 0,
            "nosuch=1": 0,
            "limit=0": 0,
            "marker=" + IMAGE_ID: 0,
            "sort=name:asc": 1,
        }.items():
            got = self.glance("GET", "/images?" + query)
            self.assertEqual((got.code, len(got.body["images"])), (200, number), query)
        got = self.glance("GET", "/images?limit=1")
        following = self.ask("GET", "/image" + got.body["next"])
        self.assertEqual(following.body["images"], [])
        for query, message in {
            "limit=x": "limit param must be an integer",
            "limit=-1": "limit param must be positive",
        }.items():
            got = self.glance("GET", "/images?" + query)
            self.assertEqual((got.code, self.message(got)), (400, message))
        got = self.glance("GET", "/images?marker=" + MISSING)
        self.assertEqual(self.message(got), "No image found with ID " + MISSING)

    def test_refused(self) -> None:
        """No image is made or changed, and another one does not exist."""
        before = self.glance("GET", "/images").body
        place = "/images/" + IMAGE_ID
        for method, path, action in (
            ("POST", "/images", "add_image"),
            ("PUT", place + "/file", "upload_image"),
            ("PATCH", place, "modify_image"),
            ("DELETE", place, "delete_image"),
            ("PUT", place + "/tags/t", "modify_image"),
            ("POST", place + "/members", "add_member"),
        ):
            got = self.glance(method, path, {})
            expected = f"You are not authorized to complete {action} action."
            self.assertEqual((got.code, self.message(got)), (403, expected))
        for path in ("", "/file", "/members"):
            got = self.glance("GET", "/images/" + MISSING + path)
            self.assertEqual(
                (got.code, self.message(got)), (404, "No image found with ID " + MISSING)
            )
        self.assertEqual(self.glance("GET", "/images").body, before)
        self.assertEqual(self.glance("GET", place + "/members").body["members"], [])

    def test_schemas(self) -> None:
        """The schemas name the members of the documents."""
        image = self.glance("GET", "/images/" + IMAGE_ID).body
        schema = self.glance("GET", "/schemas/image").body
        self.assertEqual(set(schema["properties"]), set(image))
        schema = self.glance("GET", "/schemas/images").body
        self.assertLessEqual({"images", "first", "schema"}, set(schema["properties"]))


class VolumeTests(CloudTests):
    """Tests of volumes that are filled from the image."""

    settings = {"transition_delay": 1.0}

    def test_filled(self) -> None:
        """A volume is downloading before it is available, bootable, and has the content."""
        got = self.volumes("POST", body={"volume": {"size": 1, "imageRef": IMAGE_ID}})
        volume_id = got.body["volume"]["id"]
        seen = []
        for _ in range(3):
            seen.append(self.status(volume_id))
            self.clock.advance(1)
        self.assertEqual(seen, ["creating", "downloading", "available"])
        volume = self.volumes("GET", "/" + volume_id).body["volume"]
        self.assertEqual((volume["bootable"], volume["size"]), ("true", 1))
        shown = volume["volume_image_metadata"]
        self.assertEqual((shown["image_id"], shown["image_name"]), (IMAGE_ID, IMAGE_NAME))
        directory = os.path.join(os.path.dirname(self.cloud.devices_directory), "volumes")
        with open(os.path.join(directory, "volume-" + volume_id), "rb") as opened:
            self.assertEqual(opened.read(IMAGE_SIZE + 1), image_content() + b"\0")
        copy = self.volumes("POST", body={"volume": {"source_volid": volume_id}})
        self.clock.pump([1] * 4)
        copied = self.volumes("GET", "/" + copy.body["volume"]["id"]).body["volume"]
        self.assertEqual(copied["status"], "available")
        self.assertEqual(copied["volume_image_metadata"], shown)

    def test_references(self) -> None:
        """The image is named by its id, its URL or its name; another one is refused."""
        for reference in ("http://x/images/" + IMAGE_ID, IMAGE_NAME, ""):
            got = self.volumes("POST", body={"volume": {"size": 1, "imageRef": reference}})
            self.assertEqual(got.code, 202)
            self.assertEqual(got.body["volume"]["bootable"], str(bool(reference)).lower())
        for wrong in (MISSING, "nosuch", 5):
            got = self.volumes("POST", body={"volume": {"size": 1, "imageRef": wrong}})
            message = "Invalid image identifier or unable to access requested image."
            self.assertEqual((got.code, got.message), (400, message))
        both = {"size": 1, "imageRef": IMAGE_ID, "source_volid": self.create()}
        self.assertEqual(self.volumes("POST", body={"volume": both}).code, 400)
