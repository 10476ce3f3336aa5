# -*- test-case-name: tests.cli.test_volumes -*-
"""The documents of volumes and snapshots as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import HEAVY_HEAD, Box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ...driver.places import host_place
from ..sizes import format_size
from ..tables import AdaptiveTable
from ..terminal import one_line

#: A volume or a snapshot as a JSON value.
Document = dict[str, Any]


def _cell(name: str, value: Any) -> Text:
    if name == "size":
        return Text(format_size(value))
    if isinstance(value, dict):
        value = ["{}={}".format(*item) for item in sorted(value.items())]
    if isinstance(value, list):
        return Text(one_line(", ".join(str(each) for each in value)) or "-")
    return Text("-" if value is None else one_line(str(value)))


def _places(document: Document) -> Text:
    """Show the servers, and the hosts to which another program attached the volume."""
    hosts = map(host_place, document["attached_to_hosts"])
    return _cell("attached_to", [*document["attached_to"], *hosts])


def _size_of_device(document: Document) -> Text:
    """Show the size of the device, and the difference from the volume's."""
    size = document["device_size"]
    if size is None:
        return Text("-")
    difference = size - document["size"]
    if not difference:
        return Text(format_size(size))
    than = "larger" if difference > 0 else "smaller"
    return Text(f"{size} bytes: {format_size(abs(difference))} {than} than the volume")


def _snapshots(document: Document) -> Text:
    """Show the id, the name and the status of each of a volume's snapshots."""
    if document["snapshots"] is None:
        return Text("(not permitted)")
    shown = ["{snapshot_id} '{name}' {status}".format(**each) for each in document["snapshots"]]
    return _cell("snapshots", shown)


def _origin(document: Document) -> Text:
    """Show the snapshot or the volume that a volume was made from."""
    if document["from_snapshot"] is not None:
        return _cell("origin", f"snapshot {document['from_snapshot']}")
    if document["clone_of"] is not None:
        return _cell("origin", f"volume {document['clone_of']}")
    return Text("-")


def _holders(document: Document) -> Text:
    """Show the processes that use the device, and the places at which they have it."""
    shown = [
        "{} at {}".format(
            each["command"] if each["pid"] is None else f"{each['command']} ({each['pid']})",
            each["place"],
        )
        for each in document["holders"]
    ]
    return _cell("holders", shown)


_CELLS = {
    "attached_to": _places,
    "holders": _holders,
    "device_size": _size_of_device,
    "made_from": _origin,
    "snapshots": _snapshots,
}

#: The members that a table of all members shows in the row of another, or under another name.
_ROWS = {"attached_to_hosts": None, "from_snapshot": "made_from", "clone_of": None}


def _cell_of(name: str, document: Document) -> Text:
    return _CELLS[name](document) if name in _CELLS else _cell(name, document[name])


def list_of(
    documents: Sequence[Document], names: Sequence[str], titles: Mapping[str, str]
) -> AdaptiveTable:
    """
    Show one row per document or, on a terminal so narrow that ids would be broken, one table per
    document.

    :param names: of the columns.
    :param titles: of the columns, by their names.
    """
    return AdaptiveTable(
        lambda box: _list_table(documents, names, titles, box),
        lambda: Group(*(_show_table(each, names) for each in documents)),
    )


def _list_table(
    documents: Sequence[Document],
    names: Sequence[str],
    titles: Mapping[str, str],
    box: Box | None,
) -> Table:
    table = Table(box=box)
    for name in names:
        table.add_column(
            titles[name], justify="right" if name == "size" else "left", overflow="fold"
        )
    for document in documents:
        row = [_cell_of(name, document) for name in names]
        table.add_row(*row, style="red" if document["problem"] else None)
    return table


def details_of(document: Document) -> AdaptiveTable:
    """Show everything about one volume or snapshot."""
    rows = [_ROWS.get(name, name) for name in document]
    names = [name for name in rows if name is not None]
    return AdaptiveTable(lambda box: _show_table(document, names, box))


def _show_table(document: Document, names: Sequence[str], box: Box | None = HEAVY_HEAD) -> Table:
    table = Table(show_header=False, box=box)
    for name in names:
        table.add_row(name.replace("_", " "), _cell_of(name, document))
    return table


__all__ = ["Document", "details_of", "list_of"]
