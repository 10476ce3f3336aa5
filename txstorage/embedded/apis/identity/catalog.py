# -*- test-case-name: tests.embedded.apis.test_identity -*-
"""
The service catalog.
"""

from __future__ import annotations

import uuid
from typing import Any

from ...settings import REGION

#: Service type, name and path; ``{}`` is the project's id.  Clients look for Cinder
#: under its new type, its old one, or either, and have to handle paths of both
#: kinds.
_SERVICES = (
    ("identity", "keystone", "/identity/v3"),
    ("block-storage", "cinder", "/volume/v3"),
    ("volumev3", "cinderv3", "/volume/v3/{}"),
    ("compute", "nova", "/compute/v2.1"),
    ("image", "glance", "/image"),
)
_INTERFACES = ("public", "internal", "admin")


def _stable_id(*parts: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, ":".join(("txstorage",) + parts)).hex


def catalog(base: str, project_id: str) -> list[dict[str, Any]]:
    """:param base: the beginning of links."""
    return [
        {
            "endpoints": [
                {
                    "id": _stable_id("endpoint", kind, interface),
                    "interface": interface,
                    "region_id": REGION,
                    "url": base + path.format(project_id),
                    "region": REGION,
                }
                for interface in _INTERFACES
            ],
            "id": _stable_id("service", kind),
            "type": kind,
            "name": name,
        }
        for kind, name, path in _SERVICES
    ]
