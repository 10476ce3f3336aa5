"""Several users: projects that don't see each other, readers, and what administrators change."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import account_refusals, refusals

from .case import MISSING, WireTests
from .exchanges import JSON, Answer
from .record import compares
from .shapes import INSTANT, NULL, Having, Is

_VOLUME = "volume {} /v3/<project_id>/volumes"
_ONE = _VOLUME + "/<volume_id>"
_TYPES = "volume {} /v3/<project_id>/types"
_TYPE = _TYPES + "/<type_id>"
_SPECS = _TYPE + "/extra_specs"
_QUOTA = "volume {} /v3/<project_id>/os-quota-sets/<quota_project>"
_SERVER = "compute {} /v2.1/servers/<server_id>"
_NEW = {"volume": {"size": 1}}


class ProjectTests(WireTests):
    """Another project's resources do not exist; for an administrator, they do."""

    @compares(
        *(_ONE.format("GET"), _ONE.format("DELETE"), _ONE.format("POST") + "/action"),
        *(_VOLUME.format("POST"), "volume POST /v3/<project_id>/snapshots", "NO_VOLUME"),
        *(f"{_ONE.format('GET')}/metadata", f"{_ONE.format('PUT')}/metadata"),
    )
    async def test_volume(self) -> None:
        """Another project's volume is 404, whatever is asked of it."""
        volume_id = await self.volume()
        path = "/volumes/" + volume_id
        for method, where, body in (
            ("GET", path, None),
            ("DELETE", path, None),
            ("GET", path + "/metadata", None),
            ("PUT", path + "/metadata", {"metadata": {}}),
            ("POST", path + "/action", {"os-extend": {"new_size": 2}}),
            ("POST", path + "/action", {"os-reset_status": {"status": "error"}}),
            ("POST", path + "/action", {"os-force_delete": {}}),
            ("POST", "/volumes", {"volume": {"source_volid": volume_id}}),
            ("POST", "/snapshots", {"snapshot": {"volume_id": volume_id}}),
        ):
            got = await self.cinder_as("other", method, where, body)
            self.refused(got, refusals.NO_VOLUME, volume_id)
        self.assertEqual((await self.seen(volume_id))["status"], "available")

    @compares(
        "volume GET /v3/<project_id>/snapshots/<snapshot_id>",
        "volume PUT /v3/<project_id>/snapshots/<snapshot_id>",
        "volume DELETE /v3/<project_id>/snapshots/<snapshot_id>",
        *(_VOLUME.format("POST"), "NO_SNAPSHOT"),
    )
    async def test_snapshot(self) -> None:
        """Another project's snapshot is 404, and can't fill a volume."""
        snapshot_id = await self.snapshot(await self.volume())
        path = "/snapshots/" + snapshot_id
        for method, where, body in (
            ("GET", path, None),
            ("DELETE", path, None),
            ("PUT", path, {"snapshot": {"name": "stolen"}}),
            ("POST", "/volumes", {"volume": {"snapshot_id": snapshot_id}}),
        ):
            got = await self.cinder_as("other", method, where, body)
            self.refused(got, refusals.NO_SNAPSHOT, snapshot_id)

    @compares(
        "volume GET /v3/<project_id>/attachments",
        "volume POST /v3/<project_id>/attachments",
        "NO_VOLUME",
    )
    async def test_attachment(self) -> None:
        """
        Another project's attachment is not listed, and its volume can't be reserved.  Cinder
        reveals an attachment to any user that knows its id, which the embedded service does not.
        """
        volume_id = await self.volume()
        body = {"attachment": {"volume_uuid": volume_id}}
        got = await self.cinder_as("other", "POST", "/attachments", body, version="3.27")
        self.refused(got, refusals.NO_VOLUME, volume_id, version="3.27")
        got = await self.cinder("POST", "/attachments", body, version="3.27")
        attachment_id = got.body["attachment"]["id"]
        got = await self.cinder_as("other", "GET", "/attachments", version="3.27")
        self.assertNotIn(attachment_id, [each["id"] for each in got.body["attachments"]])

    @compares(
        *(_SERVER.format("GET"), _SERVER.format("POST") + "/action"),
        _SERVER.format("GET") + "/os-volume_attachments",
        _SERVER.format("POST") + "/os-volume_attachments",
        "NO_SERVER",
    )
    async def test_server(self) -> None:
        """Another project's server is 404."""
        server_id = self.target.servers[0]
        path = "/servers/" + server_id
        attachments = path + "/os-volume_attachments"
        body = {"volumeAttachment": {"volumeId": MISSING}}
        for method, where, wanted in (
            ("GET", path, None),
            ("GET", attachments, None),
            ("POST", attachments, body),
        ):
            got = await self.nova_as("other", method, where, wanted)
            self.refused(got, refusals.NO_SERVER, server_id)
        got = await self.nova_as("other", "POST", path + "/action", {"os-stop": None})
        self.refused(got, refusals.NO_SERVER, server_id)
        got = await self.nova_as("other", "GET", "/servers")
        self.assertNotIn(server_id, [each["id"] for each in got.body["servers"]])

    @compares(
        *(_VOLUME.format("GET"), _VOLUME.format("GET") + "/detail", _ONE.format("GET")),
        *("volume GET /v3/<project_id>/snapshots", _VOLUME.format("GET") + "/summary"),
    )
    async def test_all(self) -> None:
        """
        An administrator sees other projects' volumes by their ids, and in lists on request, all or
        one project's; members of the answers name the owner.
        """
        admin, own = await self.admin(), self.session.project
        volume_id = await self.volume()
        snapshot_id = await self.snapshot(volume_id)
        got = await self.cinder_as("admin", "GET", "/volumes/" + volume_id)
        volume = got.body["volume"]
        self.assertEqual(volume["os-vol-tenant-attr:tenant_id"], own)
        self.assertEqual(volume["user_id"], self.session.user_id)
        self.assertIn("os-vol-host-attr:host", volume)
        for query, shown in (
            ("", False),
            ("?all_tenants=0", False),
            ("?all_tenants=1", True),
            (f"?all_tenants=1&project_id={own}", True),
            (f"?all_tenants=1&project_id={admin.project}", False),
            (f"?project_id={own}", False),
        ):
            for kind, object_id in (("volumes", volume_id), ("snapshots", snapshot_id)):
                got = await self.cinder_as("admin", "GET", f"/{kind}{query}")
                ids = [each["id"] for each in got.body[kind]]
                self.assertEqual(object_id in ids, shown, (kind, query))
            got = await self.cinder("GET", "/volumes/detail" + query)
            self.assertIn(volume_id, [each["id"] for each in got.body["volumes"]], query)
            got = await self.cinder_as("other", "GET", "/volumes/detail" + query)
            self.assertNotIn(volume_id, [each["id"] for each in got.body["volumes"]], query)
        counts = [
            (await self.cinder_as("admin", "GET", "/volumes/summary" + query, version="3.12")).body
            for query in ("", "?all_tenants=1")
        ]
        few, all_of_them = (each["volume-summary"]["total_count"] for each in counts)
        self.assertLess(few, all_of_them)

    @compares(_ONE.format("POST") + "/action", "NO_VOLUME")
    async def test_force_delete(self) -> None:
        """An administrator deletes a volume in any status."""
        volume_id = await self.volume()
        await self.reset(volume_id, "creating")
        path = f"/volumes/{volume_id}/action"
        got = await self.cinder_as("admin", "POST", path, {"os-force_delete": {}})
        self.answered(got, 202)
        await self.until(volume_id, "404")
        got = await self.cinder_as("admin", "POST", path, {"os-force_delete": {}})
        self.refused(got, refusals.NO_VOLUME, volume_id)

    @compares(
        "volume POST /v3/<project_id>/snapshots/<snapshot_id>/action",
        *("NO_SNAPSHOT", "FORBIDDEN", "BAD_SNAPSHOT_STATUS", "NO_VOLUME_ACTION"),
        "MISSING_FIELD[volume]",
    )
    async def test_snapshot_actions(self) -> None:
        """An administrator sets a snapshot's status, and deletes it in any status."""
        snapshot_id = await self.snapshot(await self.volume())
        path = f"/snapshots/{snapshot_id}/action"
        reset = {"os-reset_status": {"status": "creating"}}
        for body, name in ((reset, "reset_status"), ({"os-force_delete": {}}, "force_delete")):
            got = await self.cinder_as("other", "POST", path, body)
            self.refused(got, refusals.NO_SNAPSHOT, snapshot_id)
            got = await self.cinder("POST", path, body)
            policy = "volume_extension:snapshot_admin_actions:" + name
            self.refused(got, refusals.FORBIDDEN, policy)
        wrong = {"os-reset_status": {"status": "nope"}}
        got = await self.cinder_as("admin", "POST", path, wrong)
        self.refused(got, account_refusals.BAD_SNAPSHOT_STATUS, "nope", ...)
        got = await self.cinder_as("admin", "POST", path, {"os-reset_status": {}})
        wanted = refusals.MISSING_FIELD.by_service["volume"]
        self.refused(got, wanted, "os-reset_status", {}, "status")
        got = await self.cinder_as("admin", "POST", path, {"more": {}})
        self.refused(got, refusals.NO_VOLUME_ACTION, "more")
        self.answered(await self.cinder_as("admin", "POST", path, reset), 202)
        self.assertEqual((await self.seen(snapshot_id, "snapshot"))["status"], "creating")
        got = await self.cinder_as("admin", "POST", path, {"os-force_delete": {}})
        self.answered(got, 202)
        await self.until(snapshot_id, "404", "snapshot")


