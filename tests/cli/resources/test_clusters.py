"""
Tests for ``txstorage.cli.resources.clusters``.
"""

from __future__ import annotations

from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.resources.clusters import is_of, labels_of
from txstorage.clouds import Snapshot, Volume


class ClustersTests(SynchronousTestCase):
    """``is_of`` and ``labels_of``."""

    def test_members(self) -> None:
        """
        A resource belongs to its cluster alone, whatever the cloud lists; to any cluster belong
        those that have one.
        """
        ours, other = uuid4(), uuid4()
        for cluster, expected in ((ours, True), (other, False), (None, True)):
            labels = dict(labels_of(ours))
            for each in (
                Volume("v", "available", 1, labels=labels),
                Snapshot("s", "v", "available", 1, labels=labels),
            ):
                self.assertIs(is_of(each, cluster), expected)
        for cluster in (ours, None):
            self.assertFalse(is_of(Volume("v", "available", 1), cluster))

    def test_labels(self) -> None:
        """The list of all clusters asks for no label."""
        self.assertEqual(labels_of(None), {})
