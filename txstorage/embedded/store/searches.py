# -*- test-case-name: tests.embedded.store.test_searches -*-
"""
The searches for volumes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .database import Database
from .records import ATTACHED, VOLUMES, VolumeFilter, VolumeRecord

#: A label that fewer volumes have is looked up in the index.
_FEW = 100
_NOTHING = "''"
#: The keys of an order, which are the columns of Cinder's table, and the name.
KEYS = {
    # The clock may have given two volumes the same time.
    **dict.fromkeys(("created_at", "scheduled_at", "launched_at"), "volumes.sequence"),
    **dict.fromkeys(("name", "display_name"), "coalesce(volumes.name, '')"),
    "id": "volumes.id",
    "updated_at": "coalesce(volumes.updated_at, 0)",
    "display_description": "coalesce(volumes.description, '')",
    "size": "volumes.size",
    "status": "volumes.status",
    "bootable": "volumes.bootable",
    "use_quota": "(NOT volumes.root)",
    "snapshot_id": "coalesce(volumes.snapshot_id, '')",
    "source_volid": "coalesce(volumes.source_volid, '')",
    "migration_status": "coalesce(volumes.migration_status, '')",
    "project_id": "coalesce(volumes.project_id, '')",
    "user_id": "coalesce(volumes.user_id, '')",
    "volume_type_id": (
        "(SELECT volume_types.id FROM volume_types WHERE volume_types.name = volumes.volume_type)"
    ),
    "attach_status": (
        "CASE WHEN EXISTS (SELECT 1 FROM attachments WHERE volume_id = volumes.id)"
        " THEN 'attached' ELSE 'detached' END"
    ),
    **dict.fromkeys(
        (
            *("_name_id", "availability_zone", "cluster_name", "consistencygroup_id", "deleted"),
            *("deleted_at", "ec2_id", "encryption_key_id", "group_id", "host", "multiattach"),
            *("previous_status", "provider_auth"),
            *("provider_geometry", "provider_id", "provider_location"),
            *("replication_driver_data", "replication_extended_status", "replication_status"),
            *("service_uuid", "terminated_at"),
        ),
        _NOTHING,
    ),
}
#: The condition of :meth:`Searches.containing`.
_CONTAINS = (
    "instr(lower(volumes.id || ' ' || coalesce(volumes.name, '') || ' ' || status || ' '"
    " || coalesce((SELECT servers.name FROM servers WHERE servers.id = server_id), '')),"
    " lower(?)) > 0"
)
#: The same of a list of attachments.
ATTACHMENT_KEYS = {
    "created_at": "attachments.sequence",
    "id": "attachments.id",
    "volume_id": "attachments.volume_id",
    "instance_uuid": "coalesce(server_id, '')",
    "attached_host": "coalesce(host, '')",
    "mountpoint": "coalesce(device, '')",
    "attach_time": "coalesce(attached_at, 0)",
    "attach_mode": "mode",
    "attach_status": (
        "CASE WHEN status IN ('reserved', 'attaching') THEN status ELSE 'attached' END"
    ),
    **dict.fromkeys(
        ("connection_info", "connector", "deleted", "deleted_at", "detach_time", "updated_at"),
        _NOTHING,
    ),
}
_BOTH = "volumes JOIN attachments ON attachments.volume_id = volumes.id"
_UNIQUE = frozenset(["created_at", "id", "scheduled_at", "launched_at"])
Order = Sequence[tuple[str, bool]]
NEWEST_FIRST: Order = (("created_at", True),)


def _keys(order: Order, known: Mapping[str, str] = KEYS) -> list[tuple[str, bool]]:
    """:return: the expressions of an order up to the first unique one, each of them once."""
    unique = next(index for index, (name, _) in enumerate(order) if name in _UNIQUE)
    keys: dict[str, bool] = {}
    for name, descending in order[: unique + 1]:
        keys.setdefault(known[name], descending)
    return list(keys.items())


def _by(keys: list[tuple[str, bool]]) -> str:
    return ", ".join(f"{key} {'DESC' if descending else 'ASC'}" for key, descending in keys)


class Searches:
    """
    The searches for volumes.

    :param database: the store's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def volumes(
        self,
        chosen: VolumeFilter,
        before: int | None,
        limit: int,
        offset: int,
        order: Order,
    ) -> list[VolumeRecord]:
        """
        List volumes.

        :param before: the sequence number of the volume before the first.
        :param limit: the maximum number; negative for all.
        :param order: names of :data:`KEYS`, and whether their greatest value comes first; one of
            them is unique.
        """
        tables, where, parameters = chosen.conditions(self._rare(chosen))
        keys = _keys(order)
        if before is not None:
            after, values = self._after("volumes WHERE sequence = ?", before, keys)
            where.append(after)
            parameters.extend(values)
        rest = f"{' AND '.join(where)} ORDER BY {_by(keys)}"
        return self._page(tables, rest, parameters, limit, offset)

    def _after(
        self, whose: str, before: object, keys: list[tuple[str, bool]]
    ) -> tuple[str, list[object]]:
        """
        :param whose: the tables and the condition of the entry before the first.
        :param before: the condition's parameter.
        :return: the condition, with its parameters, of an entry that comes after that one.
        """
        columns = ", ".join(key for key, _ in keys)
        values = self._database.execute(f"SELECT {columns} FROM {whose}", before).fetchone()
        either, parameters = [], []
        for index, (key, descending) in enumerate(keys):
            same = [f"{each} = ?" for each, _ in keys[:index]]
            either.append(" AND ".join([*same, f"{key} {'<' if descending else '>'} ?"]))
            parameters.extend(values[: index + 1])
        return f"({' OR '.join(either)})", parameters

    def copies(self, source_id: str) -> list[str]:
        """
        :param source_id: of a volume, a snapshot or a backup.
        :return: the ids of the volumes that are still being filled from it.
        """
        rows = self._database.execute(
            "SELECT id FROM volumes"
            " WHERE status = 'creating' AND ?1 IN (snapshot_id, source_volid, backup_id)",
            source_id,
        )
        return [row["id"] for row in rows]

    def count(self, chosen: VolumeFilter) -> int:
        """Count the volumes on all pages."""
        tables, where, parameters = chosen.conditions(self._rare(chosen))
        found: int = self._database.execute(
            f"SELECT count(*) FROM {tables} WHERE {' AND '.join(where)}", *parameters
        ).fetchone()[0]
        return found

    def attached(
        self,
        wanted: Mapping[str, str],
        marker: str | None,
        limit: int,
        offset: int,
        projects: Sequence[str | None] | None = None,
        order: Order = NEWEST_FIRST,
        roots: bool = True,
    ) -> list[VolumeRecord]:
        """
        List the volumes with an attachment, by default the newest attachment first.

        :param wanted: values by the filters :data:`~txstorage.embedded.store.records.ATTACHED`.
        :param marker: the id of the attachment before the first.
        :param projects: whose volumes are listed, the first one as ``None``; without it, all are.
        :param order: as :meth:`volumes` has it, with names of :data:`ATTACHMENT_KEYS`.
        :param roots: whether root volumes are among them.
        """
        keys = _keys(order, ATTACHMENT_KEYS)
        where = ["attachments.id IS NOT NULL", *(ATTACHED[name] for name in wanted)]
        parameters: list[object] = list(wanted.values())
        if not roots:
            where.append("NOT volumes.root")
        if projects is not None:
            where.append(f"({' OR '.join(['volumes.project_id IS ?'] * len(projects)) or '0'})")
            parameters.extend(projects)
        if marker is not None:
            after, values = self._after(f"{_BOTH} WHERE attachments.id = ?", marker, keys)
            where.append(after)
            parameters.extend(values)
        rest = f"{' AND '.join(where)} ORDER BY {_by(keys)}"
        return self._page("volumes", rest, parameters, limit, offset)

    def summary(self, chosen: VolumeFilter) -> tuple[int, int, dict[str, list[str]]]:
        """:return: the number of volumes, the sum of their sizes in GiB, and all their labels."""
        tables, where, parameters = chosen.conditions()
        some = f"FROM {tables} WHERE {' AND '.join(where)}"
        row = self._database.execute(f"SELECT count(*), coalesce(sum(size), 0) {some}", *parameters)
        count, gigabytes = row.fetchone()
        labels: dict[str, list[str]] = {}
        for key, value in self._database.execute(
            "SELECT DISTINCT key, value FROM metadata"
            f" WHERE volume_id IN (SELECT volumes.id {some}) ORDER BY key, value",
            *parameters,
        ):
            labels.setdefault(key, []).append(value)
        return count, gigabytes, labels

    def containing(self, text: str, limit: int) -> tuple[list[VolumeRecord], int]:
        """
        Search for volumes by a part of their id, name or status, or of their node's name.  Root
        volumes are left out; letters of ASCII match in both cases.

        :param limit: the maximum number of volumes.
        :return: the newest of them, and the number of all.
        """
        parameters: list[object] = [text] if text else []
        where = f"NOT root AND {_CONTAINS if text else 1}"
        rest = f"{where} ORDER BY volumes.sequence DESC"
        found = self._page("volumes", rest, parameters, limit, 0)
        (count,) = self._database.execute(
            "SELECT count(*) FROM volumes LEFT JOIN attachments"
            f" ON attachments.volume_id = volumes.id WHERE {where}",
            *parameters,
        ).fetchone()
        return found, count

    def on_server(self, server_id: str, limit: int) -> list[VolumeRecord]:
        """
        List the volumes of a server without its root volume, the newest attachment first.

        :param limit: the maximum number.
        """
        rest = "server_id = ? AND by_compute AND NOT root ORDER BY attachments.sequence DESC"
        return self._page("volumes", rest, [server_id], limit, 0)

    def version(self) -> tuple[int, int]:
        """Return a value that differs from the former one if the database may have changed."""
        (others,) = self._database.execute("PRAGMA data_version").fetchone()
        return others, self._database.changes

    def _page(
        self, tables: str, rest: str, parameters: list[object], limit: int, offset: int
    ) -> list[VolumeRecord]:
        statement = f"{VOLUMES.format(tables)} WHERE {rest} LIMIT ? OFFSET ?"
        rows = self._database.execute(statement, *parameters, limit, offset)
        return [VolumeRecord.from_row(row) for row in rows]

    def _rare(self, chosen: VolumeFilter) -> str | None:
        """:return: the key of a label of a filter that few volumes have, or ``None``."""
        for key, value in (chosen.metadata or {}).items():
            row = self._database.execute(
                "SELECT count(*) FROM (SELECT 1 FROM metadata WHERE key = ? AND value = ? LIMIT ?)",
                key,
                value,
                _FEW,
            ).fetchone()
            if row[0] < _FEW:
                return key
        return None
