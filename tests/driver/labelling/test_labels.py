"""
Tests of reading and changing the labels of a volume.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from eliot.testing import capture_logging

from txstorage._log import DRIVER_OPERATION
from txstorage._support.compat import text_type
from txstorage.errors import (
    InvalidLabel,
    MalformedLabels,
    OperationTimedOut,
    RequestRefused,
    Unreachable,
)
from txstorage.interfaces import UnknownVolume

from ...helpers.memory import CLUSTER, HERE, Fault, refusal
from ..support import DriverTestCase, broken, lost, unreachable

#: Labels that Cinder would refuse, or could not remove, or that are the driver's.
INVALID = [
    (u"flocker-cluster-id", u"c"),
    (u"flocker-", u"c"),
    (u"", u"v"),
    (u"a*", u"v"),
    (u"caf\xe9", u"v"),
    (u"a\n", u"v"),
    (u"x" * 256, u"v"),
    (u"a/b", u"v"),
    (u"a.json", u"v"),
    (u"a.xml", u"v"),
    (u".", u"v"),
    (u"..", u"v"),
    (u"a", u"v" * 256),
    (u"a", 7),
    (u"a", None),
    (7, u"a"),
]


class LabelsTestCase(DriverTestCase):
    """A volume of the cluster, and volumes that are not."""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.dataset_id = uuid4()
        self.volume_id = self.cloud.add(u"in-use", HERE, dataset_id=self.dataset_id)
        self.change(old=u"1")
        self.others = [
            self.cloud.add(labels={u"old": u"1"}),
            self.cloud.add(
                labels={u"old": u"1", u"flocker-cluster-id": text_type(uuid4())}
            ),
        ]

    def change(self, **labels):
        """Change labels behind the driver's back."""
        before = self.cloud.volumes[self.volume_id].labels
        self.cloud.change(self.volume_id, labels=dict(before, **labels))

    def own(self):
        """:return: the consumer's labels, as the cloud has them."""
        found = self.cloud.volumes[self.volume_id].labels
        self.assertEqual(text_type(CLUSTER), found[u"flocker-cluster-id"])
        self.assertEqual(text_type(self.dataset_id), found[u"flocker-dataset-id"])
        return {key: found[key] for key in found if not key.startswith(u"flocker-")}

    def assert_unknown(self, operation, *arguments):
        """An operation fails for volumes that are not the cluster's, and changes nothing."""
        before = dict(self.cloud.volumes)
        for volume_id in self.others + [u"no-such"]:
            error = self.failure(operation(volume_id, *arguments), UnknownVolume)
            self.assertEqual((volume_id,), error.args)
        self.assertEqual(before, self.cloud.volumes)


class GetTests(LabelsTestCase):
    """``get_labelled_volume``"""

    def test_found(self):
        """One request reads the volume, its labels, its status and its age."""
        found = self.success(self.driver.get_labelled_volume(self.volume_id))
        volume = self.cloud.volumes[self.volume_id]
        self.assertEqual(
            (self.volume_id, volume.size, HERE, self.dataset_id),
            (
                found.volume.blockdevice_id,
                found.volume.size,
                found.volume.attached_to,
                found.volume.dataset_id,
            ),
        )
        self.assertEqual(
            ({u"old": u"1"}, u"in-use", volume.created_at),
            (found.labels, found.status, found.created_at),
        )
        self.assertEqual(["get"], self.cloud.requests)

    def test_unknown(self):
        """Volumes of other clusters, and of none, are unknown."""
        self.assert_unknown(self.driver.get_labelled_volume)

    def test_malformed(self):
        """A volume without a dataset is an error that names it."""
        volume_id = self.cloud.add(labels={u"flocker-cluster-id": text_type(CLUSTER)})
        error = self.failure(self.driver.get_labelled_volume(volume_id), MalformedLabels)
        self.assertEqual(volume_id, error.volume_id)

    def test_deadline(self):
        """A request without a response ends at the deadline."""
        self.driver = self.new_driver(timeout=5.0)
        self.cloud.break_next("get", Fault(None))
        self.failure(self.driver.get_labelled_volume(self.volume_id), OperationTimedOut)
        self.assertEqual(["get"], self.cloud.cancelled)


