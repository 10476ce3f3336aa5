# -*- test-case-name: tests.embedded.test_contract -*-
"""
Tests for drivers whose volumes have labels: lost exchanges, and operations cancelled at any moment.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import inlineCallbacks, maybeDeferred, returnValue

from ..resilience import InterruptedOperations

MYPY = False
if MYPY:
    from typing import Any, Generator, Mapping, Text  # noqa: F401
    from uuid import UUID  # noqa: F401

    from ...interfaces import LabelledVolume  # noqa: F401

LABELS = {u"name": u"db"}


class LabelResilience(InterruptedOperations):
    """The tests of labels under faults."""

    least = 2
    opposite = {"label": "unlabel", "unlabel": "label"}
    done = {"adopt": (), "label": (), "labelled": (), "unlabel": ()}

    def prepare_labelled(self):
        # type: () -> Any
        return maybeDeferred(uuid4)

    def begin_labelled(self, dataset_id):
        # type: (UUID) -> Any
        return self.api.create_labelled_volume(dataset_id, self.size, LABELS)

    @inlineCallbacks
    def check_labelled(self, dataset_id):
        # type: (UUID) -> Generator[Any, Any, None]
        listed = yield self.settle(self.api.list_labelled_volumes())
        of_dataset = [each for each in listed if each.volume.dataset_id == dataset_id]
        self.assertEqual([LABELS], [each.labels for each in of_dataset])

    def prepare_label(self):
        # type: () -> Any
        return self.settle(self.api.create_labelled_volume(uuid4(), self.size, {u"kept": u"1"}))

    def begin_label(self, found):
        # type: (LabelledVolume) -> Any
        return self.api.set_labels(found.volume.blockdevice_id, {u"name": u"db"})

    @inlineCallbacks
    def check_label(self, found):
        # type: (LabelledVolume) -> Generator[Any, Any, None]
        yield self._check_labels(found, {u"kept": u"1", u"name": u"db"})

    @inlineCallbacks
    def _check_labels(self, found, expected):
        # type: (LabelledVolume, Mapping[Text, Text]) -> Generator[Any, Any, None]
        left = yield self.settle(self.api.get_labelled_volume(found.volume.blockdevice_id))
        self.assertEqual((found.volume, expected), (left.volume, left.labels))

    @inlineCallbacks
    def prepare_unlabel(self):
        # type: () -> Generator[Any, Any, Any]
        found = yield self.prepare_label()
        yield self.settle(self.begin_label(found))
        returnValue(found)

    def begin_unlabel(self, found):
        # type: (LabelledVolume) -> Any
        return self.api.remove_label(found.volume.blockdevice_id, u"name")

    @inlineCallbacks
    def check_unlabel(self, found):
        # type: (LabelledVolume) -> Generator[Any, Any, None]
        yield self._check_labels(found, {u"kept": u"1"})

    @inlineCallbacks
    def prepare_adopt(self):
        # type: () -> Generator[Any, Any, Any]
        """:return: a ``Deferred`` that fires with a volume's id, and a new dataset's."""
        volume_id = yield self.settle(maybeDeferred(self.unowned_volume_factory))
        returnValue((volume_id, uuid4()))

    def begin_adopt(self, subject):
        # type: (Any) -> Any
        volume_id, dataset_id = subject
        return self.api.adopt_volume(volume_id, dataset_id, LABELS)

    @inlineCallbacks
    def check_adopt(self, subject):
        # type: (Any) -> Generator[Any, Any, None]
        listed = yield self.settle(self.api.list_labelled_volumes())
        volume_id, dataset_id = subject
        of_dataset = [each for each in listed if each.volume.dataset_id == dataset_id]
        self.assertEqual(
            [(volume_id, LABELS)],
            [(each.volume.blockdevice_id, each.labels) for each in of_dataset],
        )

    def test_create_loses_requests(self):
        # type: () -> Any
        """Creating survives the loss of any request, and makes one volume with its labels."""
        return self._lose_each("labelled", u"reset-before")

    def test_create_loses_responses(self):
        # type: () -> Any
        """Creating survives the loss of any response, and makes one volume with its labels."""
        return self._lose_each("labelled", u"reset-after")

    def test_create_cancelled(self):
        # type: () -> Any
        """Creating can be cancelled at any exchange, and repeated; one volume is made."""
        return self._cancel_everywhere("labelled")

    def test_set_loses_requests(self):
        # type: () -> Any
        """Setting labels survives the loss of any request."""
        return self._lose_each("label", u"reset-before")

    def test_set_loses_responses(self):
        # type: () -> Any
        """Setting labels survives the loss of any response."""
        return self._lose_each("label", u"reset-after")

    def test_set_cancelled(self):
        # type: () -> Any
        """Setting labels can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("label")

    def test_remove_loses_requests(self):
        # type: () -> Any
        """Removing a label survives the loss of any request."""
        return self._lose_each("unlabel", u"reset-before")

    def test_remove_loses_responses(self):
        # type: () -> Any
        """Removing a label survives the loss of any response."""
        return self._lose_each("unlabel", u"reset-after")

    def test_remove_cancelled(self):
        # type: () -> Any
        """Removing a label can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("unlabel")

    def test_adopt_loses_requests(self):
        # type: () -> Any
        """Adopting survives the loss of any request."""
        return self._lose_each("adopt", u"reset-before")

    def test_adopt_loses_responses(self):
        # type: () -> Any
        """Adopting survives the loss of any response."""
        return self._lose_each("adopt", u"reset-after")

    def test_adopt_cancelled(self):
        # type: () -> Any
        """Adopting can be cancelled at any exchange, and repeated."""
        return self._cancel_everywhere("adopt")
