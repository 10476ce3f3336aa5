# -*- test-case-name: tests.testing.test_mutants -*-
"""
Tests for drivers whose volumes have labels.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import inlineCallbacks, maybeDeferred
from zope.interface.verify import verifyObject

from ...errors import DatasetConflict, InvalidLabel
from ...interfaces import ILabelledBlockDeviceAsyncAPI, UnknownVolume
from ..base_suite import Suite
from ..volumes import remove_volumes

MYPY = False
if MYPY:
    from typing import Any, Generator, Mapping, Optional, Text  # noqa: F401
    from uuid import UUID  # noqa: F401

    from ...interfaces import LabelledVolume  # noqa: F401

LABELS = {u"name": u"db", u"a b:c_d-e.f": u""}


class Labelling(Suite):
    """Tests of ``ILabelledBlockDeviceAsyncAPI``."""

    def labelled(self, labels=None, dataset_id=None, **arguments):
        # type: (Optional[Mapping[Text, Text]], Optional[UUID], **Any) -> Any
        labels = LABELS if labels is None else labels
        return self.settle(
            self.api.create_labelled_volume(
                dataset_id or uuid4(), arguments.pop("size", self.size), labels, **arguments
            )
        )

    def get(self, found):
        # type: (LabelledVolume) -> Any
        return self.settle(self.api.get_labelled_volume(found.volume.blockdevice_id))

    def set(self, found, labels):
        # type: (LabelledVolume, Mapping[Text, Text]) -> Any
        return self.settle(self.api.set_labels(found.volume.blockdevice_id, labels))

    def remove(self, found, label):
        # type: (LabelledVolume, Text) -> Any
        return self.settle(self.api.remove_label(found.volume.blockdevice_id, label))

    def unowned(self):
        # type: () -> Any
        """:return: a ``Deferred`` that fires with the id of a volume that no cluster has."""
        return self.settle(maybeDeferred(self.unowned_volume_factory))

    def adopt(self, volume_id, dataset_id, labels=LABELS):
        # type: (Text, UUID, Mapping[Text, Text]) -> Any
        return self.settle(self.api.adopt_volume(volume_id, dataset_id, labels))

    @inlineCallbacks
    def assert_labelled(self, *expected):
        # type: (*LabelledVolume) -> Generator[Any, Any, None]
        """The list, and each volume by itself, is as expected; so is the list of volumes."""
        for found in expected:
            alone = yield self.get(found)
            self.assertEqual(found, alone)
        listed = yield self.settle(self.api.list_labelled_volumes())
        self.assertEqual(
            sorted(expected, key=_id), sorted(listed, key=_id), "the list of labels differs"
        )
        yield self.assert_listed(*[found.volume for found in expected])

    def test_interface(self):
        # type: () -> None
        """The driver provides ``ILabelledBlockDeviceAsyncAPI``."""
        self.assertTrue(verifyObject(ILabelledBlockDeviceAsyncAPI, self.driver))

    @inlineCallbacks
    def test_created(self):
        # type: () -> Generator[Any, Any, None]
        """A volume has its labels, a status and a time, and is read and listed with them."""
        dataset_id = uuid4()
        found = yield self.labelled(dataset_id=dataset_id)
        self.assertEqual(
            (dataset_id, self.size, None, LABELS),
            (
                found.volume.dataset_id,
                found.volume.size,
                found.volume.attached_to,
                found.labels,
            ),
        )
        self.assertTrue(found.status, "there is no status")
        self.assertTrue(found.created_at, "there is no time")
        yield self.assert_labelled(found)

    @inlineCallbacks
    def test_without_labels(self):
        # type: () -> Generator[Any, Any, None]
        """The driver's own labels are not the consumer's."""
        volume = yield self.create()
        [found] = yield self.settle(self.api.list_labelled_volumes())
        self.assertEqual((volume, {}), (found.volume, found.labels))
        yield self.assert_labelled(found)

    @inlineCallbacks
    def test_one_for_a_dataset(self):
        # type: () -> Generator[Any, Any, None]
        """A second volume for a dataset is the first one, with the labels that it has."""
        dataset_id = uuid4()
        first = yield self.labelled(dataset_id=dataset_id)
        again = yield self.labelled({u"name": u"other"}, dataset_id)
        self.assertEqual(first, again)
        with_none = yield self.create(dataset_id)
        self.assertEqual(first.volume, with_none)
        yield self.assert_labelled(first)

    @inlineCallbacks
    def test_attached(self):
        # type: () -> Generator[Any, Any, None]
        """Labels of an attached volume change, and the volume stays as it is."""
        found = yield self.labelled()
        attached = yield self.attach(found.volume)
        changed = yield self.set(found, {u"name": u"web"})
        self.assertEqual(
            (attached, dict(LABELS, name=u"web")), (changed.volume, changed.labels)
        )
        yield self.assert_labelled(changed)

    @inlineCallbacks
    def test_set(self):
        # type: () -> Generator[Any, Any, None]
        """Labels are added and replaced, and the others stay."""
        found = yield self.labelled()
        other = yield self.labelled({})
        changed = yield self.set(found, {u"name": u"web", u"new": u"x" * 255})
        self.assertEqual(dict(LABELS, name=u"web", new=u"x" * 255), changed.labels)
        self.assertEqual(found.volume, changed.volume)
        yield self.assert_labelled(changed, other)

    @inlineCallbacks
    def test_removed(self):
        # type: () -> Generator[Any, Any, None]
        """A label is removed alone, and can be removed again."""
        found = yield self.labelled()
        for _ in range(2):
            nothing = yield self.remove(found, u"name")
            self.assertIs(None, nothing)
            left = yield self.get(found)
            self.assertEqual({u"a b:c_d-e.f": u""}, left.labels)
        yield self.remove(found, u"a b:c_d-e.f")
        left = yield self.get(found)
        self.assertEqual({}, left.labels)
        yield self.assert_labelled(left)

    @inlineCallbacks
    def test_invalid(self):
        # type: () -> Generator[Any, Any, None]
        """Reserved and malformed labels are refused, and nothing is changed."""
        found = yield self.labelled()
        unowned = yield self.unowned()
        for label, value in [
            (u"flocker-cluster-id", u"c"),
            (u"flocker-x", u"c"),
            (u"", u"v"),
            (u"a*", u"v"),
            (u"x" * 256, u"v"),
            (u"a", u"v" * 256),
        ]:
            labels = {u"good": u"1", label: value}
            for d in (
                self.labelled(labels),
                self.set(found, labels),
                self.adopt(unowned, uuid4(), labels),
            ):
                yield self.assertFailure(d, InvalidLabel)
        yield self.assertFailure(self.remove(found, u"flocker-cluster-id"), InvalidLabel)
        yield self.assert_labelled(found)

    @inlineCallbacks
    def test_unknown_volume(self):
        # type: () -> Generator[Any, Any, None]
        """A volume that was destroyed has no labels, and can't be adopted."""
        found = yield self.labelled()
        yield self.destroy(found.volume)
        yield self.assert_unknown(found.volume.blockdevice_id)
        yield self.assert_labelled()

    @inlineCallbacks
    def test_unowned(self):
        # type: () -> Generator[Any, Any, None]
        """A volume of no cluster is unknown until it is adopted."""
        volume_id = yield self.unowned()
        for begin in self.operations(volume_id)[:-1]:
            yield self.assert_fails(UnknownVolume, volume_id, begin())
        yield self.assert_labelled()

    def operations(self, volume_id):
        # type: (Text) -> Any
        """:return: functions, each of which begins an operation on a volume."""
        return [
            lambda: self.api.get_labelled_volume(volume_id),
            lambda: self.api.set_labels(volume_id, {u"name": u"stolen"}),
            lambda: self.api.remove_label(volume_id, u"name"),
            lambda: self.api.adopt_volume(volume_id, uuid4(), {u"name": u"stolen"}),
        ]

    @inlineCallbacks
    def assert_unknown(self, volume_id):
        # type: (Text) -> Generator[Any, Any, None]
        for begin in self.operations(volume_id):
            yield self.assert_fails(UnknownVolume, volume_id, begin())

    @inlineCallbacks
    def test_adopted(self):
        # type: () -> Generator[Any, Any, None]
        """
        A volume of no cluster becomes the dataset's, with the labels; adopted again, it keeps the
        labels that it has.
        """
        dataset_id = uuid4()
        volume_id = yield self.unowned()
        found = yield self.adopt(volume_id, dataset_id)
        self.assertEqual(
            (volume_id, dataset_id), (found.volume.blockdevice_id, found.volume.dataset_id)
        )
        self.assertEqual(LABELS, found.labels)
        again = yield self.adopt(volume_id, dataset_id, {u"name": u"other"})
        self.assertEqual(found, again)
        yield self.assert_labelled(found)
        same = yield self.settle(self.api.create_volume(dataset_id, found.volume.size))
        self.assertEqual(found.volume, same)

    @inlineCallbacks
    def test_adopted_by_another(self):
        # type: () -> Generator[Any, Any, None]
        """The volume of one dataset is never another's."""
        found = yield self.labelled()
        taken = self.adopt(found.volume.blockdevice_id, uuid4(), {u"name": u"stolen"})
        yield self.assertFailure(taken, DatasetConflict)
        yield self.assert_labelled(found)

    @inlineCallbacks
    def test_second_volume(self):
        # type: () -> Generator[Any, Any, None]
        """A dataset that has a volume adopts no other."""
        found = yield self.labelled()
        volume_id = yield self.unowned()
        second = self.adopt(volume_id, found.volume.dataset_id)
        yield self.assertFailure(second, DatasetConflict)
        yield self.assert_labelled(found)


class LabelIsolation(Labelling):
    """Tests with another cluster, whose volumes are in the same storage."""

    @inlineCallbacks
    def setUp(self):
        # type: () -> Generator[Any, Any, None]
        yield super(LabelIsolation, self).setUp()
        self.other = yield maybeDeferred(self.other_cluster_factory)
        self.addCleanup(lambda: self.settle(remove_volumes(self.other)))

    @inlineCallbacks
    def test_others_unknown(self):
        # type: () -> Generator[Any, Any, None]
        """The volumes of another cluster are unknown, and keep their labels."""
        theirs = yield self.settle(
            self.other.create_labelled_volume(uuid4(), self.size, LABELS)
        )
        ours = yield self.labelled({})
        yield self.assert_unknown(theirs.volume.blockdevice_id)
        yield self.assert_labelled(ours)
        left = yield self.settle(self.other.list_labelled_volumes())
        self.assertEqual([theirs], left)


def _id(found):
    # type: (LabelledVolume) -> Any
    return found.volume.blockdevice_id
