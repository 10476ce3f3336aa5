"""
Tests of adopting volumes.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from txstorage._support.compat import text_type
from txstorage.errors import (
    DatasetConflict,
    InvalidDatasetID,
    InvalidLabel,
    MalformedLabels,
    OperationTimedOut,
    RequestRefused,
    Unreachable,
)
from txstorage.interfaces import UnknownVolume

from ...helpers.memory import CLUSTER, HERE, Fault, refusal
from ..support import DriverTestCase, broken, lost, unreachable

LABELS = {u"docker.name": u"db"}


class AdoptTests(DriverTestCase):
    """``adopt_volume``"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.dataset_id = uuid4()
        self.driver_labels = {
            u"flocker-cluster-id": text_type(CLUSTER),
            u"flocker-dataset-id": text_type(self.dataset_id),
        }
        self.volume_id = self.cloud.add(labels={u"old": u"1"}, name=u"mine")

    def adopt(self, labels=LABELS):
        return self.driver.adopt_volume(self.volume_id, self.dataset_id, labels)

    def labels(self):
        return self.cloud.volumes[self.volume_id].labels

    def rival(self, **changes):
        """Give the dataset another volume; :return: its id."""
        return self.cloud.add(dataset_id=self.dataset_id, **changes)

    def conflict(self, volume_id):
        """The adoption fails because of a volume."""
        error = self.failure(self.adopt(), DatasetConflict)
        self.assertEqual(volume_id, error.volume_id)
        self.assertIn(volume_id, error.message)
        self.assertIn(
            u"the dataset that it belongs to" if volume_id == self.volume_id else u"that volume",
            error.remedy,
        )
        for unwanted in (u"destroy", u"size"):
            self.assertNotIn(unwanted, error.remedy)

    def test_adopted(self):
        """One request sets the driver's labels and the given ones; the volume keeps the others."""
        found = self.success(self.adopt())
        own = {u"old": u"1", u"docker.name": u"db"}
        self.assertEqual(dict(own, **self.driver_labels), self.labels())
        self.assertEqual(
            (self.volume_id, self.dataset_id, own),
            (found.volume.blockdevice_id, found.volume.dataset_id, found.labels),
        )
        self.assertEqual(["get", "list", "set labels", "list"], self.cloud.requests)
        self.assertEqual([found], self.success(self.driver.list_labelled_volumes()))
        self.assertEqual(
            found.volume,
            self.success(self.driver.create_volume(self.dataset_id, found.volume.size)),
        )

    def test_again(self):
        """The dataset's volume is returned with the labels that it has."""
        first = self.success(self.adopt())
        self.assertEqual(first, self.success(self.adopt({u"docker.name": u"other"})))
        self.assertEqual(1, self.cloud.count("set labels"))

    def test_attached(self):
        """An attached volume is adopted as it is."""
        self.volume_id = self.cloud.add(u"in-use", HERE, labels={})
        found = self.success(self.adopt())
        self.assertEqual((HERE, u"in-use"), (found.volume.attached_to, found.status))

    def test_unknown(self):
        """A volume that does not exist, or is another cluster's, is unknown."""
        anothers = {u"flocker-cluster-id": text_type(uuid4())}
        for volume_id in (u"no-such", self.cloud.add(labels=anothers)):
            self.volume_id = volume_id
            error = self.failure(self.adopt(), UnknownVolume)
            self.assertEqual((self.volume_id,), error.args)
        self.assertEqual(anothers, self.labels())

    def test_another_dataset(self):
        """The volume of another dataset stays that dataset's."""
        labels = dict(self.driver_labels, **{u"flocker-dataset-id": text_type(uuid4())})
        for volume_id in (
            self.cloud.add(labels=labels),
            self.cloud.add(labels={u"flocker-dataset-id": text_type(uuid4())}),
        ):
            self.volume_id = volume_id
            before = self.labels()
            self.conflict(self.volume_id)
            self.assertEqual(before, self.labels())

    def test_half_labelled(self):
        """A volume that lacks the cluster's label of its dataset is adopted."""
        self.volume_id = self.cloud.add(
            labels={u"flocker-dataset-id": text_type(self.dataset_id)}
        )
        self.success(self.adopt())
        self.assertEqual(dict(LABELS, **self.driver_labels), self.labels())

    def test_without_dataset(self):
        """A volume of the cluster without a dataset is an error."""
        self.volume_id = self.cloud.add(labels={u"flocker-cluster-id": text_type(CLUSTER)})
        self.failure(self.adopt(), MalformedLabels)

    def test_dataset_has_volume(self):
        """A dataset that has a volume adopts no other, which stays as it was."""
        self.conflict(self.rival())
        self.assertEqual({u"old": u"1"}, self.labels())

    def test_deleting(self):
        """A volume that is being deleted is no longer the dataset's."""
        self.rival(status=u"deleting")
        self.success(self.adopt())

    def test_duplicate(self):
        """Of two volumes that the dataset has, none is released."""
        self.success(self.adopt())
        self.conflict(self.rival())
        self.assertEqual(text_type(CLUSTER), self.labels()[u"flocker-cluster-id"])

    def meanwhile(self):
        """Let another node create the dataset's volume during the request."""
        set_labels, made = self.cloud._set_labels, []

        def late(*arguments):
            if not made:
                made.append(self.rival())
            return set_labels(*arguments)

        self.cloud._set_labels = late
        return made

    def test_created_meanwhile(self):
        """
        A volume that another node created at the same time may be in use: the adopted one is
        released.
        """
        made = self.meanwhile()
        d = self.adopt()
        self.conflict_of(d, made)
        self.assertEqual({u"old": u"1", u"docker.name": u"db"}, self.labels())

    def conflict_of(self, d, made):
        error = self.failure(d, DatasetConflict)
        self.assertEqual(made[0], error.volume_id)

    def test_released_in_spite_of_faults(self):
        """The release is repeated when its requests fail."""
        made = self.meanwhile()
        self.cloud.break_next("remove label", Fault(lost()), Fault(broken()))
        self.conflict_of(self.adopt(), made)
        self.assertEqual({u"old": u"1", u"docker.name": u"db"}, self.labels())

    def test_list_out_of_date(self):
        """A list that lacks the adopted volume is read again, but not for ever."""
        read, lists = self.cloud._list, []

        def late(labels):
            lists.append(labels)
            return read(labels if len(lists) > 3 else {u"no": u"volume"})

        self.cloud._list = late
        self.success(self.adopt())
        self.assertEqual(4, len(lists))
        self.success(self.driver.remove_label(self.volume_id, u"old"))
        self.cloud._list = lambda labels: read({u"no": u"volume"})
        self.success(self.adopt())

    def test_response_lost(self):
        """After a lost response, the driver looks before it sends again."""
        self.cloud.break_next("set labels", Fault(lost(), processed=True))
        found = self.success(self.adopt())
        self.assertEqual({u"old": u"1", u"docker.name": u"db"}, found.labels)
        self.assertEqual(1, self.cloud.count("set labels"))

    def test_repeated(self):
        """A request that fails for a reason that passes is sent again."""
        self.cloud.break_next("set labels", *map(Fault, (unreachable(), broken(), lost())))
        self.cloud.break_next("list", Fault(broken()), None, Fault(lost()))
        self.assertEqual(LABELS[u"docker.name"], self.success(self.adopt()).labels[u"docker.name"])

    def test_first_look(self):
        """A cloud that can't be reached at first is an error at once."""
        self.cloud.break_next("get", Fault(unreachable()))
        self.failure(self.adopt(), Unreachable)

    def test_refused(self):
        """A refusal is an error."""
        self.cloud.break_next("set labels", Fault(refusal()))
        self.failure(self.adopt(), RequestRefused)

    def test_deadline(self):
        """The deadline ends an adoption that the cloud does not answer."""
        self.driver = self.new_driver(timeout=5.0)
        self.cloud.break_next("set labels", Fault(None))
        error = self.failure(self.adopt(), OperationTimedOut)
        self.assertEqual(u"adopt", error.operation)

    def test_cancelled(self):
        """An adoption can be cancelled at any time, and repeated."""
        self.cloud.break_next("set labels", *[Fault(lost()) for _ in range(3)])
        self.assertGreater(self.cut_short(self.adopt), 0)
        self.assertEqual(dict(self.driver_labels, old=u"1", **LABELS), self.labels())

    def test_invalid(self):
        """An invalid label or dataset is refused without a request."""
        self.failure(self.adopt({u"flocker-dataset-id": u"d"}), InvalidLabel)
        self.failure(self.adopt({u"a/b": u"d"}), InvalidLabel)
        self.dataset_id = u"no UUID"
        self.failure(self.adopt(), InvalidDatasetID)
        self.assertEqual([], self.cloud.requests)
