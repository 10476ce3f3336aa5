# -*- test-case-name: tests.cli.serve.test_recover -*-
"""``txstorage serve --recover``: the restoration of a lost database, once an operator agrees."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.box import Box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ...embedded.recovery import (
    Remains,
    Restorable,
    RestorableBackup,
    RestorableSnapshot,
    examine,
    restore,
)
from ...embedded.service import wall_time
from ...embedded.settings import GIB
from ...embedded.state_directory import StateDirectory
from ..app import App, CommandResult
from ..sizes import format_size
from ..tables import AdaptiveTable
from ..terminal import one_line

#: What requests have made and no file but the database keeps.
_LOST = (
    "lost with the database: transfers, servers, quotas, application credentials that users made, "
    "and projects and roles that administrators made"
)
_NOTHING_CHANGED = "Nothing was changed.  To restore this and serve it, add --yes."


def recover(app: App, state_dir: str, confirmed: bool) -> tuple[str, ...]:
    """
    Show what can be restored, and restore it when an operator agrees.

    :param confirmed: whether the operator has agreed already.
    :return: remarks, for people.
    :raises ServeError: the database is not lost, or can't be restored.
    :raises SystemExit: nobody agreed.
    """
    state = StateDirectory(state_dir)
    try:
        remains = examine(state)
        if not confirmed:
            app.say(CommandResult(to_document(remains), shown(remains)))
            if app.json or not sys.stdin.isatty():
                if not app.json:
                    click.echo(_NOTHING_CHANGED, err=True)
                raise SystemExit(1)
            click.confirm("Restore this, and serve it?", abort=True, err=True)
        restore(state, remains, wall_time)
    finally:
        state.close()
    complete = len([each for each in remains.volumes if not each.problem])
    return (
        f"recovered: {complete} of {len(remains.volumes)} volumes completely; "
        "see 'txstorage volumes list'",
        _LOST,
        *_problems(remains),
    )


def _problems(remains: Remains) -> list[str]:
    """:return: the problems, which an operator who agreed in advance has not seen."""
    document = to_document(remains)
    return [
        f"{kind} {one_line(each[kind + '_id'])}: {one_line(each['problem'])}"
        for kind in ("volume", "snapshot", "backup")
        for each in document[kind + "s"]
        if each["problem"]
    ]


def to_document(remains: Remains) -> dict[str, Any]:
    """Return the remains as a JSON value."""
    return {
        "facts": dict(remains.facts),
        "lost": list(remains.lost_facts),
        "nodes": dict(remains.nodes),
        "volumes": [_volume_document(each) for each in remains.volumes],
        "snapshots": [_snapshot_document(each) for each in remains.snapshots],
        "backups": [_backup_document(each) for each in remains.backups],
    }


def _volume_document(found: Restorable) -> dict[str, Any]:
    volume = found.volume
    return {
        "volume_id": volume.volume_id,
        "size": volume.size * GIB,
        "name": volume.name,
        "labels": dict(volume.metadata),
        "attached_to": volume.attachment.server_id if volume.attachment else None,
        "device_path": volume.attachment.node_device if volume.attachment else None,
        "problem": found.problem or None,
    }


def _snapshot_document(found: RestorableSnapshot) -> dict[str, Any]:
    snapshot = found.snapshot
    return {
        "snapshot_id": snapshot.snapshot_id,
        "volume_id": snapshot.volume_id,
        "size": snapshot.size * GIB,
        "name": snapshot.name,
        "labels": dict(snapshot.metadata),
        "problem": found.problem or None,
    }


def _backup_document(found: RestorableBackup) -> dict[str, Any]:
    backup = found.backup
    return {
        "backup_id": backup.backup_id,
        "volume_id": backup.volume_id,
        "size": backup.size * GIB,
        "name": backup.name,
        "labels": dict(backup.metadata),
        "problem": found.problem or None,
    }


def shown(remains: Remains) -> Group:
    """Return the remains for a terminal."""
    lines = [f"{name.replace('_', ' ')}: {value}" for name, value in remains.facts.items()]
    lines += [f"{name.replace('_', ' ')}: lost, will be new" for name in remains.lost_facts]
    lines += [f"node {one_line(name)}: {one_line(each)}" for name, each in remains.nodes.items()]
    lines.append(_LOST)
    volumes = [_volume_document(each) for each in remains.volumes]
    snapshots = [_snapshot_document(each) for each in remains.snapshots]
    backups = [_backup_document(each) for each in remains.backups]
    tables = [AdaptiveTable(lambda box: _table("Volume", "Device", volumes, box))]
    if snapshots:
        tables.append(AdaptiveTable(lambda box: _table("Snapshot", "Volume", snapshots, box)))
    if backups:
        tables.append(AdaptiveTable(lambda box: _table("Backup", "Volume", backups, box)))
    return Group(Text("\n".join(lines)), *tables)


#: The members of the documents that the columns of these titles show.
_MEMBERS = {
    "Backup": "backup_id",
    "Device": "device_path",
    "Snapshot": "snapshot_id",
    "Volume": "volume_id",
}


def _table(thing: str, place: str, documents: list[dict[str, Any]], box: Box | None) -> Table:
    """
    :param thing: the title of the first column.
    :param place: the title of the one before the problem.
    """
    table = Table(box=box)
    for title in (thing, "Size", "Name", place, "Problem"):
        table.add_column(title, justify="right" if title == "Size" else "left", overflow="fold")
    for each in documents:
        cells = [each["name"], each[_MEMBERS[place]], each["problem"]]
        table.add_row(
            one_line(each[_MEMBERS[thing]]),
            format_size(each["size"]),
            *(one_line(str(cell)) if cell else "-" for cell in cells),
            style="red" if each["problem"] else None,
        )
    return table


__all__ = ["recover", "shown", "to_document"]
