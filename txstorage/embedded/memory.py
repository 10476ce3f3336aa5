# -*- test-case-name: tests.embedded.test_agent_yml -*-
"""
The service's memory beside its database: its ids, its nodes, and the ``agent.yml`` files it wrote.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attr

_FORMAT = 1
#: The facts of the store that clients know.
FACTS = ("cluster_id", "project_id", "user_id", "application_credential_id")


@attr.s(frozen=True, auto_attribs=True)
class ServiceMemory:
    """
    The content of the file.

    :ivar facts: ids, by their names in the store.
    :ivar nodes: server ids by name, the first declared first.
    :ivar agents: the ``dataset`` sections that the last starts wrote, by node; several when a start
        was interrupted.
    """

    facts: Mapping[str, str] = attr.Factory(dict)
    nodes: Mapping[str, str] = attr.Factory(dict)
    agents: Mapping[str, list[dict[str, Any]]] = attr.Factory(dict)

    def as_bytes(self) -> bytes:
        """Return the file's content."""
        document = dict(attr.asdict(self), format=_FORMAT)
        return json.dumps(document, indent=1).encode("ascii") + b"\n"

    @classmethod
    def load(cls, path: str) -> ServiceMemory:
        """
        Read the file; a missing or damaged one is an empty memory, as after an upgrade.
        """
        try:
            with open(path, encoding="utf-8") as opened:
                found = json.load(opened)
            if found["format"] != _FORMAT:
                return cls()
            facts = {name: str(found["facts"][name]) for name in FACTS}
            nodes = {str(name): str(server_id) for name, server_id in found["nodes"].items()}
            agents = {str(name): list(written) for name, written in found["agents"].items()}
            return cls(facts, nodes, agents)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()
