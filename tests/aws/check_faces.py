"""The embedded service's answers beside those of moto, where moto does what EC2 does."""

from twisted.trial.unittest import SynchronousTestCase

from .faces import Face, members
from .support import EC2Service, clients

#: Ids that nothing has.
NO_VOLUME = "vol-0123456789abcdef0"
NO_SNAPSHOT = "snap-0123456789abcdef0"
NO_INSTANCE = "i-0123456789abcdef0"

TAGS = [{"Key": "k", "Value": "v"}]
TAGGED = [{"ResourceType": "volume", "Tags": TAGS}]


def of_tag(value):
    """:return: the filter of a tag."""
    return [{"Name": "tag:k", "Values": [value]}]


#: Members of moto's instances that the embedded service's nodes, without images and networks, lack.
NO_NETWORK = (
    "AmiLaunchIndex ClientToken HibernationOptions MetadataOptions Monitoring NetworkInterfaces "
    "Platform PrivateIpAddress ProductCodes PublicIpAddress SecurityGroups SourceDestCheck "
    "SriovNetSupport StateReason StateTransitionReason SubnetId VpcId"
).split()
#: Members of moto's answers that the embedded service does not have.
LEFT_OUT = {"VolumeModification.EndTime"}  # moto ends a modification at once
LEFT_OUT |= {"Reservations[].Instances[]." + name for name in NO_NETWORK}
#: Messages that moto words otherwise than EC2.
OTHER_WORDS = ("InvalidSnapshot.NotFound",)

#: The member of an answer with the id of a new resource.
NEW = {"CreateSnapshot": "SnapshotId", "CreateVolume": "VolumeId"}

#: Exchanges in their order: the action; its parameters, where "$name" is an id, and "$zone" the
#: zone; EC2's code of a request that is refused; and the name by which a new resource's id is kept.
EXCHANGES = [
    (
        "CreateVolume",
        {"AvailabilityZone": "$zone", "Size": 4, "VolumeType": "gp3", "TagSpecifications": TAGGED},
        None,
        "volume",
    ),
    ("DescribeVolumes", {"VolumeIds": ["$volume"]}, None, None),
    ("DescribeVolumes", {"Filters": of_tag("v")}, None, None),
    ("DescribeVolumes", {"Filters": of_tag("nothing")}, None, None),
    (
        "AttachVolume",
        {"VolumeId": "$volume", "InstanceId": "$node", "Device": "/dev/xvdba"},
        None,
        None,
    ),
    ("DescribeVolumes", {"VolumeIds": ["$volume"]}, None, None),
    (
        "DescribeVolumes",
        {"Filters": [{"Name": "attachment.instance-id", "Values": ["$node"]}]},
        None,
        None,
    ),
    ("DescribeInstances", {"InstanceIds": ["$node"]}, None, None),
    ("DeleteVolume", {"VolumeId": "$volume"}, "VolumeInUse", None),
    ("ModifyVolume", {"VolumeId": "$volume", "Size": 6}, None, None),
    ("DescribeVolumesModifications", {"VolumeIds": ["$volume"]}, None, None),
    ("DetachVolume", {"VolumeId": "$volume", "InstanceId": "$node"}, None, None),
    ("DescribeVolumes", {"VolumeIds": ["$volume"]}, None, None),
    ("CreateSnapshot", {"VolumeId": "$volume", "Description": "d"}, None, "snapshot"),
    ("DescribeSnapshots", {"SnapshotIds": ["$snapshot"]}, None, None),
    ("CreateTags", {"Resources": ["$snapshot"], "Tags": TAGS}, None, None),
    ("DescribeSnapshots", {"Filters": of_tag("v")}, None, None),
    ("DescribeTags", {"Filters": [{"Name": "resource-type", "Values": ["snapshot"]}]}, None, None),
    ("DeleteTags", {"Resources": ["$snapshot"], "Tags": [{"Key": "k"}]}, None, None),
    (
        "CreateVolume",
        {"AvailabilityZone": "$zone", "SnapshotId": "$snapshot", "TagSpecifications": TAGGED},
        None,
        "copy",
    ),
    ("DeleteVolume", {"VolumeId": "$volume"}, None, None),
    ("DescribeVolumes", {"VolumeIds": ["$volume"]}, "InvalidVolume.NotFound", None),
    ("DeleteSnapshot", {"SnapshotId": "$snapshot"}, None, None),
    ("DescribeSnapshots", {"SnapshotIds": ["$snapshot"]}, "InvalidSnapshot.NotFound", None),
    ("DescribeAvailabilityZones", {}, None, None),
    ("StopInstances", {"InstanceIds": ["$node-2"]}, None, None),
    ("StartInstances", {"InstanceIds": ["$node"]}, None, None),
    ("DeleteVolume", {"VolumeId": NO_VOLUME}, "InvalidVolume.NotFound", None),
    (
        "AttachVolume",
        {"VolumeId": NO_VOLUME, "InstanceId": "$node", "Device": "/dev/xvdba"},
        "InvalidVolume.NotFound",
        None,
    ),
    (
        "DetachVolume",
        {"VolumeId": NO_VOLUME, "InstanceId": "$node"},
        "InvalidVolume.NotFound",
        None,
    ),
    ("ModifyVolume", {"VolumeId": NO_VOLUME, "Size": 6}, "InvalidVolume.NotFound", None),
    ("CreateSnapshot", {"VolumeId": NO_VOLUME}, "InvalidVolume.NotFound", None),
    ("CreateTags", {"Resources": [NO_VOLUME], "Tags": TAGS}, "InvalidVolume.NotFound", None),
    ("DeleteSnapshot", {"SnapshotId": NO_SNAPSHOT}, "InvalidSnapshot.NotFound", None),
    (
        "CreateVolume",
        {"AvailabilityZone": "$zone", "SnapshotId": NO_SNAPSHOT},
        "InvalidSnapshot.NotFound",
        None,
    ),
    ("CreateVolume", {"AvailabilityZone": "$zone"}, "MissingParameter", None),
    ("DescribeInstances", {"InstanceIds": [NO_INSTANCE]}, "InvalidInstanceID.NotFound", None),
    ("StartInstances", {"InstanceIds": [NO_INSTANCE]}, "InvalidInstanceID.NotFound", None),
]


