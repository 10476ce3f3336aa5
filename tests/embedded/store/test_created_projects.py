"""Tests of the projects that administrators make, and of the roles that they give."""

from __future__ import annotations

import attr

from txstorage.embedded.store.projects.projects import ProjectRecord

from .test_projects import ProjectsCase

NEW = ProjectRecord("", "p", "d", enabled=True, tags=("t",), extra={"more": [1]})


class MadeProjectsTests(ProjectsCase):
    """Tests of :class:`~txstorage.embedded.store.projects.projects.ProjectsTable`."""

    def test_survives(self) -> None:
        """Projects and roles survive a crash, in their order."""
        made, other = (
            self.store.projects.add(NEW),
            self.store.projects.add(attr.evolve(NEW, name="q", enabled=False)),
        )
        self.assertNotEqual(made.project_id, other.project_id)
        self.store.projects.grant(made.project_id, "u", "reader")
        self.store.projects.grant("declared", "u", "member")
        again = self.open().projects
        self.assertEqual(again.every(), [made, other])
        self.assertEqual(attr.evolve(made, project_id=""), NEW)
        roles = [(made.project_id, "u", "reader"), ("declared", "u", "member")]
        self.assertEqual(again.grants(), roles)

    def test_replaced(self) -> None:
        """A change replaces everything but the id, of this project alone."""
        projects = self.store.projects
        made, other = projects.add(NEW), projects.add(attr.evolve(NEW, name="q"))
        changed = ProjectRecord(made.project_id, "r", None, enabled=False)
        projects.replace(changed)
        self.assertEqual(projects.every(), [changed, other])

    def test_roles(self) -> None:
        """A role is given once, and taken away from one user in one project."""
        projects = self.store.projects
        for user in ("u", "u", "v"):
            projects.grant("p", user, "member")
        projects.revoke("p", "u", "reader")
        self.assertEqual(projects.grants(), [("p", "u", "member"), ("p", "v", "member")])
        projects.revoke("p", "u", "member")
        self.assertEqual(projects.grants(), [("p", "v", "member")])

    def test_removed(self) -> None:
        """A project goes with the roles in it."""
        projects = self.store.projects
        made = projects.add(NEW)
        projects.grant(made.project_id, "u", "member")
        projects.grant("declared", "u", "member")
        projects.remove(made.project_id)
        self.assertEqual(projects.every(), [])
        self.assertEqual(projects.grants(), [("declared", "u", "member")])


__all__ = ["MadeProjectsTests"]
