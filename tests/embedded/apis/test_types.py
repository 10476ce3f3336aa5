"""Tests of volume types and quotas beside those of the wire contract."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.accounts.declarations import Account

from ..support import CloudTests, password_auth

ACCOUNTS = (Account("other", "pw", {"other": ("member",)}),)


class TypesCase(CloudTests):
    """A cloud whose first user is an administrator, with a member of another project."""

    settings: dict[str, Any] = {"roles": ("admin",), "accounts": ACCOUNTS, "max_volumes": 2}

    def as_other(self) -> None:
        """Be the other user from now on."""
        self.token = None
        body = password_auth("pw", name="other", domain={"id": "default"})
        got = self.ask("POST", "/identity/v3/auth/tokens", body)
        self.token = got.headers["x-subject-token"]
        self.project = got.body["token"]["project"]["id"]


class TypeTests(TypesCase):
    """Tests of volume types."""

    def make(self, **wanted: Any) -> str:
        """Make a type, and return its id."""
        got = self.cinder("POST", "/types", {"volume_type": wanted})
        self.assertEqual(got.code, 200, got)
        type_id: str = got.body["volume_type"]["id"]
        return type_id

    def test_renamed(self) -> None:
        """A volume shows the new name of its type, whose id stays, and sorts by it."""
        type_id = self.make(name="t")
        volume_id = self.create(volume_type="t")
        self.cinder("PUT", "/types/" + type_id, {"volume_type": {"name": "u"}})
        volume = self.volumes("GET", "/" + volume_id, version="3.63").body["volume"]
        self.assertEqual((volume["volume_type"], volume["volume_type_id"]), ("u", type_id))
        got = self.volumes("GET", "?sort=volume_type_id:asc&bootable=false")
        self.assertEqual([each["id"] for each in got.body["volumes"]], [volume_id])

    def test_visible_specs(self) -> None:
        """All users see the extra specs that say what a volume can do."""
        type_id = self.make(name="t", extra_specs={"multiattach": "<is> False", "secret": "x"})
        self.as_other()
        got = self.cinder("GET", f"/types/{type_id}/extra_specs")
        self.assertEqual(got.body, {"extra_specs": {"multiattach": "<is> False"}})
        self.assertEqual(self.cinder("GET", f"/types/{type_id}/extra_specs/secret").code, 404)

    def test_pages(self) -> None:
        """A list's pages have a type once."""
        self.make(name="t")
        seen, url = [], "/types?limit=2"
        while url:
            got = self.cinder("GET", url)
            seen += [each["name"] for each in got.body["volume_types"]]
            links = got.body.get("volume_type_links", [])
            url = links[0]["href"].partition(self.project)[2] if links else ""
        self.assertEqual(seen, ["t", "bronze", "silver", "gold", "__DEFAULT__"])


class EncryptionTests(TypesCase):
    """Tests of encrypted volume types: no volume is ever made that is not encrypted."""

    luks: dict[str, Any] = {"provider": "luks", "control_location": "front-end", "cipher": "aes"}

    def test_no_volume(self) -> None:
        """A volume of an encrypted type is refused, as without a key manager, and not made."""
        made = self.cinder("POST", "/types", {"volume_type": {"name": "t"}})
        path = f"/types/{made.body['volume_type']['id']}/encryption"
        self.assertEqual(self.cinder("POST", path, {"encryption": self.luks}).code, 200)
        got = self.volumes("POST", body={"volume": {"size": 1, "volume_type": "t"}})
        self.assertEqual((got.code, got.message), (400, "Key manager error"))
        self.assertEqual(self.volumes("GET", "?bootable=false").body["volumes"], [])
        self.assertEqual(self.cinder("DELETE", path + "/x").code, 202)
        self.create(volume_type="t")

    def test_first_types(self) -> None:
        """The types of volumes that other services make can't be encrypted."""
        for each in self.cinder("GET", "/types").body["volume_types"]:
            got = self.cinder("POST", f"/types/{each['id']}/encryption", {"encryption": self.luks})
            self.assertEqual(got.code, 400, each)
        self.assertIn("Volume type in use.", got.message)


class QuotaTests(TypesCase):
    """Tests of quotas."""

    def test_of_each(self) -> None:
        """A project's volumes count for that project alone, in quotas and in limits."""
        first = self.project
        self.create()
        got = self.cinder("PUT", "/os-quota-sets/" + first, {"quota_set": {"volumes": 1}})
        self.assertEqual(got.body["quota_set"]["volumes"], 1)
        self.assertEqual(self.volumes("POST", body={"volume": {"size": 1}}).code, 413)
        self.as_other()
        for used in (0, 1):
            limits = self.cinder("GET", "/limits").body["limits"]["absolute"]
            self.assertEqual(limits["maxTotalVolumes"], 2)
            self.assertEqual(limits["totalVolumesUsed"], used)
            self.create()
        self.assertEqual(self.volumes("POST", body={"volume": {"size": 1}}).code, 413)

    def test_grown(self) -> None:
        """An administrator who extends another project's volume needs that project's quota."""
        first = (self.token, self.project)
        self.as_other()
        other, volume_id = self.project, self.create()
        self.token, self.project = first
        self.cinder("PUT", "/os-quota-sets/" + other, {"quota_set": {"gigabytes": 2}})
        for size, status in ((3, 413), (2, 202)):
            body = {"os-extend": {"new_size": size}}
            self.assertEqual(self.volumes("POST", f"/{volume_id}/action", body).code, status)


__all__ = ["EncryptionTests", "QuotaTests", "TypeTests"]
