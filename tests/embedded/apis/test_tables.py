"""
Tests of the services' tables against literal lists.

The lists are those of the Block Storage, Compute and Identity API references, and of Cinder 29's
and Nova 34's responses, so that a mistake in the service's own tables is seen.
"""

from __future__ import annotations

from typing import Any

from txstorage.embedded.testing import in_memory_cloud

from ..support import CloudTests, Got

#: Cinder's statuses of a volume, with whether the volume can be deleted.
STATUSES = {
    "available": True,
    "error": True,
    "error_restoring": True,
    "error_extending": True,
    "error_managing": True,
    "creating": False,
    "deleting": False,
    "error_deleting": False,
    "managing": False,
    "attaching": False,
    "in-use": False,
    "detaching": False,
    "maintenance": False,
    "restoring-backup": False,
    "reserved": False,
    "awaiting-transfer": False,
    "backing-up": False,
    "error_backing-up": False,
    "downloading": False,
    "uploading": False,
    "retyping": False,
    "extending": False,
}
#: From the message of a refusal.
VALID_STATUSES = (
    "('creating', 'available', 'deleting', 'error', 'error_deleting', 'error_managing', "
    "'managing', 'attaching', 'in-use', 'detaching', 'maintenance', 'restoring-backup', "
    "'error_restoring', 'reserved', 'awaiting-transfer', 'backing-up', 'error_backing-up', "
    "'error_extending', 'downloading', 'uploading', 'retyping', 'extending')"
)
#: The parameters of a list, with a value of each.
VOLUME_PARAMETERS = {
    "limit": "1",
    "offset": "0",
    "sort": "name:asc",
    "sort_key": "name",
    "sort_dir": "asc",
    "all_tenants": "1",
    "name": "n",
    "status": "available",
    "metadata": "{}",
    "bootable": "true",
    "migration_status": "x",
    "availability_zone": "nova",
    "group_id": "x",
    "size": "1",
    "created_at": "gt:2020-01-01",
    "updated_at": "gt:2020-01-01",
    "consumes_quota": "true",
}
ATTACHMENT_PARAMETERS = {
    "limit": "1",
    "offset": "0",
    "sort": "id:asc",
    "sort_key": "id",
    "sort_dir": "asc",
    "all_tenants": "1",
    "volume_id": "x",
    "instance_id": "x",
    "attach_status": "attached",
    "status": "x",
}


class DeleteTests(CloudTests):
    """Tests of the statuses in which a volume can be deleted."""

    def test_every_status(self) -> None:
        """A volume can be deleted in the documented statuses, and in no other."""
        for status, deletable in STATUSES.items():
            volume_id = self.create()
            self.cloud.store.set_status(volume_id, status)
            got = self.volumes("DELETE", "/" + volume_id)
            self.assertEqual(got.code, 202 if deletable else 400, status)
            self.assertEqual(self.status(volume_id), "deleting" if deletable else status)


class ResetTests(CloudTests):
    """Tests of the statuses that ``os-reset_status`` sets."""

    def setUp(self) -> None:
        super().setUp()
        self.use(in_memory_cloud(self.clock, roles=("admin", "member")))

    def reset(self, volume_id: str, status: Any) -> Got:
        """Set a status."""
        body = {"os-reset_status": {"status": status}}
        return self.volumes("POST", f"/{volume_id}/action", body)

    def test_every_status(self) -> None:
        """Each of Cinder's statuses can be set, but ``deleting``, and ``in-use`` if unattached."""
        volume_id = self.create()
        refused = {
            "deleting": "Cannot reset-state to deleting",
            "in-use": "Cannot reset-state to in-use because volume does not have any attachments.",
        }
        for status in STATUSES:
            before = self.status(volume_id)
            got = self.reset(volume_id, status)
            if status in refused:
                self.assertEqual((got.code, got.message), (400, refused[status]))
                self.assertEqual(self.status(volume_id), before)
            else:
                self.assertEqual((got.code, self.status(volume_id)), (202, status))

    def test_in_use(self) -> None:
        """An attached volume can be set to ``in-use``."""
        volume_id = self.create()
        self.attach(volume_id)
        self.settle()
        self.assertEqual(self.reset(volume_id, "error").code, 202)
        self.assertEqual(self.reset(volume_id, "in-use").code, 202)
        self.assertEqual(self.status(volume_id), "in-use")

    def test_other_texts(self) -> None:
        """Any other text is refused with the list of the valid ones."""
        volume_id = self.create()
        for status in ("x", "err", "in_use", "migrating", "error_detaching", "available "):
            got = self.reset(volume_id, status)
            self.assertEqual(got.code, 400)
            self.assertEqual(
                got.message,
                f"Volume status: {status} is invalid, valid statuses are: {VALID_STATUSES}.",
            )
        self.assertEqual(self.status(volume_id), "available")


