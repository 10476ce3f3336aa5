# -*- test-case-name: tests.embedded.ec2.test_volumes -*-
"""
EC2's ids of the store's objects.

The id of a volume is ``vol-`` and the first 17 hexadecimal digits of its UUID; of a snapshot,
``snap-``; of a node, ``i-``.  :mod:`txstorage.embedded.store.ec2.tables` finds them.
"""

from __future__ import annotations

import attr

from ...._support.notations.ec2_ids import DIGITS, is_ec2_id
from ...store.store import Store
from .protocol import errors
from .protocol.errors import RefusalForm


@attr.s(frozen=True, auto_attribs=True)
class IdKind:
    """
    A kind of id.

    :ivar word: the part before the hyphen.
    :ivar table: of the store.
    :ivar parameter: the parameter that EC2 names in an error.
    """

    word: str
    table: str
    parameter: str
    malformed: RefusalForm
    unknown: RefusalForm

    def of(self, uuid: str) -> str:
        """Return EC2's id of an object of the store."""
        return f"{self.word}-{uuid.replace('-', '')[:DIGITS]}"

    def check(self, text: str) -> None:
        """
        Check the form of an id.

        :raises QueryRefusal: it is malformed.
        """
        if not text.startswith(self.word + "-"):
            raise errors.BAD_VALUE(text, self.parameter, f"Expected: '{self.word}-...'.")
        if not is_ec2_id(self.word, text):
            raise self.malformed(text)

    def find(self, store: Store, text: str) -> str | None:
        """
        Find an object.

        :return: its UUID, or ``None`` when there is none.
        :raises QueryRefusal: the id is malformed, or two objects have it.
        """
        self.check(text)
        digits = text[len(self.word) + 1 :]
        if len(digits) != DIGITS:
            return None
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:])
        found = store.ec2.with_prefix(self.table, "-".join(parts))
        if len(found) > 1:
            raise errors.FAULT()
        return found[0] if found else None

    def get(self, store: Store, text: str) -> str:
        """
        The same.

        :raises QueryRefusal: there is none, too.
        """
        found = self.find(store, text)
        if found is None:
            raise self.unknown(text)
        return found


VOLUME = IdKind("vol", "volumes", "volumeId", errors.MALFORMED_VOLUME, errors.NO_VOLUME)
SNAPSHOT = IdKind("snap", "snapshots", "snapshotId", errors.MALFORMED_SNAPSHOT, errors.NO_SNAPSHOT)
INSTANCE = IdKind("i", "servers", "instanceId", errors.MALFORMED_INSTANCE, errors.NO_INSTANCE)
