"""
EC2's answers, and a fake of its wire.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import succeed

from txstorage._support.compat import parse_qsl
from txstorage.clouds.ec2.codec import ServiceCodec
from txstorage.clouds.ec2.credentials import AccessKeys, KeySource
from txstorage.clouds.ec2.session import EC2Session

from ...helpers.wire import Answer, Wire

_CODECS = {}

#: The beginning of the clock in :class:`EC2Wire`.
NOW = {"Date": "Sun, 22 Nov 2026 16:27:04 GMT"}


def codec(service="ec2"):
    """A codec, which all tests share, because loading botocore's model takes a while."""
    if service not in _CODECS:
        _CODECS[service] = ServiceCodec.load(service)
    return _CODECS[service]


def form_of(seen):
    """The parameters of a request that arrived, without those that all have."""
    form = dict(parse_qsl(seen.content.decode("ascii")))
    form.pop(u"Version")
    return form


def document(operation, inner=u"", status=200, headers=()):
    """An answer of EC2."""
    text = (
        u'<?xml version="1.0" encoding="UTF-8"?>\n'
        u'<{0}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        u"<requestId>r-1</requestId>{1}</{0}Response>"
    ).format(operation, inner)
    return Answer(status, text.encode("utf-8"), dict(NOW, **dict(headers)))


def refusal(code, message=u"no", status=400, headers=()):
    """EC2's error."""
    text = (
        u'<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>{}</Code>'
        u"<Message>{}</Message></Error></Errors><RequestID>r-9</RequestID></Response>"
    ).format(code, message)
    return Answer(status, text.encode("utf-8"), dict(NOW, **dict(headers)))


def items(name, *entries):
    """A list in EC2's XML."""
    inner = u"".join(u"<item>{}</item>".format(each) for each in entries)
    return u"<{0}>{1}</{0}>".format(name, inner)


def tags(labels):
    """Tags in EC2's XML."""
    return items(
        u"tagSet",
        *[
            u"<key>{}</key><value>{}</value>".format(key, value)
            for key, value in sorted(labels.items())
        ]
    )


def element(name, value):
    """One element, or nothing for ``None``."""
    return u"" if value is None else u"<{0}>{1}</{0}>".format(name, value)


REGION = u"eu-central-1"
URL = u"http://ec2.example"


class EC2Wire(Wire):
    """
    An in-memory HTTP client, and a session with the service behind it.

    :ivar session: an :class:`~txstorage.clouds.ec2.session.EC2Session`.
    :ivar dict loaded: names of keys, in the order of their use.
    """

    def __init__(self, *script, **options):
        Wire.__init__(self, *script)
        self.loaded = options.pop("keys", [u"AKID"])
        self.keys = KeySource(self.clock, self._load)
        self.session = EC2Session(
            self.clock,
            self.http,
            self.keys,
            codec(),
            REGION,
            URL,
            wall_clock=lambda: 1795364824.0 + self.clock.seconds(),
            jitter=lambda: 0.5,
        )

    def _load(self):
        name = self.loaded.pop(0) if len(self.loaded) > 1 else self.loaded[0]
        return succeed(AccessKeys(name, u"s3cret", u"t0ken"))

    def forms(self):
        """The parameters of all requests that arrived."""
        return [form_of(seen) for seen in self.service.seen]

    def actions(self):
        """The operations of all requests that arrived."""
        return [form[u"Action"] for form in self.forms()]


VOLUME = u"vol-0123456789abcdef0"
OTHER = u"vol-0fedcba9876543210"
SERVER = u"i-0123456789abcdef0"
SNAPSHOT = u"snap-0123456789abcdef0"
LABELS = {u"flocker-cluster-id": u"c1", u"flocker-dataset-id": u"d1"}


def attachment(state, server_id=SERVER, device=u"/dev/xvdaa"):
    """An attachment in EC2's XML."""
    return (
        element(u"volumeId", VOLUME)
        + element(u"instanceId", server_id)
        + element(u"device", device)
        + element(u"status", state)
    )


def volume(volume_id=VOLUME, state=u"available", attachments=(), labels=LABELS, **changes):
    """The inside of a volume in EC2's XML."""
    members = {
        u"volumeId": volume_id,
        u"size": 1,
        u"snapshotId": u"",
        u"availabilityZone": u"eu-central-1a",
        u"status": state,
        u"createTime": u"2026-11-22T16:27:04.716Z",
        u"volumeType": u"gp3",
        u"encrypted": u"false",
    }
    members.update(changes)
    return (
        u"".join(element(name, members[name]) for name in sorted(members))
        + items(u"attachmentSet", *attachments)
        + tags(dict(labels, Name=u"n1"))
    )


def volumes(*inner, **options):
    """The answer to a description of volumes."""
    following = element(u"nextToken", options.get("following"))
    return document(u"DescribeVolumes", items(u"volumeSet", *inner) + following)


def snapshot(snapshot_id=SNAPSHOT, state=u"completed", labels=LABELS, **changes):
    """The inside of a snapshot in EC2's XML."""
    members = {
        u"snapshotId": snapshot_id,
        u"volumeId": VOLUME,
        u"status": state,
        u"startTime": u"2026-11-22T16:27:04.716Z",
        u"progress": u"100%",
        u"volumeSize": 1,
    }
    members.update(changes)
    inner = u"".join(element(name, members[name]) for name in sorted(members))
    return inner + tags(dict(labels, Name=u"s1"))


def snapshots(*inner):
    """The answer to a description of snapshots."""
    return document(u"DescribeSnapshots", items(u"snapshotSet", *inner))


def instance(server_id=SERVER, state=u"running", devices=(u"/dev/xvda",)):
    """The inside of an instance in EC2's XML."""
    return (
        element(u"instanceId", server_id)
        + element(u"instanceState", u"<code>16</code>" + element(u"name", state))
        + items(u"blockDeviceMapping", *[element(u"deviceName", each) for each in devices])
        + tags({u"Name": u"node"})
    )


def instances(*inner):
    """The answer to a description of instances, each of a reservation of its own."""
    reservations = [items(u"instancesSet", each) for each in inner]
    return document(u"DescribeInstances", items(u"reservationSet", *reservations))


NO_VOLUME = refusal(u"InvalidVolume.NotFound", u"The volume does not exist.")
NO_INSTANCE = refusal(u"InvalidInstanceID.NotFound", u"The instance ID does not exist")


def modification(state, volume_id=VOLUME, message=u""):
    """The answer to a description of modifications."""
    inner = element(u"volumeId", volume_id) + element(u"modificationState", state)
    inner += element(u"statusMessage", message)
    return document(u"DescribeVolumesModifications", items(u"volumeModificationSet", inner))