class SetTests(LabelsTestCase):
    """``set_labels``"""

    def set(self, labels=None):
        return self.driver.set_labels(self.volume_id, labels or {u"new": u"2"})

    def test_added_and_replaced(self):
        """The given labels are added or replaced, and the others stay."""
        self.change(other=u"x")
        found = self.success(self.set({u"old": u"3", u"a b:c_d-e.f": u""}))
        expected = {u"old": u"3", u"a b:c_d-e.f": u"", u"other": u"x"}
        self.assertEqual((expected, expected), (found.labels, self.own()))
        self.assertEqual(
            (self.volume_id, HERE), (found.volume.blockdevice_id, found.volume.attached_to)
        )
        self.assertEqual(["get", "set labels"], self.cloud.requests)

    def test_same(self):
        """Labels that the volume has are not sent again."""
        self.assertEqual({u"old": u"1"}, self.success(self.set({u"old": u"1"})).labels)
        self.assertEqual(["get"], self.cloud.requests)

    def test_others_change(self):
        """The result has the labels that another node set in the meantime."""
        set_labels = self.cloud._set_labels

        def late(volume_id, labels):
            self.change(other=u"x")
            return set_labels(volume_id, labels)

        self.cloud._set_labels = late
        expected = {u"old": u"1", u"new": u"2", u"other": u"x"}
        self.assertEqual(expected, self.success(self.set()).labels)

    def test_response_lost(self):
        """After a lost response, the driver looks before it sends again."""
        self.cloud.break_next("set labels", Fault(lost(), processed=True))
        found = self.success(self.set())
        self.assertEqual({u"old": u"1", u"new": u"2"}, found.labels)
        self.assertEqual(1, self.cloud.count("set labels"))

    def test_repeated(self):
        """A request that fails for a reason that passes is sent again."""
        self.cloud.break_next("set labels", *map(Fault, (unreachable(), broken(), lost())))
        self.cloud.break_next("get", None, Fault(broken()))
        self.assertEqual({u"old": u"1", u"new": u"2"}, self.success(self.set()).labels)
        self.assertEqual({u"old": u"1", u"new": u"2"}, self.own())
        self.assertEqual(4, self.cloud.count("set labels"))

    def test_callers_labels(self):
        """A caller may change its own dict afterwards."""
        self.cloud.break_next("set labels", Fault(unreachable()))
        labels = {u"new": u"2"}
        d = self.set(labels)
        labels[u"new"] = u"3"
        self.assertEqual({u"old": u"1", u"new": u"2"}, self.success(d).labels)

    def test_first_look(self):
        """A cloud that can't be reached at first is an error at once, without a request."""
        self.cloud.break_next("get", Fault(unreachable()))
        self.failure(self.set(), Unreachable)
        self.assertEqual(["get"], self.cloud.requests)

    def test_refused(self):
        """A refusal is an error, and the labels are as they were."""
        self.cloud.break_next("set labels", Fault(refusal(400, u"maintenance")))
        self.failure(self.set(), RequestRefused)
        self.assertEqual({u"old": u"1"}, self.own())

    def test_deadline(self):
        """The error at the deadline names the volume, its status and the last problem."""
        self.driver = self.new_driver(timeout=5.0)
        self.cloud.break_next("set labels", *[Fault(broken()) for _ in range(30)])
        error = self.failure(self.set(), OperationTimedOut)
        self.assertEqual(
            (u"label", u"volume " + self.volume_id), (error.operation, error.subject)
        )
        self.assertIn(u"in-use", error.last_seen)
        self.assertIn(u"oops", error.last_seen)

    def test_cancelled(self):
        """A change can be cancelled at any time, and repeated."""
        self.cloud.break_next("set labels", *[Fault(lost()) for _ in range(3)])
        self.assertGreater(self.cut_short(self.set), 0)
        self.assertEqual({u"old": u"1", u"new": u"2"}, self.own())

    def test_unknown(self):
        """Labels of other clusters' volumes, and of unlabelled ones, are not changed."""
        self.assert_unknown(self.driver.set_labels, {u"new": u"2"})

    def test_deleted_meanwhile(self):
        """A volume that is deleted between the requests is unknown."""
        self.cloud.break_next("set labels", Fault(UnknownVolume(self.volume_id)))
        self.failure(self.set(), UnknownVolume)

    def test_invalid(self):
        """An invalid label is refused without a request, and so are the labels beside it."""
        for label, value in INVALID:
            error = self.failure(self.set({u"new": u"2", label: value}), InvalidLabel)
            self.assertIn(u"{!r}".format(label), error.message)
        self.assertEqual([], self.cloud.requests)

    def test_valid(self):
        """Keys and values of any valid length."""
        labels = {u"x" * 255: u"v" * 255, u"-": u"caf\xe9", u"json": u"\n", u"detail": u""}
        self.assertEqual(dict(labels, old=u"1"), self.success(self.set(labels)).labels)

    @capture_logging(None)
    def test_logged(self, logger):
        """The operation is an action with the volume as its subject."""
        self.success(self.set())
        [action] = [
            each
            for each in logger.messages
            if each.get("action_type") == DRIVER_OPERATION.action_type
            and each["action_status"] == "started"
        ]
        self.assertEqual(
            (u"label", u"volume " + self.volume_id), (action["operation"], action["subject"])
        )


class RemoveTests(LabelsTestCase):
    """``remove_label``"""

    def remove(self, label=u"old"):
        return self.driver.remove_label(self.volume_id, label)

    def test_removed(self):
        """Only the label is removed, and removing it again changes nothing."""
        self.change(other=u"x")
        self.assertIs(None, self.success(self.remove()))
        self.assertEqual({u"other": u"x"}, self.own())
        self.assertIs(None, self.success(self.remove()))
        self.assertEqual(1, self.cloud.count("remove label"))

    def test_response_lost(self):
        """After a lost response, the driver looks before it sends again."""
        self.cloud.break_next("remove label", Fault(lost(), processed=True))
        self.success(self.remove())
        self.assertEqual(({}, 1), (self.own(), self.cloud.count("remove label")))

    def test_repeated(self):
        """A request that fails for a reason that passes is sent again."""
        self.cloud.break_next("remove label", *map(Fault, (unreachable(), broken(), lost())))
        self.success(self.remove())
        self.assertEqual({}, self.own())

    def test_cancelled(self):
        """A removal can be cancelled at any time, and repeated."""
        self.cloud.break_next("remove label", *[Fault(lost()) for _ in range(3)])
        self.assertGreater(self.cut_short(self.remove), 0)
        self.assertEqual({}, self.own())

    def test_unknown(self):
        """Labels of other clusters' volumes, and of unlabelled ones, are not removed."""
        self.assert_unknown(self.driver.remove_label, u"old")

    def test_invalid(self):
        """The driver's own labels can't be removed, nor can those that Cinder has no path for."""
        for label in [u"flocker-cluster-id", u"flocker-dataset-id", u"a/b", u"a.json", u"", 7]:
            self.failure(self.remove(label), InvalidLabel)
        self.assertEqual([], self.cloud.requests)
