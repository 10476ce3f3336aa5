"""
Tests for ``txstorage.cli.resources.listing``.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.resources.listing import Selection
from txstorage.cli.volumes.columns import COLUMNS


def document(volume_id: str, /, **changes: Any) -> dict[str, Any]:
    """A volume's document."""
    usual = {name: None for name in COLUMNS}
    return {**usual, "volume_id": volume_id, "attached_to": [], "labels": {}, **changes}


class SelectionTests(SynchronousTestCase):
    """``Selection``."""

    def chosen(self, documents: list[dict[str, Any]], **selection: Any) -> str:
        """The names of the selected volumes."""
        return "".join(each["volume_id"] for each in Selection(**selection).of(documents))

    def test_filters(self) -> None:
        """One value of each filter has to fit."""
        dataset = str(uuid4())
        documents = [
            document("a", status="in-use", attached_to=["n1", "n2"], volume_type="gold"),
            document("b", status="available", dataset_id=dataset),
            document("c", status="error", volume_type="gold"),
        ]
        for filters, names in (
            ({}, "abc"),
            ({"status": ["error"]}, "c"),
            ({"status": ["error", "in-use"]}, "ac"),
            ({"status": ["error", "in-use"], "attached_to": ["n2"]}, "a"),
            ({"dataset_id": [dataset]}, "b"),
            ({"volume_type": ["gold"]}, "ac"),
            ({"volume_type": ["gold"], "dataset_id": [dataset]}, ""),
            ({"attached_to": ["n"]}, ""),
        ):
            self.assertEqual(self.chosen(documents, filters=filters), names, filters)

    def test_order(self) -> None:
        """Any column can be the order; absent values are first."""
        documents = [document("a", size=2), document("b", size=10), document("c", size=1)]
        self.assertEqual(self.chosen(documents, sort="size"), "cab")
        self.assertEqual(self.chosen(documents, sort="size", reverse=True), "bac")
        self.assertEqual(self.chosen(documents), "abc")
        kinds: dict[str, Any] = {"attached_to": ["n"], "labels": {"a": "b"}, "size": 1}
        for column in COLUMNS:
            value = kinds.get(column, "x")
            documents = [document("a", **{column: value}), document("b")]
            documents[1][column] = type(value)() if column in ("attached_to", "labels") else None
            Selection(sort=column).of(documents)
            if column != "volume_id":
                self.assertEqual(self.chosen(documents, sort=column), "ba", column)
