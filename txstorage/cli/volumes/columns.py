# -*- test-case-name: tests.cli.volumes.test_listing -*-
"""The columns of ``volumes list``, by the names that the JSON document has for them."""

from __future__ import annotations

from typing import Any

import click

#: Names to titles.
COLUMNS = {
    "volume_id": "Volume",
    "dataset_id": "Dataset",
    "size": "Size",
    "status": "Status",
    "attached_to": "Attached to",
    "volume_type": "Type",
    "name": "Name",
    "created_at": "Created",
    "labels": "Labels",
    "problem": "Problem",
    "cluster_id": "Cluster",
}

#: The columns that are shown by default.
USUAL = ("volume_id", "dataset_id", "size", "status", "attached_to", "volume_type")


class Columns(click.ParamType):  # type: ignore[type-arg]
    """A command line argument: names between commas."""

    name = "columns"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """See ``click.ParamType``."""
        if isinstance(value, tuple):
            return value
        names = tuple(each.strip() for each in value.split(","))
        for each in names:
            if each not in COLUMNS:
                self.fail(f"{each!r} is not one of {', '.join(COLUMNS)}", param, ctx)
        return names


__all__ = ["COLUMNS", "USUAL", "Columns"]