#: Requests that EC2 refuses and moto does not, or with another code: the action, its parameters,
#: and EC2's code.  "$free" is available, "$used" is attached to "$node" as /dev/xvdbc, "$far" is in
#: another zone.
MOTO_ERRS = [
    (
        "AttachVolume",
        {"VolumeId": "$used", "InstanceId": "$node-2", "Device": "/dev/xvdbd"},
        "VolumeInUse",
    ),
    (
        "AttachVolume",
        {"VolumeId": "$free", "InstanceId": "$node", "Device": "/dev/xvdbc"},
        "InvalidParameterValue",
    ),
    (
        "AttachVolume",
        {"VolumeId": "$free", "InstanceId": "$node", "Device": "nonsense"},
        "InvalidParameterValue",
    ),
    (
        "AttachVolume",
        {"VolumeId": "$far", "InstanceId": "$node", "Device": "/dev/xvdbe"},
        "InvalidVolume.ZoneMismatch",
    ),
    ("CreateVolume", {"AvailabilityZone": "nowhere-1a", "Size": 1}, "InvalidZone.NotFound"),
    (
        "CreateVolume",
        {"AvailabilityZone": "$zone", "Size": 1, "VolumeType": "gp9"},
        "UnknownVolumeType",
    ),
    ("CreateVolume", {"AvailabilityZone": "$zone", "Size": 99999999}, "InvalidParameterValue"),
    (
        "CreateVolume",
        {"AvailabilityZone": "$zone", "Size": 2, "ClientToken": "used"},
        "IdempotentParameterMismatch",
    ),
    ("DetachVolume", {"VolumeId": "$used", "InstanceId": "$node-2"}, "InvalidAttachment.NotFound"),
    ("DetachVolume", {"VolumeId": "$far", "InstanceId": "$node"}, "IncorrectState"),
    ("DescribeVolumes", {"VolumeIds": ["vol-x"]}, "InvalidVolumeID.Malformed"),
    (
        "DescribeVolumes",
        {"Filters": [{"Name": "nonsense", "Values": ["v"]}]},
        "InvalidParameterValue",
    ),
]


