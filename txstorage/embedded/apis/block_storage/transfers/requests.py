# -*- test-case-name: tests.contract.test_embedded -*-
"""The bodies of requests for transfers, and the filters and orders of their lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

import attr

from ....store.features.transfers import TransferRecord
from ....wire.exchange import Version
from ....wire.fields import UUID, volume_body, wrapped
from ...volume_requests import BOOLEAN, is_true
from ..queries import PAGE_PARAMETERS, literal

#: The first microversions with the choice of snapshots, the history, and the order and the pages.
SNAPSHOTS, HISTORY, PAGES = (3, 55), (3, 57), (3, 59)
# A text with 1 to 255 characters, when the space around it is gone.
_NAME = {"type": "string", "pattern": r"(?s)^\s*\S(.{0,253}\S)?\s*\Z"}
_MEMBERS = {"volume_id": UUID, "name": {"oneOf": [_NAME, {"type": "null"}]}}


def _new(members: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": members,
        "required": ["volume_id"],
        "additionalProperties": False,
    }


_NEW = volume_body(wrapped("transfer", _new(_MEMBERS), additionalProperties=False))
_NEW_WITH_SNAPSHOTS = volume_body(
    wrapped("transfer", _new({**_MEMBERS, "no_snapshots": BOOLEAN}), additionalProperties=False)
)
_ACCEPT = volume_body(
    wrapped(
        "accept",
        {
            "type": "object",
            "properties": {"auth_key": {"type": ["string", "integer"]}},
            "required": ["auth_key"],
            "additionalProperties": False,
        },
        additionalProperties=False,
    )
)
#: The columns that lists can be ordered by; the others are the same in all transfers.
KEYS: Mapping[str, Callable[[TransferRecord], Any]] = {
    # The clock may have given two transfers the same time.
    "created_at": lambda transfer: transfer.sequence,
    "id": lambda transfer: transfer.transfer_id,
    "volume_id": lambda transfer: transfer.volume_id,
    "display_name": lambda transfer: transfer.name or "",
    "no_snapshots": lambda transfer: transfer.no_snapshots,
    "source_project_id": lambda transfer: transfer.source_project_id or "",
    **dict.fromkeys(
        (
            *("accepted", "crypt_hash", "deleted", "deleted_at", "destination_project_id"),
            *("expires_at", "salt", "updated_at"),
        ),
        lambda transfer: 0,
    ),
}
#: The filters that find anything.
_FILTERS: Mapping[str, Callable[[TransferRecord], object]] = {
    "id": lambda transfer: transfer.transfer_id,
    "volume_id": lambda transfer: transfer.volume_id,
    "name": lambda transfer: transfer.name,
    "display_name": lambda transfer: transfer.name,
    "no_snapshots": lambda transfer: transfer.no_snapshots,
}


@attr.s(frozen=True, auto_attribs=True)
class WantedTransfer:
    """The body of a create."""

    volume_id: str
    name: str | None
    no_snapshots: bool


def new_transfer(body: Mapping[str, Any], version: Version, modern: bool) -> WantedTransfer:
    """
    Parse the body of a create.

    :param modern: whether the route knows the choice of snapshots.
    :raises WireError: 400.
    """
    (_NEW_WITH_SNAPSHOTS if modern and version >= SNAPSHOTS else _NEW).check(body)
    found = body["transfer"]
    name = found.get("name")
    no_snapshots = is_true(found.get("no_snapshots", False))
    return WantedTransfer(found["volume_id"], None if name is None else name.strip(), no_snapshots)


def key_of(body: Mapping[str, Any]) -> str:
    """
    Parse the body that accepts a transfer.

    :return: the secret.
    :raises WireError: 400.
    """
    _ACCEPT.check(body)
    return str(body["accept"]["auth_key"])


def chosen(
    transfers: list[TransferRecord], query: Mapping[str, str], paged: bool
) -> list[TransferRecord]:
    """
    Filter a list: anything that Cinder does not know as a filter finds nothing.

    :param paged: whether the parameters of pages and orders are not filters.
    """
    for name, text in query.items():
        if name == "all_tenants" or (paged and name in PAGE_PARAMETERS):
            continue
        if name not in _FILTERS:
            return []
        wanted = literal(text) if name == "no_snapshots" else text
        transfers = [each for each in transfers if _FILTERS[name](each) == wanted]
    return transfers


__all__ = ["HISTORY", "KEYS", "PAGES", "SNAPSHOTS", "chosen", "key_of", "new_transfer"]
