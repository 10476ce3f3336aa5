# -*- test-case-name: tests.cli.serve.test_recover -*-
"""``txstorage serve --recover``: the restoration of a lost database, once an operator agrees."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click
from rich.box import Box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ...embedded.recovery import Remains, Restorable, examine, restore
from ...embedded.service import wall_time
from ...embedded.settings import GIB
from ...embedded.state_directory import StateDirectory
from ...embedded.store.records import VolumeRecord
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
        "snapshots": [
            _document(each, "snapshot_id", volume_id=each.record.volume_id)
            for each in remains.snapshots
        ],
        "backups": [
            _document(each, "backup_id", volume_id=each.record.volume_id)
            for each in remains.backups
        ],
    }


def _document(found: Restorable[Any], key: str, **more: object) -> dict[str, Any]:
    """
    :param key: the name of the id.
    :param more: the members that only this kind of thing has.
    """
    record = found.record
    return {
        key: getattr(record, key),
        "size": record.size * GIB,
        "name": record.name,
        "labels": dict(record.metadata),
        **more,
        "problem": found.problem or None,
    }


def _volume_document(found: Restorable[VolumeRecord]) -> dict[str, Any]:
    attachment = found.record.attachment
    return _document(
        found,
        "volume_id",
        attached_to=attachment.server_id if attachment else None,
        device_path=attachment.node_device if attachment else None,
    )


def shown(remains: Remains) -> Group:
    """Return the remains for a terminal."""
    lines = [f"{name.replace('_', ' ')}: {value}" for name, value in remains.facts.items()]
    lines += [f"{name.replace('_', ' ')}: lost, will be new" for name in remains.lost_facts]
    lines += [f"node {one_line(name)}: {one_line(each)}" for name, each in remains.nodes.items()]
    lines.append(_LOST)
    document = to_document(remains)
    tables = [
        AdaptiveTable(partial(_table, thing, place, document[thing.lower() + "s"]))
        for thing, place in (("Volume", "Device"), ("Snapshot", "Volume"), ("Backup", "Volume"))
        if thing == "Volume" or document[thing.lower() + "s"]
    ]
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
