"""Tests of the QoS specs and the encryption of volume types, in the durable state."""

from __future__ import annotations

import attr

from .test_projects import ProjectsCase


class QosTests(ProjectsCase):
    """Tests of :class:`~txstorage.embedded.store.projects.qos.QosTable`."""

    def test_survives(self) -> None:
        """QoS specs, and their volume type, survive a crash."""
        made = self.store.types.qos.add("q", "both", {"a": "b", "c": None})
        type_id = self.store.types.add("t").type_id
        self.store.types.qos.associate(made.qos_id, type_id)
        again = self.open().types
        self.assertEqual(again.qos.find(made.qos_id), made)
        self.assertEqual(again.qos.named("q"), made)
        self.assertEqual(again.qos.types(made.qos_id), [(type_id, "t")])
        found = again.find("t")
        self.assertEqual(found and found.qos_id, made.qos_id)

    def test_changed(self) -> None:
        """A change replaces the consumer and the values, of these QoS specs alone."""
        qos = self.store.types.qos
        made, other = qos.add("q", "both", {"a": "b"}), qos.add("r", "both", {"a": "b"})
        qos.change(made.qos_id, "back-end", {"c": "d"})
        changed = attr.evolve(made, consumer="back-end", specs={"c": "d"})
        self.assertEqual(qos.every(), [other, changed])

    def test_disassociated(self) -> None:
        """QoS specs are taken away only from a volume type that has them."""
        types = self.store.types
        made, other = types.qos.add("q", "both", {}), types.qos.add("r", "both", {})
        type_id = types.add("t").type_id
        types.qos.associate(made.qos_id, type_id)
        types.qos.disassociate(other.qos_id, [type_id])
        self.assertEqual(types.qos.types(made.qos_id), [(type_id, "t")])
        types.qos.disassociate(made.qos_id, [type_id])
        self.assertEqual(types.qos.types(made.qos_id), [])

    def test_removed(self) -> None:
        """A volume type stays when its QoS specs go, and has none any more."""
        types = self.store.types
        made, type_id = types.qos.add("q", "both", {}), types.add("t").type_id
        types.qos.associate(made.qos_id, type_id)
        types.qos.remove(made.qos_id)
        found = types.find(type_id)
        assert found is not None
        self.assertIsNone(found.qos_id)
        self.assertIsNone(types.qos.find(made.qos_id))

    def test_cleared(self) -> None:
        """A store that is cleared has neither QoS specs nor encryption."""
        types = self.store.types
        made, type_id = types.qos.add("q", "both", {}), types.find("gold")
        assert type_id is not None
        types.qos.associate(made.qos_id, type_id.type_id)
        types.encryptions.add(
            type_id.type_id, {"provider": "luks", "control_location": "front-end"}
        )
        with self.store.transaction():
            self.store.clear()
        self.assertEqual(types.qos.every(), [])
        self.assertIsNone(types.encryptions.of_type_named("gold"))


class EncryptionTests(ProjectsCase):
    """Tests of :class:`~txstorage.embedded.store.projects.encryption.EncryptionTable`."""

    def setUp(self) -> None:
        super().setUp()
        self.type_id = self.store.types.add("t").type_id
        wanted = {"provider": "luks", "control_location": "front-end", "key_size": 256}
        self.made = self.store.types.encryptions.add(self.type_id, wanted)

    def test_survives(self) -> None:
        """An encryption survives a crash, and is found by its type's id and name."""
        again = self.open().types.encryptions
        self.assertEqual(again.of_type(self.type_id), self.made)
        self.assertEqual(again.of_type_named("t"), self.made)
        self.assertIsNone(again.of_type_named("gold"))
        self.assertEqual((self.made.key_size, self.made.cipher), (256, None))

    def test_changed(self) -> None:
        """A change sets what it names, and the time, of this type's encryption alone."""
        encryptions, other = self.store.types.encryptions, self.store.types.add("u").type_id
        kept = encryptions.add(other, {"provider": "p", "control_location": "back-end"})
        encryptions.change(self.type_id, {"cipher": "aes-xts-plain64", "key_size": None})
        changed = attr.evolve(self.made, cipher="aes-xts-plain64", key_size=None, updated_at=1.0)
        self.assertEqual(encryptions.of_type(self.type_id), changed)
        self.assertEqual(encryptions.of_type(other), kept)

    def test_removed(self) -> None:
        """An encryption goes with its volume type."""
        self.store.types.remove(self.type_id)
        self.assertIsNone(self.store.types.encryptions.of_type(self.type_id))


__all__ = ["EncryptionTests", "QosTests"]
