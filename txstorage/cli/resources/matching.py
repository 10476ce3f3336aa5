# -*- test-case-name: tests.cli.resources.test_references -*-
"""The matching of words with ids and names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Callable

from ...errors import StorageError

#: Characters of the shortest beginning of an id that stands for the id.
SHORTEST = 4


class AmbiguousName(StorageError):
    """
    A name, or the beginning of an id, is that of several volumes, snapshots or nodes.

    :param reference: the name.
    :param candidates: the descriptions of the volumes, snapshots or nodes.
    """

    remedy = "give the whole id, or more of it"

    def __init__(self, reference: str, candidates: Iterable[str]) -> None:
        super().__init__(f"'{reference}' may be any of these: {', '.join(sorted(candidates))}")


def matching(reference: str, named: Iterable[tuple[str, str]]) -> list[str]:
    """
    Look for a reference: first for that id, then for that name, then for the beginning of an id.
    Case does not matter, unless the names of several differ only in it.

    :param named: pairs of an id and a name, which may be empty; an id may have several names.
    :return: the ids that match equally well.
    """
    wanted, known = reference.lower(), list(named)
    kinds: Sequence[Callable[[str, str], bool]] = (
        lambda identity, name: identity.lower() == wanted,
        lambda identity, name: bool(name) and name == reference,
        lambda identity, name: bool(name) and name.lower() == wanted,
        lambda identity, name: len(wanted) >= SHORTEST and identity.lower().startswith(wanted),
    )
    for matches in kinds:
        found = dict.fromkeys(identity for identity, name in known if matches(identity, name))
        if found:
            return list(found)
    return []


def the_only(
    reference: str,
    named: Iterable[tuple[str, str]],
    unknown: Exception,
    remarks: Mapping[str, str],
) -> str:
    """
    :param remarks: about resources, by their ids; an error with several has the remarks.
    """
    found = matching(reference, named)
    if not found:
        raise unknown
    if len(found) > 1:
        raise AmbiguousName(reference, [each + remarks.get(each, "") for each in found])
    return found[0]


__all__ = ["SHORTEST", "AmbiguousName", "matching", "the_only"]
