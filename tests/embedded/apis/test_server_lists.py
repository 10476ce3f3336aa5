"""Tests of the filters and orders of a list of servers."""

from __future__ import annotations

from urllib.parse import quote

from txstorage.embedded.testing import in_memory_cloud

from ..support import CloudTests

ONE, OTHER = "node-1", "node-2"


class ServerListTests(CloudTests):
    """Tests with two servers, the second of which is off."""

    def setUp(self) -> None:
        super().setUp()
        self.stop()

    def stop(self) -> None:
        """Turn the second server off."""
        path = f"/servers/{self.cloud.nodes[OTHER]}/action"
        self.assertEqual(self.nova("POST", path, {"os-stop": None}).code, 202)

    def names(self, query: str, version: str = "2.104") -> list[str]:
        """Return the names in a list."""
        got = self.nova("GET", "/servers?" + query, version=version)
        self.assertEqual(got.code, 200, (query, got))
        return [server["name"] for server in got.body["servers"]]

    def test_states(self) -> None:
        """A server that is off has other states than one that is on."""
        for query, expected in (
            ("status=active", [ONE]),
            ("status=Shutoff", [OTHER]),
            ("status=ACTIVE&status=SHUTOFF", [OTHER, ONE]),
            ("status=REBUILD", []),
            ("vm_state=stopped", [OTHER]),
            ("power_state=4", [OTHER]),
            ("power_state=[14]", [OTHER, ONE]),
            ("sort_key=vm_state&sort_dir=asc", [ONE, OTHER]),
            ("sort_key=power_state", [OTHER, ONE]),
        ):
            self.assertEqual(self.names(query), expected, query)

    def test_expressions(self) -> None:
        """A name is found by a regular expression; a wrong one is 400."""
        self.assertEqual(self.names("name=" + quote("-2$")), [OTHER])
        self.assertEqual(self.names("hostname=" + quote("^node-[1]")), [ONE])
        for wrong in ("(", "a{2,1}", "*", "(" * 3000):
            got = self.nova("GET", "/servers?name=" + quote(wrong))
            self.assertEqual(got.code, 400, wrong)

    def test_times(self) -> None:
        """The times of creation and change are those in the bodies."""
        for query, expected in (
            ("created_at=" + quote("^1970-01-01 00:16:40.000000$"), [OTHER, ONE]),
            ("changes-since=1970-01-01T00:16:41Z", []),
            ("changes-since=1970-01-01T00:16:40Z", [OTHER, ONE]),
            ("changes-before=1970-01-01T00:16:40Z", []),
        ):
            self.assertEqual(self.names(query), expected, query)

    def test_marker(self) -> None:
        """A page begins after its marker, also if the filters exclude that."""
        marker = "&marker=" + self.cloud.nodes[OTHER]
        self.assertEqual(self.names("status=active" + marker), [ONE])
        self.assertEqual(self.names("sort_key=display_name&sort_dir=asc" + marker), [])
        self.assertEqual(self.names("sort_key=display_name" + marker), [ONE])

    def test_administrator(self) -> None:
        """An administrator may filter by most columns, whatever the version."""
        self.use(in_memory_cloud(self.clock, roles=("admin", "member")))
        self.stop()
        for query, expected in (
            ("uuid=" + self.cloud.nodes[ONE], [ONE]),
            ("vm_state=stopped", [OTHER]),
            ("host=txstorage&node=txs", [OTHER, ONE]),
            ("host=x", []),
            ("user_id=x", []),
            ("project_id=x", [OTHER, ONE]),
            ("project_id=x&all_tenants=1", []),
            ("status=deleted", []),
            ("deleted=true", []),
            ("sort_key=host&sort_dir=asc", self.by_id()),
        ):
            self.assertEqual(self.names(query, "2.1"), expected, query)

    def by_id(self) -> list[str]:
        """Return the names in the order of the ids."""
        return sorted(self.cloud.nodes, key=lambda name: self.cloud.nodes[name])