class ParameterTests(CloudTests):
    """Tests of the parameters of lists."""

    def assert_known(self, path: str, parameters: dict[str, str], unknown: list[str]) -> None:
        """Assert which parameters the strict microversions accept."""
        for name, value in parameters.items():
            for version in ("3.30", "3.31", "3.71"):
                got = self.cinder("GET", f"{path}?{name}={value}", version=version)
                self.assertEqual(got.code, 200, (path, name, version))
        for name in unknown:
            self.assertEqual(self.cinder("GET", f"{path}?{name}=x", version="3.30").code, 200)
            for version in ("3.31", "3.71"):
                got = self.cinder("GET", f"{path}?{name}=x", version=version)
                self.assertEqual(
                    (got.code, got.message),
                    (400, f"Invalid filters {name} are found in query options."),
                )

    def test_volumes(self) -> None:
        """The lists of volumes have the documented parameters; others are refused from 3.31."""
        for path in ("/volumes", "/volumes/detail"):
            self.assert_known(path, VOLUME_PARAMETERS, ["x", "limits", "Name", "with-count", "id"])
            marker = self.create()
            self.assertEqual(self.cinder("GET", f"{path}?marker={marker}").code, 200)
            got = self.cinder("GET", f"{path}?marker={marker}", version="3.71")
            self.assertEqual(got.code, 200)

    def test_attachments(self) -> None:
        """The lists of attachments likewise."""
        for path in ("/attachments", "/attachments/detail"):
            self.assert_known(path, ATTACHMENT_PARAMETERS, ["x", "name", "volume", "instance"])

    def test_filters(self) -> None:
        """Each filter selects; each other parameter does not."""
        for name in ("b", "a"):
            self.create(name=name)
        everything = ["a", "b", "node-2-root", "node-1-root"]
        for parameter, expected in (
            ("name=a", ["a"]),
            ("status=available", ["a", "b"]),
            ("status=error", []),
            ("metadata={'k':'v'}", []),
            ("limit=1", ["a"]),
            ("offset=1", ["b", "node-2-root", "node-1-root"]),
        ):
            got = self.volumes("GET", "?" + parameter, version="3.71")
            self.assertEqual([each["name"] for each in got.body["volumes"]], expected, parameter)
        for parameter in ("sort=name:asc", "sort_key=name", "sort_dir=asc", "all_tenants=1"):
            got = self.volumes("GET", "?" + parameter, version="3.71")
            shown = [each["name"] for each in got.body["volumes"]]
            self.assertEqual(sorted(shown), sorted(everything), parameter)


class ExpiryTests(CloudTests):
    """Tests of the end of a token."""

    settings: dict[str, Any] = {"token_lifetime": 100.0}

    def codes(self) -> list[int]:
        """The statuses of a request with the token to each service."""
        subject = {"X_Subject_Token": self.token or ""}
        return [
            self.volumes("GET").code,
            self.nova("GET", "/servers").code,
            self.ask("GET", "/identity/v3/auth/tokens", **subject).code,
            self.cinder("GET", "/attachments", version="3.27").code,
        ]

    def test_end(self) -> None:
        """A token is valid until the moment that its description names, in every service."""
        # Issued at 1000.5, of which the wire has the whole seconds.
        self.clock.advance(99.25)
        self.assertEqual(self.codes(), [200] * 4)
        self.clock.advance(0.25)
        self.assertEqual(self.clock.seconds(), 1100)
        self.assertEqual(self.codes(), [401] * 4)

    def test_default(self) -> None:
        """Without a setting, a token is valid for an hour."""
        self.settings = {}
        self.use(in_memory_cloud(self.clock))
        self.clock.advance(3599)
        self.assertEqual(self.codes(), [200] * 4)
        self.clock.advance(1)
        self.assertEqual(self.codes(), [401] * 4)


