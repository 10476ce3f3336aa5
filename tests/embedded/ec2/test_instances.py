"""Tests of EC2's instances, zones and regions."""

from __future__ import annotations

from typing import Any

from .support import OTHER_ZONE, ZONE, EC2Case


class InstanceTests(EC2Case):
    """Tests of the actions on instances."""

    settings = {"transition_delay": 2.0}

    def instances(self, **asked: Any) -> list[Any]:
        """Return the instances that a describe lists."""
        reservations = self.call("DescribeInstances", **asked)["Reservations"]
        return [each for found in reservations for each in found["Instances"]]

    def power(self) -> str:
        """Return the first node's state."""
        [found] = self.instances(InstanceIds=[self.node()])
        name: str = found["State"]["Name"]
        return name

    def test_describe(self) -> None:
        """Each declared node is an instance, with its volumes."""
        volume_id = self.create()
        self.attach(volume_id)
        [found] = self.instances(InstanceIds=[self.node()])
        self.assertEqual(found["Placement"]["AvailabilityZone"], ZONE)
        self.assertEqual(found["Tags"], [{"Key": "Name", "Value": "node-1"}])
        devices = {
            each["DeviceName"]: (each["Ebs"]["VolumeId"], each["Ebs"]["Status"])
            for each in found["BlockDeviceMappings"]
        }
        self.assertEqual(devices["/dev/xvdba"], (volume_id, "attaching"))
        self.assertEqual(set(devices), {"/dev/xvdba", found["RootDeviceName"]})
        self.assertEqual(len(self.instances()), 2)

    def test_types(self) -> None:
        """The instances' type has the limit of attachments, with the root volume."""
        self.use(self.make(attachments=5))
        [kind] = self.call("DescribeInstanceTypes")["InstanceTypes"]
        self.assertEqual(kind["EbsInfo"]["MaximumEbsAttachments"], 6)
        [found] = self.instances(InstanceIds=[self.node()])
        self.assertEqual(kind["InstanceType"], found["InstanceType"])
        asked = {"InstanceTypes": [found["InstanceType"]]}
        self.assertEqual(len(self.call("DescribeInstanceTypes", **asked)["InstanceTypes"]), 1)
        self.refused("InvalidInstanceType", "DescribeInstanceTypes", InstanceTypes=["x9.huge"])

    def test_filters(self) -> None:
        """Filters of instances; an unknown id is refused."""
        volume_id = self.create()
        self.attach(volume_id)
        for name, value, expected in (
            ("tag:Name", "node-2", ["node-2"]),
            ("instance-state-name", "running", ["node-2", "node-1"]),
            ("instance-state-code", "80", []),
            ("block-device-mapping.volume-id", volume_id, ["node-1"]),
            ("availability-zone", OTHER_ZONE, []),
            ("instance-id", self.node("node-2"), ["node-2"]),
        ):
            found = self.instances(Filters=[{"Name": name, "Values": [value]}])
            self.assertEqual([each["Tags"][0]["Value"] for each in found], expected, name)
        for code, wrong in (
            ("InvalidInstanceID.NotFound", "i-0123456789abcdef0"),
            ("InvalidInstanceID.Malformed", "i-9"),
        ):
            self.refused(code, "DescribeInstances", InstanceIds=[wrong])

    def test_power(self) -> None:
        """A node stops and starts, over a time; what it is already, it stays."""
        asked = {"InstanceIds": [self.node()]}
        for action, transient, final, name in (
            ("StopInstances", "stopping", "stopped", "StoppingInstances"),
            ("StartInstances", "pending", "running", "StartingInstances"),
        ):
            before = self.power()
            [change] = self.call(action, **asked)[name]
            self.assertEqual(change["PreviousState"]["Name"], before)
            self.assertEqual(change["CurrentState"]["Name"], transient)
            self.assertEqual(self.power(), transient)
            self.clock.advance(2)
            self.assertEqual(self.power(), final)
            [again] = self.call(action, **asked)[name]
            self.assertEqual(again["CurrentState"]["Name"], final)
        statuses = {server.status for server in self.cloud.store.servers.every()}
        self.assertEqual(statuses, {"ACTIVE"})

    def test_status(self) -> None:
        """Only running instances have a status, unless all are asked for."""
        self.call("StopInstances", InstanceIds=[self.node()])
        self.clock.advance(2)
        found = self.call("DescribeInstanceStatus")["InstanceStatuses"]
        self.assertEqual([each["InstanceId"] for each in found], [self.node("node-2")])
        found = self.call("DescribeInstanceStatus", IncludeAllInstances=True)["InstanceStatuses"]
        states = [each["InstanceState"]["Name"] for each in found]
        self.assertEqual(states, ["running", "stopped"])


class ZoneTests(EC2Case):
    """Tests of zones and regions."""

    def zones(self, **asked: Any) -> list[str]:
        """Return the names of the zones that a describe lists."""
        found = self.call("DescribeAvailabilityZones", **asked)["AvailabilityZones"]
        return [each["ZoneName"] for each in found]

    def test_zones(self) -> None:
        """The zones of the settings."""
        self.assertEqual(self.zones(), [ZONE, OTHER_ZONE])
        self.assertEqual(self.zones(ZoneNames=[OTHER_ZONE]), [OTHER_ZONE])
        filters = [{"Name": "zone-name", "Values": ["*a"]}]
        self.assertEqual(self.zones(Filters=filters), [ZONE])
        self.refused("InvalidZone.NotFound", "DescribeAvailabilityZones", ZoneNames=["x"])
        [found] = self.call("DescribeAvailabilityZones", ZoneNames=[ZONE])["AvailabilityZones"]
        made = self.call("CreateVolume", AvailabilityZoneId=found["ZoneId"], Size=1)
        self.assertEqual(made["AvailabilityZone"], ZONE)

    def test_regions(self) -> None:
        """The one region."""
        [found] = self.call("DescribeRegions")["Regions"]
        self.assertEqual((found["RegionName"], found["Endpoint"]), ("txstorage-1", "cloud.example"))
        self.refused("InvalidParameterValue", "DescribeRegions", RegionNames=["us-east-1"])