def filled(value, face):
    """:return: parameters with a face's own ids."""
    if isinstance(value, dict):
        return {key: filled(each, face) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, face) for each in value]
    if value == "$zone":
        return face.zone
    if isinstance(value, str) and value.startswith("$"):
        return face.ids[value[1:]]
    return value


def is_left_out(path):
    """:return: whether the embedded service is known not to have a member."""
    return any(path == each or path.startswith((each + ".", each + "[]")) for each in LEFT_OUT)


class FacesTests(SynchronousTestCase):
    """The same requests to both."""

    def setUp(self):
        clients()
        service = EC2Service(self, "--transition-delay", "0", "--ec2-cooldown", "0")
        self.service, self.moto = Face.of_service(service), Face.of_moto()

    def settled(self, face):
        """Wait until no volume of a face is in a transition."""
        for _ in range(1000):
            _, answer = face.call("DescribeVolumes", {})
            states = {each["State"] for each in answer["Volumes"]}
            for each in answer["Volumes"]:
                states |= {attachment["State"] for attachment in each["Attachments"]}
            _, answer = face.call("DescribeVolumesModifications", {})
            states |= {each["ModificationState"] for each in answer["VolumesModifications"]}
            if states <= {"available", "in-use", "attached", "completed"}:
                return
        self.fail("The volumes stay {}".format(sorted(states)))

    def test_exchanges(self):
        """Status, code and message are moto's, and each member of moto's answers is there."""
        compared = 0
        for action, parameters, code, name in EXCHANGES:
            (status, ours), (theirs_status, theirs) = [
                face.call(action, filled(parameters, face)) for face in (self.service, self.moto)
            ]
            place = (action, parameters)
            self.assertEqual((place, status), (place, theirs_status), (ours, theirs))
            if name is not None:
                self.service.ids[name] = ours[NEW[action]]
                self.moto.ids[name] = theirs[NEW[action]]
            if status >= 300:
                self.same_refusal(code, ours["Error"], theirs["Error"])
                continue
            self.settled(self.service)
            found, wanted = members(ours), members(theirs)
            for path, kind in wanted.items():
                if not is_left_out(path):
                    self.assertEqual((place, path, kind), (place, path, found.get(path)))
                    compared += 1
        self.assertGreater(compared, 150)

    def test_where_moto_errs(self):
        """The embedded service refuses what EC2 does, with EC2's code, where moto does not."""
        for face in (self.service, self.moto):
            for name, zone, token in (
                ("free", face.zone, "free"),
                ("used", face.zone, "used"),
                ("far", face.zone[:-1] + "b", "far"),
            ):
                asked = {"AvailabilityZone": zone, "Size": 1, "ClientToken": token}
                face.ids[name] = face.call("CreateVolume", asked)[1]["VolumeId"]
            self.settled(face)
            asked = {"VolumeId": "$used", "InstanceId": "$node", "Device": "/dev/xvdbc"}
            self.assertEqual(face.call("AttachVolume", filled(asked, face))[0], 200)
            self.settled(face)
        for action, parameters, code in MOTO_ERRS:
            ours, theirs = [
                self.code(face, action, filled(parameters, face))
                for face in (self.service, self.moto)
            ]
            self.assertEqual((parameters, code), (parameters, ours))
            self.assertNotEqual((parameters, code), (parameters, theirs))

    def code(self, face, action, parameters):
        """:return: the code of a refused request; ``None`` for an accepted one."""
        status, answer = face.call(action, parameters)
        return answer["Error"]["Code"] if 400 <= status < 500 else None

    def same_refusal(self, code, ours, theirs):
        """Compare two errors."""
        self.assertEqual((code, code), (ours["Code"], theirs["Code"]))
        if code not in OTHER_WORDS:
            self.assertEqual(
                self.service.masked(ours["Message"]), self.moto.masked(theirs["Message"])
            )