class MicroversionTests(CloudTests):
    """Tests of what each microversion adds."""

    def test_range(self) -> None:
        """The supported versions are Cinder's and Nova's; the next ones on both sides are not."""
        for version, code in (
            ("2.99", 406),
            ("3.0", 200),
            ("3.71", 200),
            ("3.72", 406),
            ("4.0", 406),
        ):
            self.assertEqual(self.volumes("GET", version=version).code, code, version)
        for version, code in (
            ("1.99", 406),
            ("2.0", 406),
            ("2.1", 200),
            ("2.104", 200),
            ("2.105", 406),
            ("3.1", 406),
        ):
            self.assertEqual(self.nova("GET", "/servers", version=version).code, code, version)

    def test_routes(self) -> None:
        """A route exists from its microversion on; before, it is 404."""
        for method, path, before, since, code in (
            ("GET", "/messages", "3.2", "3.3", 200),
            ("GET", "/attachments", "3.26", "3.27", 200),
            ("GET", "/attachments/detail", "3.26", "3.27", 200),
            ("POST", "/attachments", "3.26", "3.27", 400),
            ("POST", "/attachments/x/action", "3.43", "3.44", 400),
        ):
            body = {} if method == "POST" else None
            early = self.cinder(method, path, body, before)
            self.assertEqual(
                (early.code, early.message), (404, "The resource could not be found."), path
            )
            self.assertEqual(self.cinder(method, path, body, since).code, code, path)

    def test_volume_fields(self) -> None:
        """A volume has each later field from its microversion on."""
        volume_id = self.create()
        for names, before, since in (
            (["group_id"], "3.12", "3.13"),
            (["shared_targets", "service_uuid"], "3.47", "3.48"),
            (["volume_type_id"], "3.62", "3.63"),
            (["consumes_quota"], "3.64", "3.65"),
        ):
            early = self.volumes("GET", "/" + volume_id, version=before).body["volume"]
            late = self.volumes("GET", "/" + volume_id, version=since).body["volume"]
            self.assertEqual(sorted(set(late) - set(early)), sorted(names))

    def test_count(self) -> None:
        """A list has its count from 3.45 on, when it is asked for."""
        for version, query, expected in (
            ("3.44", "?with_count=true", False),
            ("3.45", "?with_count=true", True),
            ("3.45", "?with_count=1", True),
            ("3.45", "?with_count=false", False),
            ("3.45", "", False),
        ):
            got = self.volumes("GET", query, version=version)
            self.assertEqual("count" in got.body, expected, (version, query))

    def test_mode(self) -> None:
        """An attachment has a mode from 3.54 on."""
        volume_id = self.create()
        body = {"attachment": {"volume_uuid": volume_id, "mode": "ro"}}
        self.assertEqual(self.cinder("POST", "/attachments", body, "3.53").code, 400)
        got = self.cinder("POST", "/attachments", body, "3.54")
        self.assertEqual((got.code, got.body["attachment"]["attach_mode"]), (200, "ro"))

    def test_message_filters(self) -> None:
        """Messages have filters and pages from 3.5 on."""
        self.cloud.store.messages.add(self.create(), "why")
        for version, expected in (("3.4", 1), ("3.5", 0)):
            got = self.cinder("GET", "/messages?resource_uuid=x", version=version)
            self.assertEqual(len(got.body["messages"]), expected, version)

    def test_attachment_fields(self) -> None:
        """Compute's attachment has each later field from its microversion on."""
        self.attach(self.create())
        self.settle()
        basic = {"id", "serverId", "volumeId", "device"}
        for version, expected in (
            ("2.1", basic),
            ("2.69", basic),
            ("2.70", basic | {"tag"}),
            ("2.78", basic | {"tag"}),
            ("2.79", basic | {"tag", "delete_on_termination"}),
            ("2.88", basic | {"tag", "delete_on_termination"}),
            (
                "2.89",
                basic - {"id"} | {"tag", "delete_on_termination", "attachment_id", "bdm_uuid"},
            ),
        ):
            for each in self.attachments(version=version):
                self.assertEqual(set(each), expected, version)

    def test_asynchronous_attach(self) -> None:
        """From 2.101 on, the response to an attach is 202 without a body."""
        for version, code in (("2.100", 200), ("2.101", 202)):
            got = self.attach(self.create(), version=version)
            self.assertEqual((got.code, got.body is None), (code, code == 202), version)
