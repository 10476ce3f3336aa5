# -*- test-case-name: tests.contract.test_embedded -*-
"""
Block Storage v3's descriptions of itself: its extensions, and the filters of its lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...store.records import ATTACHED
from ...wire import refusals
from ...wire.exchange import APIRequest, APIResponse, endpoint
from ...wire.requests.routes import Routes
from ...wire.versions import VOLUME
from ..versioned import ProjectService
from .administration.pools import FILTERS as POOL_FILTERS
from .backups.requests import FILTERS as BACKUP_FILTERS
from .kinds.filters import FILTERS as TYPE_FILTERS
from .project import MESSAGE_FILTERS
from .snapshots import FILTERS as SNAPSHOT_FILTERS
from .volume_lists import FILTERS as VOLUME_FILTERS

#: The first segments of the paths after the project.
PATHS = ("extensions", "resource_filters")
#: The extensions of Cinder's that this service has: the alias, the name, and a description.
_EXTENSIONS = (
    ("os-admin-actions", "AdminActions", "Sets the status of a volume, for administrators."),
    ("backups", "Backups", "Makes and restores copies that outlive their volumes."),
    ("capabilities", "Capabilities", "Shows what the back end can do, to administrators."),
    ("os-vol-image-meta", "VolumeImageMetadata", "Keeps the metadata of a volume's image."),
    ("os-volume-transfer", "VolumeTransfer", "Transfers volumes between projects."),
    ("os-availability-zone", "AvailabilityZones", "Lists the availability zones."),
    (
        "os-extended-snapshot-attributes",
        "ExtendedSnapshotAttributes",
        "Shows the project and the progress of a snapshot.",
    ),
    ("os-extended-services", "ExtendedServices", "Shows more of the processes."),
    ("os-quota-sets", "Quotas", "Shows a project's quota."),
    ("os-services", "Services", "Disables the processes, for administrators."),
    ("os-used-limits", "UsedLimits", "Shows the usage of a project's quota."),
    ("os-vol-host-attr", "VolumeHostAttribute", "Shows a volume's pool, to administrators."),
    (
        "os-vol-mig-status-attr",
        "VolumeMigStatusAttribute",
        "Shows a volume's migration, to administrators.",
    ),
    ("os-vol-tenant-attr", "VolumeTenantAttribute", "Shows a volume's project."),
    (
        "os-volume-actions",
        "VolumeActions",
        "Extends volumes, sets their flags, records their uses.",
    ),
    ("scheduler-stats", "Scheduler_stats", "Shows the room for volumes."),
    ("os-types-manage", "TypesManage", "Makes volume types, for administrators."),
    ("os-types-extra-specs", "TypesExtraSpecs", "Keeps what a volume type asks of a back end."),
    ("os-volume-type-access", "VolumeTypeAccess", "Lets projects use a private volume type."),
    ("encryption", "VolumeTypeEncryption", "Keeps the encryption of volume types."),
    (
        "os-volume-encryption-metadata",
        "VolumeEncryptionMetadata",
        "Shows the encryption of a volume.",
    ),
    ("qos-specs", "Qos_specs_manage", "Keeps limits of volume types, for administrators."),
)
_UPDATED = "2026-11-28T00:00:00+00:00"
#: The filters of lists, by what they list.
_FILTERS: dict[str, Iterable[str]] = {
    "attachment": [name for name in ATTACHED if name != "id"],
    "backup": BACKUP_FILTERS,
    "message": MESSAGE_FILTERS,
    "pool": POOL_FILTERS,
    "snapshot": [*SNAPSHOT_FILTERS, "metadata"],
    "volume": VOLUME_FILTERS,
    "volume_type": TYPE_FILTERS,
}


class FeaturesAPI(ProjectService):
    """The service's descriptions of itself."""

    app = Routes()
    dialect = VOLUME

    @endpoint(app, "/v3/<project_id>/extensions", "GET")
    def extensions(self, call: APIRequest) -> APIResponse:
        """List the extensions."""
        view = [_extension(*each) for each in _EXTENSIONS]
        return APIResponse(200, {"extensions": view})

    @endpoint(app, "/v3/<project_id>/extensions/<alias>", "GET")
    def extension(self, call: APIRequest, alias: str) -> APIResponse:
        """Show an extension."""
        for each in _EXTENSIONS:
            if each[0] == alias:
                return APIResponse(200, {"extension": _extension(*each)})
        raise refusals.NO_RESOURCE()

    @endpoint(app, "/v3/<project_id>/resource_filters", "GET", since=(3, 33))
    def filters(self, call: APIRequest) -> APIResponse:
        """List the filters of each list, or of one."""
        wanted = call.query().get("resource")
        view = [
            {"resource": resource, "filters": sorted(filters)}
            for resource, filters in _FILTERS.items()
            if not wanted or wanted == resource
        ]
        return APIResponse(200, {"resource_filters": view})


def _extension(alias: str, name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "alias": alias,
        "description": description,
        "updated": _UPDATED,
        "links": [],
    }


__all__ = ["PATHS", "FeaturesAPI"]