class RoleTests(WireTests):
    """A reader sees what is the project's, and changes nothing."""

    def forbidden(self, got: Answer, policy: str, version: str = "") -> None:
        """Assert that a response is Cinder's 403 that names a policy."""
        self.refused(got, refusals.FORBIDDEN, policy, version=version)

    @compares(
        *(_VOLUME.format("POST"), _ONE.format("DELETE"), _ONE.format("POST") + "/action"),
        *(_ONE.format("POST") + "/metadata", _ONE.format("PUT") + "/metadata", "FORBIDDEN"),
        *(_ONE.format("PUT") + "/metadata/<key>", _ONE.format("DELETE") + "/metadata/<key>"),
        *(_ONE.format("GET"), _VOLUME.format("GET") + "/detail"),
    )
    async def test_volume(self) -> None:
        """A reader reads volumes, and may not make, change or delete them."""
        volume_id = await self.volume(metadata={"k": "v"})
        path = "/volumes/" + volume_id
        for method, where, body, policy in (
            ("POST", "/volumes", _NEW, "volume:create"),
            ("DELETE", path, None, "volume:delete"),
            ("POST", path + "/metadata", {"metadata": {}}, "volume:create_volume_metadata"),
            ("PUT", path + "/metadata", {"metadata": {}}, "volume:update_volume_metadata"),
            ("PUT", path + "/metadata/k", {"meta": {"k": "w"}}, "volume:update_volume_metadata"),
            ("DELETE", path + "/metadata/k", None, "volume:delete_volume_metadata"),
            ("POST", path + "/action", {"os-extend": {"new_size": 2}}, "volume:extend"),
            (
                "POST",
                path + "/action",
                {"os-reset_status": {"status": "error"}},
                "volume_extension:volume_admin_actions:reset_status",
            ),
            (
                "POST",
                path + "/action",
                {"os-force_delete": {}},
                "volume_extension:volume_admin_actions:force_delete",
            ),
        ):
            self.forbidden(await self.cinder_as("reader", method, where, body), policy)
        got = await self.cinder_as("reader", "GET", path)
        self.assertEqual(got.body["volume"]["metadata"], {"k": "v"})
        got = await self.cinder_as("reader", "GET", "/volumes/detail")
        self.assertIn(volume_id, [each["id"] for each in got.body["volumes"]])

    @compares(
        "volume POST /v3/<project_id>/snapshots",
        "volume PUT /v3/<project_id>/snapshots/<snapshot_id>",
        "volume DELETE /v3/<project_id>/snapshots/<snapshot_id>",
        "volume POST /v3/<project_id>/snapshots/<snapshot_id>/metadata",
        "volume PUT /v3/<project_id>/snapshots/<snapshot_id>/metadata",
        "volume PUT /v3/<project_id>/snapshots/<snapshot_id>/metadata/<key>",
        "volume DELETE /v3/<project_id>/snapshots/<snapshot_id>/metadata/<key>",
        "FORBIDDEN",
    )
    async def test_snapshot(self) -> None:
        """A reader may not make, change or delete snapshots."""
        volume_id = await self.volume()
        path = "/snapshots/" + await self.snapshot(volume_id, metadata={"k": "v"})
        labels = "volume:{}_snapshot_metadata"
        for method, where, body, policy in (
            (
                "POST",
                "/snapshots",
                {"snapshot": {"volume_id": volume_id}},
                "volume:create_snapshot",
            ),
            ("PUT", path, {"snapshot": {"name": "n"}}, "volume:update_snapshot"),
            ("DELETE", path, None, "volume:delete_snapshot"),
            ("POST", path + "/metadata", {"metadata": {}}, labels.format("update")),
            ("PUT", path + "/metadata", {"metadata": {}}, labels.format("update")),
            ("PUT", path + "/metadata/k", {"meta": {"k": "w"}}, labels.format("update")),
            ("DELETE", path + "/metadata/k", None, labels.format("delete")),
        ):
            self.forbidden(await self.cinder_as("reader", method, where, body), policy)
        got = await self.cinder_as("reader", "GET", path)
        self.assertEqual(got.body["snapshot"]["metadata"], {"k": "v"})

    @compares(
        "volume POST /v3/<project_id>/attachments",
        "volume PUT /v3/<project_id>/attachments/<attachment_id>",
        "volume POST /v3/<project_id>/attachments/<attachment_id>/action",
        "volume DELETE /v3/<project_id>/attachments/<attachment_id>",
        "volume GET /v3/<project_id>/attachments/<attachment_id>",
        "FORBIDDEN",
    )
    async def test_attachment(self) -> None:
        """A reader reads attachments, and may not reserve, connect, complete or end them."""
        volume_id = await self.volume()
        body = {"attachment": {"volume_uuid": volume_id}}
        got = await self.cinder_as("reader", "POST", "/attachments", body, version="3.44")
        self.forbidden(got, "volume:attachment_create", "3.44")
        got = await self.cinder("POST", "/attachments", body, version="3.44")
        path = "/attachments/" + got.body["attachment"]["id"]
        connector = {"attachment": {"connector": {"host": "h"}}}
        for method, where, wanted, policy in (
            ("PUT", path, connector, "volume:attachment_update"),
            ("POST", path + "/action", {"os-complete": {}}, "volume:attachment_complete"),
            ("DELETE", path, None, "volume:attachment_delete"),
        ):
            got = await self.cinder_as("reader", method, where, wanted, version="3.44")
            self.forbidden(got, policy, "3.44")
        got = await self.cinder_as("reader", "GET", path, version="3.44")
        self.assertEqual(got.status, 200)

    @compares(
        _SERVER.format("POST") + "/action",
        _SERVER.format("POST") + "/os-volume_attachments",
        _SERVER.format("DELETE") + "/os-volume_attachments/<volume_id>",
        *(_SERVER.format("GET"), "FORBIDDEN_BY_COMPUTE"),
    )
    async def test_server(self) -> None:
        """A reader reads servers, and may not turn them off, or attach or detach."""
        volume_id, _ = await self.attached()
        path = f"/servers/{self.target.servers[0]}"
        policy = "os_compute_api:os-volumes-attachments:"
        attachments = path + "/os-volume_attachments"
        body = {"volumeAttachment": {"volumeId": volume_id}}
        for method, where, wanted, name in (
            ("POST", path + "/action", {"os-stop": None}, "os_compute_api:servers:stop"),
            ("POST", attachments, body, policy + "create"),
            ("DELETE", f"{attachments}/{volume_id}", None, policy + "delete"),
        ):
            got = await self.nova_as("reader", method, where, wanted)
            self.refused(got, refusals.FORBIDDEN_BY_COMPUTE, name)
        self.assertEqual((await self.nova_as("reader", "GET", path)).status, 200)
        self.assertEqual((await self.nova_as("reader", "GET", attachments)).status, 200)


