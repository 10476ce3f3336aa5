# -*- test-case-name: tests.embedded.testing.test_process -*-
"""
The facts about a double, which its server hands to its clients.
"""

from __future__ import annotations

import attr


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class Served:
    """
    The facts about a double that its clients need.

    :ivar auth_url: the address of Identity.
    :ivar nodes: server ids by name.
    """

    auth_url: str
    password: str = attr.ib(repr=False)
    nodes: dict[str, str]
