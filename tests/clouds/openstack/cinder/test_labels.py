# -*- coding: utf-8 -*-
"""
The requests to Cinder that change the labels of volumes.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage.clouds.openstack.cinder import Cinder
from txstorage.clouds.openstack.paths_and_pages import label_segment
from txstorage.interfaces import UnknownVolume

from ....helpers.wire import HANG, VOLUMES, Answer, Wire, error
from .test_volumes import ID, UNSAFE_IDS, described

PATH = u"/volumes/{}/metadata".format(ID)
NO_VOLUME = error(404, u"itemNotFound", u"Volume {} could not be found.".format(ID))
NO_LABEL = error(404, u"itemNotFound", u"Volume {} has no metadata with key a b.".format(ID))
#: Labels whose removal has no path of its own.
WITHOUT_PATH = (u"", u"a/b", u".", u"..", u"a.json", u"a.xml", u"a\n", u"x" * 256, None, 7)


class LabelSegmentTests(SynchronousTestCase):
    """The key of a label in a path."""

    def test_safe(self):
        """Keys of Cinder's alphabet are percent-encoded."""
        for key, segment in [
            (u"docker.name", u"docker.name"),
            (u"a b:c", u"a%20b%3Ac"),
            (u"json", u"json"),
            (u"a.json.b", u"a.json.b"),
            (u"detail", u"detail"),
            (u"summary", u"summary"),
            (u"x" * 255, u"x" * 255),
        ]:
            self.assertEqual(segment, label_segment(key))

    def test_unsafe(self):
        """Keys that a router would take for something else have no path."""
        for key in WITHOUT_PATH:
            self.assertIs(None, label_segment(key), key)


class LabelsTests(SynchronousTestCase):
    """``set_labels`` and ``remove_label``"""

    def cinder(self, *script):
        """A Cinder that responds from a script, without Keystone."""
        self.wire = Wire(*script)
        return Cinder(self.wire.session({u"block-storage": u"http://cloud" + VOLUMES}))

    def asked(self):
        """The requests, without the endpoint's path."""
        return [target.replace(VOLUMES, u"") for target in self.wire.service.targets()]

    def test_set(self):
        """One request adds labels; the result has all that the volume has."""
        cinder = self.cinder(Answer(200, {u"metadata": {u"a": u"1", u"b": u"2"}}))
        found = self.successResultOf(cinder.set_labels(ID, {u"b": u"2"}))
        self.assertEqual({u"a": u"1", u"b": u"2"}, found)
        self.assertEqual([u"POST " + PATH], self.asked())
        self.assertEqual({u"metadata": {u"b": u"2"}}, self.wire.service.seen[-1].body)

    def test_not_understood(self):
        """A response without the labels, or without any, is not Cinder's."""
        for body in (
            {u"metadata": {u"a": u"1"}},
            {u"metadata": {u"b": u"3"}},
            {u"metadata": {u"b": u"2", u"c": 3}},
            {u"metadata": [u"b"]},
            {u"meta": {u"b": u"2"}},
        ):
            cinder = self.cinder(Answer(200, body))
            self.failureResultOf(cinder.set_labels(ID, {u"b": u"2"}), errors.NotTheService)

    def test_refused(self):
        """A refusal has Cinder's message, and a remedy."""
        message = (
            u"Invalid volume: Updating volume metadata is not allowed for volumes in maintenance "
            u"status."
        )
        cinder = self.cinder(error(400, u"badRequest", message))
        d = cinder.set_labels(ID, {u"b": u"2"})
        refused = self.failureResultOf(d, errors.RequestRefused).value
        self.assertIn(message, refused.message)
        self.assertIn(u"maintenance", refused.remedy)

    def test_removed(self):
        """One request removes a label."""
        cinder = self.cinder(Answer(200))
        self.assertIs(None, self.successResultOf(cinder.remove_label(ID, u"a b")))
        self.assertEqual([u"DELETE {}/a%20b".format(PATH)], self.asked())

    def test_absent(self):
        """A label that the volume does not have counts as removed."""
        cinder = self.cinder(NO_LABEL, Answer(200, {u"volume": described()}))
        self.assertIs(None, self.successResultOf(cinder.remove_label(ID, u"a b")))
        self.assertEqual(u"GET /volumes/" + ID, self.asked()[-1])

    def test_unknown(self):
        """Cinder's own 404 about the volume is an unknown volume."""
        d = self.cinder(NO_VOLUME).set_labels(ID, {})
        self.assertEqual((ID,), self.failureResultOf(d, UnknownVolume).value.args)
        d = self.cinder(NO_VOLUME, NO_VOLUME).remove_label(ID, u"a b")
        self.assertEqual((ID,), self.failureResultOf(d, UnknownVolume).value.args)

    def test_still_there(self):
        """A 404 about a label that the volume has is an error, and the volume is not unknown."""
        volume = described(metadata={u"a b": u"c"})
        cinder = self.cinder(NO_LABEL, Answer(200, {u"volume": volume}))
        self.failureResultOf(cinder.remove_label(ID, u"a b"), errors.NotTheService)

    def test_not_the_volumes_404(self):
        """A 404 of a router or a proxy does not mean that the label is gone."""
        body = {u"message": u"The resource could not be found.", u"code": u"404 Not Found"}
        for remove in (True, False):
            cinder = self.cinder(Answer(404, body))
            d = cinder.remove_label(ID, u"a") if remove else cinder.set_labels(ID, {u"a": u"b"})
            self.failureResultOf(d, errors.ResourceNotFound)

    def test_without_path(self):
        """A label or a volume without a path is refused without a request."""
        cinder = self.cinder()
        for label in WITHOUT_PATH:
            self.failureResultOf(cinder.remove_label(ID, label), errors.InvalidLabel)
        for volume_id in UNSAFE_IDS:
            self.failureResultOf(cinder.remove_label(volume_id, u"a"), UnknownVolume)
            self.failureResultOf(cinder.set_labels(volume_id, {}), UnknownVolume)
        self.assertEqual([], self.asked())

    def test_cancelled(self):
        """Both can be cancelled, and then send nothing more."""
        for change in (
            lambda cinder: cinder.set_labels(ID, {u"a": u"b"}),
            lambda cinder: cinder.remove_label(ID, u"a"),
        ):
            cinder = self.cinder(HANG)
            d = change(cinder)
            d.cancel()
            self.failureResultOf(d)
            self.assertEqual(1, len(self.asked()))
