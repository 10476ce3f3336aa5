"""
Tests for :mod:`txstorage.clouds.openstack.project`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds.openstack.cinder import GIB
from txstorage.clouds.openstack.project import Pool, Project, Quota, VolumeType, Zone
from txstorage.errors import NotTheService

from ...helpers.wire import VOLUMES, Answer, Wire


class ProjectTests(SynchronousTestCase):
    """The limits of a project."""

    def project(self, *script):
        """A project of a Cinder that responds from a script, without Keystone."""
        self.wire = Wire(*script)
        session = self.wire.session({u"block-storage": u"http://cloud" + VOLUMES})
        return Project(session)

    def asked(self):
        """The requests, without the endpoint's path."""
        return [target.replace(VOLUMES, u"") for target in self.wire.service.targets()]

    def test_volume_types(self):
        """The volume types come back sorted by name; what is none is left out."""
        types = [{u"id": u"1", u"name": u"slow"}, {u"id": u"2", u"name": u"fast"}, 7]
        project = self.project(Answer(200, {u"volume_types": types}))
        self.assertEqual(
            self.successResultOf(project.volume_types()),
            (VolumeType(u"2", u"fast"), VolumeType(u"1", u"slow")),
        )
        self.assertEqual(self.asked(), [u"GET /types"])

    def test_pages_of_volume_types(self):
        """Cinder's links to the next page of types are named in the singular."""
        following = [{u"rel": u"next", u"href": u"http://else/types?limit=1&marker=1"}]
        project = self.project(
            Answer(
                200,
                {
                    u"volume_types": [{u"id": u"1", u"name": u"slow"}],
                    u"volume_type_links": following,
                },
            ),
            Answer(200, {u"volume_types": [{u"id": u"2", u"name": u"fast"}]}),
        )
        self.assertEqual(
            [each.name for each in self.successResultOf(project.volume_types())],
            [u"fast", u"slow"],
        )
        self.assertEqual(self.asked(), [u"GET /types", u"GET /types?limit=1&marker=1"])

    def test_availability_zones(self):
        """Zones come back sorted by name, with whether they can be used."""
        zones = [
            {u"zoneName": u"z2", u"zoneState": {u"available": False}},
            {u"zoneName": u"z1", u"zoneState": {u"available": True}},
            {u"zoneName": u"z3", u"zoneState": None},
        ]
        project = self.project(Answer(200, {u"availabilityZoneInfo": zones}))
        self.assertEqual(
            self.successResultOf(project.availability_zones()),
            (Zone(u"z1", True), Zone(u"z2", False), Zone(u"z3", True)),
        )
        self.assertEqual(self.asked(), [u"GET /os-availability-zone"])

    def test_not_zones(self):
        """A response of another form does not count as an empty list."""
        project = self.project(Answer(200, {}))
        self.failureResultOf(project.availability_zones(), NotTheService)

    def test_quota(self):
        """Limits and use, in bytes; -1 is not a limit."""
        absolute = {
            u"maxTotalVolumes": 1000,
            u"maxTotalVolumeGigabytes": -1,
            u"totalVolumesUsed": 10,
            u"totalGigabytesUsed": 12,
        }
        project = self.project(Answer(200, {u"limits": {u"rate": [], u"absolute": absolute}}))
        self.assertEqual(
            self.successResultOf(project.quota()), Quota(10, 1000, 12 * GIB, None)
        )
        self.assertEqual(self.asked(), [u"GET /limits"])

    def test_quota_without_use(self):
        """A value that a user may not see is not taken for zero."""
        for limits in ({}, {u"absolute": 7}, {u"absolute": None}):
            project = self.project(Answer(200, {u"limits": limits}))
            self.assertEqual(
                self.successResultOf(project.quota()), Quota(None, None, None, None)
            )

    def test_pools(self):
        """Pools come back sorted by name, with their numbers in bytes; a word is not a number."""
        pools = [
            {u"name": u"b", u"capabilities": {u"total_capacity_gb": u"infinite"}},
            {
                u"name": u"a",
                u"capabilities": {
                    u"total_capacity_gb": 10.5,
                    u"free_capacity_gb": 3,
                    u"provisioned_capacity_gb": u"12",
                    u"max_over_subscription_ratio": u"20.0",
                },
            },
            {u"name": u"c"},
        ]
        project = self.project(Answer(200, {u"pools": pools}))
        self.assertEqual(
            self.successResultOf(project.pools()),
            (
                Pool(u"a", 21 * GIB // 2, 3 * GIB, 12 * GIB, 20.0),
                Pool(u"b", None, None, None),
                Pool(u"c", None, None, None),
            ),
        )
        self.assertEqual(self.asked(), [u"GET /scheduler-stats/get_pools?detail=true"])
