# -*- test-case-name: tests.contract.test_embedded -*-
"""
Requests for Compute's quotas, and the schemas of their bodies.

Source: the module ``quota_sets`` of ``nova.api.openstack.compute.schemas``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....wire.exchange import Version
from ....wire.fields import BodySchema, compute_body, wrapped
from ...block_storage.queries import truth
from .limits import NO_FILES, NO_NETWORK, quotas

_TRUE = (True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes")
_FALSE = (False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no")
_NUMBER = {
    "type": ["integer", "string"],
    "pattern": "^-?[0-9]+$",
    "minimum": -1,
    "maximum": 2**31 - 1,
}
_FORCE = {"type": ["boolean", "string"], "enum": [*_TRUE, *_FALSE]}
#: The first microversions with another body, the last first.
_VERSIONS: tuple[Version, ...] = (NO_FILES, NO_NETWORK, (2, 1))


def _body(version: Version) -> BodySchema:
    quota_set = {
        "type": "object",
        "properties": {**dict.fromkeys(quotas(version), _NUMBER), "force": _FORCE},
        "additionalProperties": False,
    }
    return compute_body(wrapped("quota_set", quota_set, additionalProperties=False))


_BODIES = {version: _body(version) for version in _VERSIONS}


def body_of_quotas(version: Version) -> BodySchema:
    """:return: the schema of a microversion's body."""
    return next(_BODIES[first] for first in _VERSIONS if version >= first)


def wanted_quotas(wanted: Mapping[str, Any]) -> tuple[bool, dict[str, int]]:
    """:return: whether the use does not matter, and the quotas."""
    limits = {name: int(value) for name, value in wanted.items() if name != "force"}
    return bool(truth(str(wanted.get("force", False)))), limits


__all__ = ["body_of_quotas", "wanted_quotas"]