class QuotaTests(WireTests):
    """Quotas of projects, and the services."""

    async def setUp(self) -> None:
        await super().setUp()
        other = await self.session_of("other")
        self.path = "/os-quota-sets/" + other.project
        before = (await self.cinder_as("admin", "GET", self.path)).body["quota_set"]
        self.before = {name: before[name] for name in ("volumes", "gigabytes", "snapshots")}

    async def _clean_up(self) -> None:
        await self.put(**self.before)
        await super()._clean_up()

    async def put(self, **quota: object) -> Answer:
        """Set the quota of the other project."""
        return await self.cinder_as("admin", "PUT", self.path, {"quota_set": quota})

    async def shown(self, suffix: str = "") -> dict[str, Any]:
        """Return a quota of the other project."""
        got = await self.cinder_as("admin", "GET", self.path + suffix)
        shape = Having(volumes=int, gigabytes=int, snapshots=int, id=str)
        found: dict[str, Any] = self.answered(got, 200, {"quota_set": shape})["quota_set"]
        return found

    @compares(
        *(_QUOTA.format("PUT"), _QUOTA.format("GET"), _QUOTA.format("DELETE")),
        *(_QUOTA.format("GET") + "/defaults", _VOLUME.format("POST"), "OVER_VOLUMES"),
        "OVER_GIGABYTES",
    )
    async def test_set(self) -> None:
        """A quota holds for its project alone, until it is deleted."""
        got = await self.cinder_as("admin", "GET", self.path + "?usage=true")
        # Cinder keeps what it reserved for a transfer that failed at its snapshots.
        used = {
            name: got.body["quota_set"][name]["in_use"] + got.body["quota_set"][name]["reserved"]
            for name in ("volumes", "gigabytes")
        }
        got = await self.put(volumes=used["volumes"])
        shape = Having(volumes=Is(used["volumes"]), gigabytes=int, snapshots=int)
        body = self.answered(got, 200, {"quota_set": shape})
        self.assertNotIn("id", body["quota_set"])
        self.assertEqual((await self.shown())["volumes"], used["volumes"])
        got = await self.cinder_as("other", "POST", "/volumes", _NEW)
        self.refused(got, refusals.OVER_VOLUMES, used["volumes"], "volumes")
        await self.put(volumes=-1, gigabytes=used["gigabytes"])
        got = await self.cinder_as("other", "POST", "/volumes", _NEW)
        most = used["gigabytes"]
        self.refused(got, refusals.OVER_GIGABYTES, "gigabytes", 1, most, most)
        await self.volume()
        got = await self.cinder_as("admin", "DELETE", self.path)
        self.empty(got, 200, type=JSON)
        self.assertEqual(await self.shown(), await self.shown("/defaults"))

    @compares(
        *(_QUOTA.format("PUT"), "QUOTA_TOO_SMALL", "QUOTA_TOO_GREAT", "QUOTA_IS_NO_NUMBER"),
        *("UNKNOWN_QUOTA", "IS_EMPTY", "MISSING_MEMBER[volume]", "INCORRECT", "QUOTA_BELOW_USE"),
    )
    async def test_malformed(self) -> None:
        """A quota is an integer from -1 on, of something that has a quota."""
        for quota, refusal, values in (
            ({"volumes": -2}, account_refusals.QUOTA_TOO_SMALL, ("volumes",)),
            ({"volumes": 2**31}, account_refusals.QUOTA_TOO_GREAT, ("volumes",)),
            ({"volumes": "x"}, account_refusals.QUOTA_IS_NO_NUMBER, ("volumes",)),
            ({"volumes": "4"}, refusals.INCORRECT, ()),
            ({"more": 1}, account_refusals.UNKNOWN_QUOTA, ("more",)),
            ({}, refusals.IS_EMPTY, ("quota_set", {}, {})),
        ):
            self.refused(await self.put(**quota), refusal, *values)
        got = await self.cinder_as("admin", "PUT", self.path, {})
        self.refused(got, refusals.MISSING_MEMBER.by_service["volume"], "quota_set")
        await self.volume()
        own = "/os-quota-sets/" + self.session.project
        got = await self.cinder_as("admin", "PUT", own, {"quota_set": {"volumes": 0}})
        self.refused(got, account_refusals.QUOTA_BELOW_USE, "volumes", ..., 0)

    @compares(
        *(_QUOTA.format("PUT"), _QUOTA.format("GET"), _QUOTA.format("DELETE"), "FORBIDDEN"),
        _QUOTA.format("GET") + "/defaults",
    )
    async def test_forbidden(self) -> None:
        """Only an administrator changes quotas, or sees another project's."""
        for method, where, body, policy in (
            ("PUT", "", {"quota_set": {"volumes": 1}}, "update"),
            ("DELETE", "", None, "delete"),
        ):
            got = await self.cinder_as("other", method, self.path + where, body)
            self.refused(got, refusals.FORBIDDEN, "volume_extension:quotas:" + policy)
        for where in ("", "/defaults"):
            got = await self.cinder("GET", self.path + where)
            self.refused(got, refusals.FORBIDDEN, "volume_extension:quotas:show")
            got = await self.cinder_as("other", "GET", self.path + where)
            self.assertEqual(got.status, 200)

    @compares("volume GET /v3/<project_id>/os-services", "FORBIDDEN")
    async def test_services(self) -> None:
        """An administrator sees the services."""
        scheduler = {
            "binary": str,
            "host": str,
            "zone": Is("nova"),
            "status": Is("enabled"),
            "state": Is("up"),
            "updated_at": INSTANT,
            "disabled_reason": NULL,
        }
        volume = {
            **scheduler,
            "replication_status": Is("disabled"),
            "active_backend_id": NULL,
            "frozen": Is(False),
        }
        got = await self.cinder_as("admin", "GET", "/os-services")
        self.answered(got, 200, {"services": [(scheduler, volume), ...]})
        # A cloud may have no backups.
        binaries = {each["binary"] for each in got.body["services"]}
        self.assertEqual(binaries - {"cinder-backup"}, {"cinder-volume", "cinder-scheduler"})
        got = await self.cinder_as("admin", "GET", "/os-services?binary=cinder-volume")
        self.answered(got, 200, {"services": [volume]})
        got = await self.cinder("GET", "/os-services")
        self.refused(got, refusals.FORBIDDEN, "volume_extension:services:index")


__all__ = ["ProjectTests", "QuotaTests", "RoleTests"]
