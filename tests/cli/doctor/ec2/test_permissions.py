"""
Tests for ``txstorage.cli.doctor.ec2.permissions``.
"""

from __future__ import annotations

from typing import Any
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.doctor.ec2.permissions import PERMISSIONS, permissions_finding
from txstorage.cli.doctor.state import CheckFailed, CheckWarning
from txstorage.clouds.ec2.codec.operations import SERVICES
from txstorage.embedded.apis.ec2 import face
from txstorage.embedded.apis.ec2.protocol import errors

from .support import EC2DoctorTestCase

USER = "arn:aws:iam::000000000000:user/txstorage"
#: The actions without which no volume can be used.
ESSENTIAL = {
    "AttachVolume",
    "CreateTags",
    "CreateVolume",
    "DeleteVolume",
    "DescribeInstances",
    "DescribeVolumes",
    "DetachVolume",
}


class PermissionsTests(EC2DoctorTestCase):
    """The step against a policy."""

    def test_each(self) -> None:
        """A dry run is sent of each action that the client has; none changes anything."""
        sent: list[str] = []
        admit = face.QueryAPI._admit

        def recording(api: Any, signed: Any, parameters: Any, service: str) -> None:
            if parameters.truth("DryRun"):
                sent.append(parameters.values["Action"])
            admit(api, signed, parameters, service)

        self.patch(face.QueryAPI, "_admit", recording)
        found = self.finding("permissions")
        self.assertEqual(found, ("ok", "17 of 17 actions are allowed", ""))
        self.assertEqual(sorted(sent), sorted(SERVICES["ec2"].operations))
        self.assertEqual(self.document("volumes", "list")["volumes"], [])

    def test_denied(self) -> None:
        """Each denied action is named with its purpose; an essential one is a failure."""
        for permission in PERMISSIONS:
            self.start_cloud(denied=(permission.action,))
            essential = permission.action in ESSENTIAL
            # Without these, the driver's own steps fail, too.
            fails = essential or permission.action in ("DescribeInstances", "DescribeVolumes")
            outcome, detail, remedy = self.finding("permissions", exit_code=int(fails))
            self.assertEqual(outcome, "fail" if essential else "warning", detail)
            named = f"ec2:{permission.action} ({permission.purpose})"
            self.assertIn("denied: ", detail)
            self.assertIn(named, detail)
            self.assertIn(f"allow the actions in the IAM policy of {USER}", remedy)

    def test_tags_of_new_volumes(self) -> None:
        """A policy without tags denies new volumes, too, because they are made with tags."""
        self.start_cloud(denied=("CreateTags",))
        _, detail, _ = self.finding("permissions", exit_code=1)
        self.assertIn("14 of 17 actions are allowed", detail)
        for action in ("CreateTags", "CreateVolume", "CreateSnapshot"):
            self.assertIn("ec2:" + action, detail)

    def test_not_checked(self) -> None:
        """An action whose resource EC2 looks for first is not known to be denied."""
        admit = face.QueryAPI._admit

        def looking(api: Any, signed: Any, parameters: Any, service: str) -> None:
            if parameters.values.get("Action") == "DeleteVolume":
                raise errors.NO_VOLUME("vol-00000000000000000")
            admit(api, signed, parameters, service)

        self.patch(face.QueryAPI, "_admit", looking)
        self.assertEqual(
            self.finding("permissions")[:2],
            (
                "ok",
                "16 of 17 actions are allowed; could not be checked: DeleteVolume "
                "(InvalidVolume.NotFound)",
            ),
        )

    def test_dry_runs_ignored(self) -> None:
        """A service that ignores dry runs is found out by a read, and nothing is changed."""
        changed: list[str] = []

        class Carried(Exception):
            """The service would carry the request out."""

        real = errors.DRY_RUN
        with mock.patch.object(errors, "DRY_RUN", side_effect=Carried):
            answer = face.QueryAPI._admit

            def ignoring(api: Any, signed: Any, parameters: Any, service: str) -> None:
                try:
                    answer(api, signed, parameters, service)
                except Carried:
                    if not parameters.values["Action"].startswith("Describe"):
                        changed.append(parameters.values["Action"])

            self.patch(face.QueryAPI, "_admit", ignoring)
            outcome, detail, _ = self.finding("permissions")
        self.assertIs(errors.DRY_RUN, real)
        self.assertEqual((outcome, changed), ("skipped", []))
        self.assertIn("carries DescribeAvailabilityZones out", detail)


class FindingTests(SynchronousTestCase):
    """The judgement of EC2's codes."""

    def codes(self, **codes: str) -> dict[str, str]:
        """Codes by action; the others are allowed."""
        return {**{each.action: "DryRunOperation" for each in PERMISSIONS}, **codes}

    def test_complete(self) -> None:
        """The table has each operation of the client once, and its essential ones."""
        actions = [each.action for each in PERMISSIONS]
        self.assertEqual(sorted(actions), sorted(SERVICES["ec2"].operations))
        self.assertEqual({each.action for each in PERMISSIONS if each.essential}, ESSENTIAL)

    def test_codes(self) -> None:
        """Each code of a denial is one; any other code leaves the permission open."""
        for code in ("UnauthorizedOperation", "AccessDenied", "AccessDeniedException"):
            error = self.assertRaises(
                CheckFailed, permissions_finding, self.codes(AttachVolume=code), USER
            )
            self.assertIn("denied: ec2:AttachVolume (attaching volumes); 16 of 17", error.message)
        for code in ("InvalidVolume.NotFound", "UnsupportedOperation", "HTTP 403"):
            text = permissions_finding(self.codes(AttachVolume=code), USER)
            self.assertIn(
                f"16 of 17 actions are allowed; could not be checked: AttachVolume ({code})", text
            )

    def test_both(self) -> None:
        """A denial hides nothing of what could not be checked; no owner is needed."""
        codes = self.codes(CopyVolumes="UnauthorizedOperation", DeleteTags="InvalidID")
        warning = self.assertRaises(CheckWarning, permissions_finding, codes, "")
        self.assertIn("denied: ec2:CopyVolumes (clones); 15 of 17", warning.message)
        self.assertIn("could not be checked: DeleteTags (InvalidID)", warning.message)
        self.assertIn("IAM policy of the user or the role", warning.remedy)
