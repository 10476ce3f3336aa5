# -*- test-case-name: tests.embedded.accounts.test_policy -*-
"""The user who sends a request, as the token says."""

from __future__ import annotations

from typing import Optional

import attr


@attr.s(frozen=True, auto_attribs=True)
class Owner:
    """
    The project and the user of a resource, as the store has them.

    :ivar project_id: ``None`` for the first project.
    :ivar user_id: ``None`` for the first user.
    """

    project_id: Optional[str]
    user_id: Optional[str]


@attr.s(frozen=True, auto_attribs=True)
class Requester:
    """
    The user who sends a request.

    :ivar project_id: empty with a token without a project.
    :ivar roles: in that project, those included that others imply.
    :ivar owner: of what the user makes.
    """

    user_id: str
    project_id: str
    roles: frozenset[str]
    owner: Owner

    @property
    def is_admin(self) -> bool:
        """``True`` for an administrator, who sees the resources of all projects."""
        return "admin" in self.roles

    def sees(self, project_id: str | None) -> bool:
        """
        Check whether a resource exists for the user.

        :param project_id: of its owner.
        """
        return self.is_admin or (bool(self.project_id) and self.owner.project_id == project_id)


#: The sender of a request that needs no token.
NOBODY = Requester("", "", frozenset(), Owner("", ""))

__all__ = ["NOBODY", "Requester", "Owner"]
