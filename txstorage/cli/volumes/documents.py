# -*- test-case-name: tests.cli.test_volumes -*-
"""Volumes as JSON values and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.box import HEAVY_HEAD, Box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ...clouds import Attachment, Volume
from ...driver.labels import dataset_of
from ...driver.places import host_place
from ...errors import MalformedLabels
from ..sizes import format_size
from ..tables import AdaptiveTable
from ..terminal import one_line
from .columns import COLUMNS


def to_document(volume: Volume) -> dict[str, Any]:
    """
    :return: a volume of this cluster as a JSON value; ``problem`` is the reason if its labels don't
        identify a dataset, and ``None`` otherwise.
    """
    dataset_id, problem = None, None
    attachments: tuple[Attachment, ...] = volume.attachments
    try:
        dataset_id = str(dataset_of(volume))
    except MalformedLabels as error:
        problem = error.message
    return {
        "volume_id": volume.volume_id,
        "dataset_id": dataset_id,
        "size": volume.size,
        "status": volume.status,
        "attached_to": [each.server_id for each in attachments if each.server_id],
        "attached_to_hosts": [each.host_name for each in attachments if not each.server_id],
        "volume_type": volume.volume_type,
        "name": volume.name,
        "created_at": volume.created_at,
        "labels": dict(volume.labels),
        "problem": problem,
    }


def _cell(name: str, value: Any) -> Text:
    if name == "size":
        return Text(format_size(value))
    if isinstance(value, dict):
        value = ["{}={}".format(*item) for item in sorted(value.items())]
    if isinstance(value, list):
        return Text(one_line(", ".join(str(each) for each in value)) or "-")
    return Text("-" if value is None else one_line(str(value)))


def _places(document: dict[str, Any]) -> Text:
    """Show the servers, and the hosts to which another program attached the volume."""
    hosts = map(host_place, document["attached_to_hosts"])
    return _cell("attached_to", [*document["attached_to"], *hosts])


def _size_of_device(document: dict[str, Any]) -> Text:
    """Show the size of the device, and the difference from the volume's."""
    size = document["device_size"]
    if size is None:
        return Text("-")
    difference = size - document["size"]
    if not difference:
        return Text(format_size(size))
    than = "larger" if difference > 0 else "smaller"
    return Text(f"{size} bytes: {format_size(abs(difference))} {than} than the volume")


_CELLS = {"attached_to": _places, "device_size": _size_of_device}


def _cell_of(name: str, document: dict[str, Any]) -> Text:
    return _CELLS[name](document) if name in _CELLS else _cell(name, document[name])


def list_of(documents: Sequence[dict[str, Any]], names: Sequence[str]) -> AdaptiveTable:
    """
    Show one row per volume or, on a terminal so narrow that ids would be broken, one table per
    volume.

    :param names: of the columns.
    """
    return AdaptiveTable(
        lambda box: _list_table(documents, names, box),
        lambda: Group(*(_show_table(each, names) for each in documents)),
    )


def _list_table(
    documents: Sequence[dict[str, Any]], names: Sequence[str], box: Box | None
) -> Table:
    table = Table(box=box)
    for name in names:
        table.add_column(
            COLUMNS[name], justify="right" if name == "size" else "left", overflow="fold"
        )
    for document in documents:
        row = [_cell_of(name, document) for name in names]
        table.add_row(*row, style="red" if document["problem"] else None)
    return table


def details_of(document: dict[str, Any]) -> AdaptiveTable:
    """Show everything about one volume."""
    # The table shows the hosts among the servers.
    names = [name for name in document if name != "attached_to_hosts"]
    return AdaptiveTable(lambda box: _show_table(document, names, box))


def _show_table(
    document: dict[str, Any], names: Sequence[str], box: Box | None = HEAVY_HEAD
) -> Table:
    table = Table(show_header=False, box=box)
    for name in names:
        table.add_row(name.replace("_", " "), _cell_of(name, document))
    return table


__all__ = ["details_of", "list_of", "to_document"]
