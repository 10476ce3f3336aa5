# -*- test-case-name: tests.embedded.store.test_projects -*-
"""The projects' keys in tables whose column of projects has no NULL."""

from __future__ import annotations


def to_key(project_id: str | None) -> str:
    """
    :param project_id: ``None`` for the first project.
    :return: the key in a table.
    """
    return project_id or ""


def from_key(key: str) -> str | None:
    """:return: the id of a key's project; ``None`` for the first project."""
    return key or None


__all__ = ["from_key", "to_key"]
