"""Tests of the history of the members of volumes and servers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.wire.members import SERVER_MEMBERS, VOLUME_MEMBERS, Span, shown

#: The members that come with each microversion, for all users and for administrators.
VOLUMES: dict[tuple[int, int], tuple[str, str]] = {
    (3, 0): ("", "migration_status"),
    (3, 13): ("group_id", "group_id"),
    (3, 21): ("", "provider_id"),
    (3, 48): ("service_uuid shared_targets", "service_uuid shared_targets"),
    (3, 61): ("", "cluster_name"),
    (3, 63): ("volume_type_id", "volume_type_id"),
    (3, 65): ("consumes_quota", "consumes_quota"),
}
SERVERS: dict[tuple[int, int], tuple[str, str]] = {
    (2, 3): ("", "user_data hostname"),
    (2, 9): ("locked", "locked"),
    (2, 16): ("", "host_status"),
    (2, 19): ("description", "description"),
    (2, 26): ("tags", "tags"),
    (2, 63): ("trusted_image_certificates", "trusted_image_certificates"),
    (2, 71): ("server_groups", "server_groups"),
    (2, 73): ("locked_reason", "locked_reason"),
    (2, 90): ("hostname", ""),
    (2, 96): ("pinned_availability_zone", "pinned_availability_zone"),
    (2, 100): ("scheduler_hints", "scheduler_hints"),
}
#: The parts of the histories that the tables above do not list one by one.
PREFIX = "OS-EXT-SRV-ATTR:"
REST = {
    *(PREFIX + name for name in ("host", "instance_name", "hypervisor_hostname", "kernel_id")),
    *(PREFIX + name for name in ("launch_index", "ramdisk_id", "reservation_id")),
    PREFIX + "root_device_name",
    *("os-vol-host-attr:host", "os-vol-mig-status-attr:migstat", "os-vol-mig-status-attr:name_id"),
}


class MembersTests(SynchronousTestCase):
    """Tests of :func:`shown`, microversion by microversion."""

    def assert_history(
        self,
        history: dict[str, Span],
        expected: dict[tuple[int, int], tuple[str, str]],
        last: tuple[int, int],
    ) -> None:
        """Assert which members come with which version."""
        every = dict.fromkeys(set(history) - REST | {"name"}, 1)
        for admin in (False, True):
            before = {"name"}
            for minor in range(last[1] + 1):
                version = (last[0], minor)
                now = set(shown(history, every, version, admin))
                new = expected.get(version, ("", ""))[admin].split()
                names = {name.removeprefix(PREFIX) for name in now - before}
                self.assertEqual(names, set(new), (version, admin))
                self.assertEqual(before - now, set(), version)
                before = now
        self.assertEqual(before, set(every))

    def test_volumes(self) -> None:
        """The members of volumes come with Cinder's microversions, and stay."""
        self.assert_history(dict(VOLUME_MEMBERS), VOLUMES, (3, 71))

    def test_servers(self) -> None:
        """The members of servers come with Nova's microversions, and stay."""
        self.assert_history(dict(SERVER_MEMBERS), SERVERS, (2, 104))

    def test_administrators(self) -> None:
        """The other members are for administrators alone, in every version."""
        both = {**VOLUME_MEMBERS, **SERVER_MEMBERS}
        rest = dict.fromkeys(REST, 1)
        self.assertLessEqual(REST, set(both))
        self.assertEqual(shown(both, rest, (9, 0), False), {})
        self.assertEqual(shown(both, rest, (9, 0), True), rest)
