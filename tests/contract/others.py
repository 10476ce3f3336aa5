"""Block Storage: further features that a cloud makes no use of."""

from __future__ import annotations

from txstorage.embedded.wire import refusals, volume_refusals

from .case import MISSING, WireTests
from .exchanges import JSON
from .record import compares
from .shapes import Is

_V = "/v3/<project_id>/"
_TYPES = _V + "group_types"
_MANAGED = {
    "manageable_volumes": "volume_extension:list_manageable",
    "manageable_snapshots": "snapshot_extension:list_manageable",
    "os-volume-manage": "volume_extension:list_manageable",
    "os-snapshot-manage": "snapshot_extension:list_manageable",
}


class OtherTests(WireTests):
    """Group types, what could be managed, and what could be cleaned up."""

    @compares(
        *(f"volume GET {_TYPES}", f"volume GET {_TYPES}/<resource_id>", "NO_GROUP_TYPE"),
        *(f"volume DELETE {_TYPES}/<resource_id>", "NO_DEFAULT_GROUP_TYPE", "FORBIDDEN"),
    )
    async def test_group_types(self) -> None:
        """A cloud may have group types, none of which is the default one."""
        got = await self.cinder("GET", "/group_types", version="3.11")
        self.answered(got, 200, {"group_types": [dict, ...]}, "3.11")
        got = await self.cinder("GET", "/group_types", version="3.10")
        self.refused(got, refusals.NO_RESOURCE, version="3.10")
        path = "/group_types/" + MISSING
        got = await self.cinder("GET", path, version="3.11")
        self.refused(got, volume_refusals.NO_GROUP_TYPE, MISSING, version="3.11")
        got = await self.cinder("GET", "/group_types/default", version="3.11")
        self.refused(got, volume_refusals.NO_DEFAULT_GROUP_TYPE, version="3.11")
        got = await self.cinder("DELETE", path, version="3.11")
        self.refused(got, refusals.FORBIDDEN, "group:group_types:delete", version="3.11")
        got = await self.cinder_as("admin", "DELETE", path, version="3.11")
        self.refused(got, volume_refusals.NO_GROUP_TYPE, MISSING, version="3.11")

    @compares(
        *(f"volume GET {_V}{path}{end}" for path in _MANAGED for end in ("", "/detail")),
        *("HOST_OR_CLUSTER", "NO_PROCESS", "VOLUME_FAULT", "FORBIDDEN", "NO_RESOURCE"),
    )
    async def test_managed(self) -> None:
        """An administrator asks in vain what the back end has beside Cinder's volumes."""
        got = await self.cinder_as("admin", "GET", "/os-services?binary=cinder-volume")
        host = got.body["services"][0]["host"]
        for path, policy in _MANAGED.items():
            for end in ("", "/detail"):
                where = f"/{path}{end}"
                got = await self.cinder("GET", where, version="3.8")
                self.refused(got, refusals.FORBIDDEN, policy, version="3.8")
                got = await self.cinder_as("admin", "GET", where + "?host=no", version="3.8")
                self.refused(got, volume_refusals.NO_PROCESS, "cinder-volume", "no", version="3.8")
                got = await self.cinder_as("admin", "GET", f"{where}?host={host}", version="3.8")
                self.refused(got, refusals.VOLUME_FAULT, version="3.8")
                if path.startswith("manageable"):
                    got = await self.cinder_as("admin", "GET", where, version="3.17")
                    wanted = "One and only one of cluster and host must be set."
                    self.refused(got, volume_refusals.HOST_OR_CLUSTER, wanted, version="3.17")
                    got = await self.cinder("GET", where, version="3.7")
                    self.refused(got, refusals.NO_RESOURCE, version="3.7")

    @compares(f"volume POST {_V}workers/cleanup", "FORBIDDEN", "NO_RESOURCE")
    async def test_cleanup(self) -> None:
        """Nothing is cleaned up while all processes run."""
        path = "/workers/cleanup"
        got = await self.cinder_as("admin", "POST", path, {}, version="3.24")
        self.answered(got, 202, {"cleaning": Is([]), "unavailable": Is([])}, "3.24")
        got = await self.cinder("POST", path, {}, version="3.24")
        self.refused(got, refusals.FORBIDDEN, "workers:cleanup", version="3.24")
        got = await self.cinder_as("admin", "POST", path, {}, version="3.23")
        self.refused(got, refusals.NO_RESOURCE, version="3.23")
        self.assertEqual(got.type, JSON)

    @compares(f"volume GET {_V}extensions/<alias>", "NO_RESOURCE")
    async def test_extension(self) -> None:
        """An extension by itself is as in the list."""
        listed = (await self.cinder("GET", "/extensions")).body["extensions"]
        for each in listed[:3]:
            got = await self.cinder("GET", "/extensions/" + each["alias"])
            self.assertEqual(self.answered(got, 200, dict), {"extension": each})
        self.refused(await self.cinder("GET", "/extensions/no"), refusals.NO_RESOURCE)

    @compares(f"volume GET {_V}clusters/<resource_id>", "NO_CLUSTER", "FORBIDDEN")
    async def test_cluster(self) -> None:
        """No cluster exists, as an administrator learns."""
        got = await self.cinder_as("admin", "GET", "/clusters/no", version="3.7")
        wanted = {"binary": "cinder-volume", "name": "no"}
        self.refused(got, volume_refusals.NO_CLUSTER, wanted, version="3.7")
        got = await self.cinder("GET", "/clusters/no", version="3.7")
        self.refused(got, refusals.FORBIDDEN, "clusters:get", version="3.7")

    @compares(
        *(f"volume DELETE {_V}{path}/<resource_id>" for path in ("group_snapshots", "cgsnapshots")),
        "NO_GROUP_SNAPSHOT",
    )
    async def test_group_snapshots(self) -> None:
        """No snapshot of a group is there to be deleted."""
        for path in ("group_snapshots", "cgsnapshots"):
            got = await self.cinder("DELETE", f"/{path}/{MISSING}", version="3.14")
            self.refused(got, volume_refusals.NO_GROUP_SNAPSHOT, MISSING, version="3.14")
