"""Tests of Block Storage's processes beside those of the wire contract."""

from __future__ import annotations

from typing import Any

from ..support import CloudTests, Got


class ProcessTests(CloudTests):
    """Tests of disabled processes."""

    settings: dict[str, Any] = {"roles": ("admin",)}

    def put(self, action: str, binary: str, **more: str) -> Got:
        """Change a process, wherever it is."""
        listed = self.cinder("GET", "/os-services?binary=" + binary).body["services"]
        body = {"binary": binary, "host": listed[0]["host"], **more}
        return self.cinder("PUT", "/os-services/" + action, body)

    def states(self) -> dict[str, tuple[str, str | None]]:
        """Return the status and the reason of each process."""
        listed = self.cinder("GET", "/os-services").body["services"]
        return {each["binary"]: (each["status"], each["disabled_reason"]) for each in listed}

    def test_states(self) -> None:
        """A process is disabled, with a reason that stays, until it is enabled."""
        enabled = ("enabled", None)
        every = dict.fromkeys(("cinder-scheduler", "cinder-backup", "cinder-volume"), enabled)
        self.assertEqual(self.states(), every)
        got = self.put("disable-log-reason", "cinder-backup", disabled_reason="tape full")
        self.assertEqual(got.body["disabled_reason"], "tape full")
        disabled = {**every, "cinder-backup": ("disabled", "tape full")}
        self.assertEqual(self.states(), disabled)
        self.assertEqual(self.put("disable", "cinder-backup").code, 200)
        self.assertEqual(self.states(), disabled)
        self.assertEqual(self.put("enable", "cinder-backup").code, 200)
        self.assertEqual(self.states(), every)

    def test_no_host(self) -> None:
        """A new volume ends in error while no process takes it, and its reason says so."""
        before = self.create()
        self.put("disable", "cinder-volume")
        volume_id = self.create()
        self.assertEqual(self.status(volume_id), "error")
        self.assertEqual(self.status(before), "available")
        (message,) = self.cinder("GET", "/messages", version="3.3").body["messages"]
        self.assertEqual(message["resource_uuid"], volume_id)
        self.assertIn("No valid backend was found", message["user_message"])
        self.assertEqual(self.volumes("DELETE", "/" + volume_id).code, 202)
        self.settle()
        self.assertEqual(self.status(volume_id), "404")
        self.put("enable", "cinder-volume")
        self.assertEqual(self.status(self.create()), "available")

    def test_no_backups(self) -> None:
        """A new backup ends in error while no process makes it; its volume is free again."""
        volume_id = self.create()
        self.put("disable", "cinder-backup")
        body = {"backup": {"volume_id": volume_id}}
        backup = self.cinder("POST", "/backups", body).body["backup"]
        self.settle()
        found = self.cinder("GET", "/backups/" + backup["id"]).body["backup"]
        self.assertEqual(found["status"], "error")
        self.assertIn("Service not found", found["fail_reason"])
        self.assertEqual(self.status(volume_id), "available")
