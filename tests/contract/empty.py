"""Block Storage: features that a cloud makes no use of, and single messages."""

from __future__ import annotations

from uuid import uuid4

from txstorage.embedded.apis.block_storage.without.service import LISTS
from txstorage.embedded.wire import account_refusals, refusals, volume_refusals

from .case import MISSING, WireTests
from .record import compares
from .shapes import NULL, Is

_V = "/v3/<project_id>/"
_ONES = ("groups", "group_snapshots", "consistencygroups", "cgsnapshots")
_ADMIN = ("clusters", "clusters/detail")
_MESSAGE = _V + "messages/<message_id>"


class EmptyTests(WireTests):
    """Groups, clusters and encryption, without any."""

    @compares(*(f"volume GET {_V}{path}" for path in LISTS), "FORBIDDEN", "NO_RESOURCE")
    async def test_lists(self) -> None:
        """Each list is empty, from its microversion on; some are administrators'."""
        for path, (member, since) in LISTS.items():
            version = "3.0" if since is None else "{}.{}".format(*since)
            who = "admin" if path in _ADMIN else "user"
            if path in _ADMIN:
                got = await self.cinder("GET", "/" + path, version=version)
                self.refused(got, refusals.FORBIDDEN, ..., version=version)
            got = await self.cinder_as(who, "GET", "/" + path, version=version)
            self.assertEqual(self.answered(got, 200, dict, version), {member: []})
            if since is not None:
                former = "{}.{}".format(since[0], since[1] - 1)
                got = await self.cinder("GET", "/" + path, version=former)
                self.refused(got, refusals.NO_RESOURCE, version=former)

    @compares(
        *(f"volume GET {_V}{path}" for path in ("groups", "group_snapshots", "consistencygroups")),
        *(f"volume GET {_V}{path}" for path in ("cgsnapshots", "clusters", "group_types")),
        *("LIMIT_IS_NO_NUMBER", "BAD_SORT_KEY", "UNKNOWN_FILTER", "NO_GROUP", "NO_GROUP_SNAPSHOT"),
        *("UNKNOWN_CLUSTER_FILTER", "BAD_PUBLICITY"),
    )
    async def test_parameters(self) -> None:
        """The parameters of an empty list are checked, too."""
        bad_limit, bad_key = (refusals.LIMIT_IS_NO_NUMBER,), (refusals.BAD_SORT_KEY,)
        unknown = (refusals.UNKNOWN_FILTER, "nosuch")
        cluster = volume_refusals.UNKNOWN_CLUSTER_FILTER
        groups, public = refusals.NO_GROUP, account_refusals.BAD_PUBLICITY
        snapshots = volume_refusals.NO_GROUP_SNAPSHOT
        for who, path, refused in (
            ("user", "groups?limit=x", bad_limit),
            ("user", "groups?sort_key=nosuch", bad_key),
            ("user", "groups/detail?nosuch=1", unknown),
            ("user", "groups?marker=" + MISSING, (groups, MISSING)),
            ("user", "group_snapshots?limit=x", bad_limit),
            ("user", "group_snapshots?sort=nosuch:asc", bad_key),
            ("user", "group_snapshots?nosuch=1&name=x", unknown),
            ("user", "group_snapshots?marker=" + MISSING, (snapshots, MISSING)),
            ("user", "consistencygroups?limit=x", bad_limit),
            ("user", "consistencygroups?sort_key=nosuch", bad_key),
            ("user", "consistencygroups?marker=" + MISSING, (groups, MISSING)),
            ("user", "cgsnapshots?limit=x", bad_limit),
            ("admin", "clusters?limit=1", (cluster, "limit")),
            ("user", "group_types?limit=x", bad_limit),
            ("user", "group_types?sort_key=nosuch", bad_key),
            ("admin", "group_types?is_public=nonsense", (public, "nonsense")),
        ):
            got = await self.cinder_as(who, "GET", "/" + path, version="3.71")
            self.refused(got, *refused, version="3.71")
        for who, path in (
            ("user", "groups?name=x&sort_key=host&all_tenants=1"),
            ("user", "group_snapshots?group_id=x&status=x"),
            ("user", "consistencygroups?nosuch=1"),
            ("user", "cgsnapshots?marker=x&sort_key=nosuch"),
            ("admin", "clusters?binary=x&name=y"),
            ("admin", "groups?nosuch=1"),
            ("admin", "group_types?is_public=none"),
        ):
            got = await self.cinder_as(who, "GET", "/" + path, version="3.71")
            self.assertEqual(got.status, 200, (path, got.content))

    @compares(
        *(f"volume GET {_V}{path}/<resource_id>" for path in _ONES),
        *("NO_GROUP", "NO_GROUP_SNAPSHOT"),
    )
    async def test_ones(self) -> None:
        """No group or snapshot of one exists."""
        for path, refusal in zip(_ONES, 2 * (refusals.NO_GROUP, volume_refusals.NO_GROUP_SNAPSHOT)):
            got = await self.cinder("GET", f"/{path}/{MISSING}", version="3.14")
            self.refused(got, refusal, MISSING, version="3.14")

    @compares(
        *(f"volume GET {_V}volumes/<volume_id>/encryption", "NO_VOLUME", "NO_VOLUME_TYPE"),
        *(f"volume GET {_V}types/<type_id>/encryption", "FORBIDDEN"),
    )
    async def test_encryption(self) -> None:
        """Neither a volume nor a type is encrypted."""
        volume_id = await self.volume()
        got = await self.cinder("GET", f"/volumes/{volume_id}/encryption")
        self.answered(got, 200, {"encryption_key_id": NULL})
        got = await self.cinder("GET", f"/volumes/{MISSING}/encryption")
        self.refused(got, refusals.NO_VOLUME, MISSING)
        type_id = (await self.cinder("GET", "/types/default")).body["volume_type"]["id"]
        got = await self.cinder("GET", f"/types/{type_id}/encryption")
        self.refused(got, refusals.FORBIDDEN, "volume_extension:volume_type_encryption:get")
        got = await self.cinder_as("admin", "GET", f"/types/{type_id}/encryption")
        self.answered(got, 200, {})
        missing = str(uuid4())
        got = await self.cinder_as("admin", "GET", f"/types/{missing}/encryption")
        self.refused(got, refusals.NO_VOLUME_TYPE, missing)

    @compares(f"volume GET {_V}capabilities/<host>", "FORBIDDEN", "NO_SERVICE")
    async def test_capabilities(self) -> None:
        """An administrator sees the capabilities of the back end of a volume's host."""
        admin, volume_id = await self.admin(), await self.volume()
        got = await admin.ask("volume", "GET", f"/v3/{admin.project}/volumes/{volume_id}")
        host = got.body["volume"]["os-vol-host-attr:host"].partition("#")[0]
        texts = ("volume_backend_name", "storage_protocol", "vendor_name")
        optional = ("pool_name", "driver_version", "display_name", "description", "visibility")
        shape = {
            **dict.fromkeys(texts, str),
            **dict.fromkeys(optional, (str, NULL)),
            "namespace": Is("OS::Storage::Capabilities::" + host),
            "replication_targets": list,
            "properties": dict,
        }
        path = "/capabilities/" + host
        self.answered(await self.cinder_as("admin", "GET", path), 200, shape)
        self.refused(
            await self.cinder("GET", path), refusals.FORBIDDEN, "volume_extension:capabilities"
        )
        got = await self.cinder_as("admin", "GET", "/capabilities/nowhere")
        self.refused(got, volume_refusals.NO_SERVICE, "nowhere")


class MessageTests(WireTests):
    """One reason of a failure."""

    @compares(f"volume GET {_MESSAGE}", f"volume DELETE {_MESSAGE}", "NO_MESSAGE", "NO_RESOURCE")
    async def test_message(self) -> None:
        """A message is as in the list, until it is deleted; another project has none of it."""
        body = {"volume": {"size": self.target.too_big}}
        volume_id = (await self.cinder("POST", "/volumes", body)).body["volume"]["id"]
        await self.until(volume_id, "error")
        query = "/messages?resource_uuid=" + volume_id
        listed = (await self.cinder("GET", query, version="3.5")).body["messages"]
        path = "/messages/" + listed[0]["id"]
        got = await self.cinder("GET", path, version="3.3")
        self.assertEqual(self.answered(got, 200, dict, "3.3"), {"message": listed[0]})
        self.refused(await self.cinder("GET", path), refusals.NO_RESOURCE)
        for method in ("GET", "DELETE"):
            got = await self.cinder_as("other", method, path, version="3.3")
            self.refused(got, refusals.NO_MESSAGE, listed[0]["id"], version="3.3")
        got = await self.cinder_as("admin", "GET", path, version="3.3")
        self.assertEqual(got.body["message"]["id"], listed[0]["id"])
        got = await self.cinder("DELETE", path, version="3.3")
        self.assertEqual((got.status, got.content), (204, b""))
        for method in ("GET", "DELETE"):
            got = await self.cinder(method, path, version="3.3")
            self.refused(got, refusals.NO_MESSAGE, listed[0]["id"], version="3.3")
        got = await self.cinder("GET", query, version="3.5")
        self.assertNotIn(listed[0], got.body["messages"])

    @compares(f"volume GET {_V}messages", "UNKNOWN_FILTER", "BAD_SORT_KEY")
    async def test_filters(self) -> None:
        """Messages are filtered and ordered by members; unknown filters find none, or are 400."""
        ids = []
        for size in (self.target.too_big // 2, self.target.too_big // 3):
            body = {"volume": {"size": size}}
            ids.append((await self.cinder("POST", "/volumes", body)).body["volume"]["id"])
            await self.until(ids[-1], "error")
        query = "/messages?resource_uuid=" + ids[0]
        [*_, one] = (await self.cinder("GET", query, version="3.5")).body["messages"]
        for name in ("resource_uuid", "resource_type", "event_id", "request_id", "message_level"):
            got = await self.cinder("GET", f"/messages?{name}={one[name]}", version="3.5")
            found = self.answered(got, 200, {"messages": list}, "3.5")["messages"]
            self.assertIn(one, found)
            self.assertEqual({each[name] for each in found}, {one[name]})
            got = await self.cinder("GET", f"/messages?{name}=nosuch", version="3.5")
            self.assertEqual(self.answered(got, 200, dict, "3.5"), {"messages": []})
        for sort in ("sort_key=resource_uuid&sort_dir=asc", "sort=resource_uuid:desc"):
            got = await self.cinder("GET", "/messages?" + sort, version="3.5")
            found = [each["resource_uuid"] for each in got.body["messages"]]
            self.assertEqual(found, sorted(found, reverse="desc" in sort))
            self.assertEqual(set(ids) - set(found), set())
        got = await self.cinder("GET", "/messages?sort=bogus:asc", version="3.5")
        self.refused(got, refusals.BAD_SORT_KEY, version="3.5")
        got = await self.cinder("GET", query + "&bogus=x", version="3.5")
        self.assertEqual(self.answered(got, 200, dict, "3.5"), {"messages": []})
        got = await self.cinder("GET", query + "&bogus=x", version="3.31")
        self.refused(got, refusals.UNKNOWN_FILTER, "bogus", version="3.31")
        # An unknown filter comes before a missing message, and is refused also where there is none.
        got = await self.cinder("GET", f"/messages?bogus=x&marker={MISSING}", version="3.31")
        self.refused(got, refusals.UNKNOWN_FILTER, "bogus", version="3.31")
        got = await self.cinder_as("other", "GET", "/messages?bogus=x", version="3.31")
        self.refused(got, refusals.UNKNOWN_FILTER, "bogus", version="3.31")
        got = await self.cinder("GET", query + "&all_tenants=1", version="3.31")
        self.assertIn(one, self.answered(got, 200, {"messages": list}, "3.31")["messages"])
