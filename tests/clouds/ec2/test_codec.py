# -*- coding: utf-8 -*-
"""
Tests for :mod:`txstorage.clouds.ec2.codec`.
"""

from __future__ import absolute_import, division, print_function

import json
import sys

from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.compat import parse_qsl, text_type
from txstorage.clouds.ec2.codec import ServiceCodec, Unreadable, endpoint_of, signed_headers
from txstorage.clouds.ec2.codec.library import service_model
from txstorage.clouds.ec2.codec.model import cut_model
from txstorage.clouds.ec2.codec.operations import EC2, SERVICES
from txstorage.clouds.ec2.credentials import AccessKeys
from txstorage.errors import InvalidConfiguration

from .support import codec, document, element, items, refusal, tags


def form(operation, **parameters):
    """A request's parameters on the wire."""
    return dict(parse_qsl(codec().body_of(operation, parameters).decode("ascii")))


class RequestTests(SynchronousTestCase):
    """The bodies of requests."""

    def test_create_volume(self):
        """The token and the tags are sent, also with a model that lacks them."""
        sent = form(
            "CreateVolume",
            AvailabilityZone=u"eu-central-1a",
            Size=3,
            VolumeType=u"gp3",
            Throughput=125,
            ClientToken=u"t1",
            TagSpecifications=[
                {"ResourceType": u"volume", "Tags": [{"Key": u"a b", "Value": u"ü&="}]}
            ],
        )
        self.assertEqual(
            {
                u"Action": u"CreateVolume",
                u"Version": u"2016-11-15",
                u"AvailabilityZone": u"eu-central-1a",
                u"Size": u"3",
                u"VolumeType": u"gp3",
                u"Throughput": u"125",
                u"ClientToken": u"t1",
                u"TagSpecification.1.ResourceType": u"volume",
                u"TagSpecification.1.Tag.1.Key": u"a b",
                u"TagSpecification.1.Tag.1.Value": u"ü&=",
            },
            sent,
        )

    def test_each_operation(self):
        """Every operation has a body, with the lists and flags that are in use."""
        for operation in EC2.operations:
            self.assertEqual(operation, form(operation)[u"Action"])
        self.assertEqual(
            (u"vol-1", u"5", u"true"),
            tuple(
                form("ModifyVolume", VolumeId=u"vol-1", Size=5, DryRun=True).get(name)
                for name in (u"VolumeId", u"Size", u"DryRun")
            ),
        )
        sent = form(
            "DescribeVolumes",
            Filters=[{"Name": u"tag:a", "Values": [u"1", u"2"]}],
            MaxResults=100,
            NextToken=u"n",
        )
        self.assertEqual(u"tag:a", sent[u"Filter.1.Name"])
        self.assertEqual(u"2", sent[u"Filter.1.Value.2"])
        self.assertEqual((u"100", u"n"), (sent[u"MaxResults"], sent[u"NextToken"]))
        sent = form("DeleteTags", Resources=[u"vol-1"], Tags=[{"Key": u"k"}])
        self.assertEqual((u"vol-1", u"k"), (sent[u"ResourceId.1"], sent[u"Tag.1.Key"]))

    def test_sorted(self):
        """Equal requests have equal bodies."""
        self.assertEqual(
            b"Action=DeleteVolume&Version=2016-11-15&VolumeId=vol-1",
            codec().body_of("DeleteVolume", {"VolumeId": u"vol-1"}),
        )


class AnswerTests(SynchronousTestCase):
    """The bodies of answers."""

    def test_volumes(self):
        """The members are botocore's; times stay texts, and all texts are text."""
        labels = {u"Name": u"n", u"ü": u"é"}
        volume = (
            u"<volumeId>vol-1</volumeId><size>3</size><status>in-use</status>"
            u"<createTime>2026-11-22T16:27:07.716Z</createTime><encrypted>true</encrypted>"
            u"<sourceVolumeId>vol-0</sourceVolumeId>"
        ) + items(u"attachmentSet", u"<instanceId>i-1</instanceId><status>busy</status>")
        body = document(
            u"DescribeVolumes",
            items(u"volumeSet", volume + tags(labels)) + u"<nextToken>n</nextToken>",
        ).body
        answer = codec().parse("DescribeVolumes", {}, body)
        self.assertEqual(
            {
                u"Volumes": [
                    {
                        u"VolumeId": u"vol-1",
                        u"Size": 3,
                        u"State": u"in-use",
                        u"CreateTime": u"2026-11-22T16:27:07.716Z",
                        u"Encrypted": True,
                        u"SourceVolumeId": u"vol-0",
                        u"Attachments": [{u"InstanceId": u"i-1", u"State": u"busy"}],
                        u"Tags": [
                            {u"Key": u"Name", u"Value": u"n"},
                            {u"Key": u"ü", u"Value": u"é"},
                        ],
                    }
                ],
                u"NextToken": u"n",
            },
            answer,
        )
        self.assertIsInstance(answer["Volumes"][0]["State"], text_type)
        self.assertIsInstance(answer["Volumes"][0]["Tags"][0]["Key"], text_type)

    def test_added(self):
        """An answer that old models lack is read, too."""
        body = document(
            u"ModifyVolume",
            u"<volumeModification><volumeId>vol-1</volumeId><targetSize>5</targetSize>"
            u"<modificationState>modifying</modificationState></volumeModification>",
        ).body
        self.assertEqual(
            {u"VolumeId": u"vol-1", u"TargetSize": 5, u"ModificationState": u"modifying"},
            codec().parse("ModifyVolume", {}, body)["VolumeModification"],
        )

    def test_instance_types(self):
        """A type's limit of attachments is read with any model."""
        ebs = element(u"maximumEbsAttachments", u"32")
        ebs += element(u"attachmentLimitType", u"shared")
        disks = element(u"disks", element(u"item", element(u"count", u"2")))
        kind = element(u"ebsInfo", ebs) + element(u"instanceStorageInfo", disks)
        body = document(u"DescribeInstanceTypes", items(u"instanceTypeSet", kind)).body
        self.assertEqual(
            [
                {
                    u"EbsInfo": {u"MaximumEbsAttachments": 32, u"AttachmentLimitType": u"shared"},
                    u"InstanceStorageInfo": {u"Disks": [{u"Count": 2}]},
                }
            ],
            codec().parse("DescribeInstanceTypes", {}, body)["InstanceTypes"],
        )
        sent = form("DescribeInstanceTypes", InstanceTypes=[u"m5.large"])
        self.assertEqual(u"m5.large", sent[u"InstanceType.1"])

    def test_nothing(self):
        """An operation without a result has an empty answer."""
        body = document(u"DeleteVolume", u"<return>true</return>").body
        self.assertEqual({}, codec().parse("DeleteVolume", {}, body))

    def test_unreadable(self):
        """An answer that is not the operation's is refused, before an entity is expanded."""
        bomb = (
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>'
            b"<DescribeVolumesResponse>&d;</DescribeVolumesResponse>"
        )
        hidden = u'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16")
        size = document(u"DescribeVolumes", items(u"volumeSet", u"<size>a</size>")).body
        for body in (b"", b"<html>", b"{}", b"<a>", bomb, hidden, size):
            self.assertRaises(Unreadable, codec().parse, "DescribeVolumes", {}, body)

    def test_refusal(self):
        """An error has a code, a message and the request's id."""
        found = codec().refusal(400, {}, refusal(u"InvalidVolume.NotFound", u"no 'vol-1'").body)
        self.assertEqual(
            (u"InvalidVolume.NotFound", u"no 'vol-1'", u"r-9"),
            (found.code, found.message, found.request_id),
        )
        self.assertIsInstance(found.code, text_type)

    def test_foreign_refusal(self):
        """The page of a proxy has no code; nor has broken XML."""
        for body, message in [
            (b"<html>\n503 no server</html>", u"503 no server"),
            (b"", u"(no message)"),
            (b"<Code>", u"(no message)"),
            (b"<!DOCTYPE a><Code>x</Code>", u"x"),
            (b"x" * 10000, u"x" * 200),
            (b"<" * 10000, u"<" * 200),
        ]:
            for status in (302, 400, 503):
                found = codec().refusal(status, {}, body)
                self.assertEqual((None, message), (found.code, found.message))


class ModelTests(SynchronousTestCase):
    """The cut model."""

    def test_small(self):
        """Only what is in use is kept: about a tenth of botocore's model, without prose."""
        for service, used in SERVICES.items():
            model = cut_model(service_model(service, used.version), used)
            self.assertEqual(sorted(used.operations), sorted(model["operations"]))
            text = json.dumps(model)
            self.assertLess(len(text), 100000)
            self.assertNotIn("<p>", text)

    def test_old_and_new(self):
        """The table's additions are those of the newest model, whichever is installed."""
        model = service_model("ec2", EC2.version)
        for name, added in EC2.added_members.items():
            known = model["shapes"].get(name, {"members": {}})["members"]
            for member in set(added) & set(known):
                self.assertEqual(
                    (member, added[member].get("locationName")),
                    (member, known[member].get("locationName")),
                )
        for name, shape in EC2.added_shapes.items():
            known = model["shapes"].get(name, {})
            for member, value in shape.get("members", {}).items():
                if member in known.get("members", {}):
                    self.assertEqual(
                        (name, member, value.get("locationName")),
                        (name, member, known["members"][member].get("locationName")),
                    )

    def test_not_installed(self):
        """Without botocore, the error names the extra."""
        for name in [each for each in sys.modules if each.split(".")[0] == "botocore"]:
            self.patch_module(name)
        self.patch_module("botocore")
        error = self.assertRaises(InvalidConfiguration, ServiceCodec.load, "ec2")
        self.assertIn(u"pip install 'txstorage[ec2]'", str(error))

    def patch_module(self, name):
        """Make a module impossible to import until the test ends."""
        present = sys.modules.get(name)
        sys.modules[name] = None
        if present is None:
            self.addCleanup(sys.modules.pop, name)
        else:
            self.addCleanup(sys.modules.__setitem__, name, present)


class EndpointTests(SynchronousTestCase):
    """The services' addresses."""

    def test_regions(self):
        """China and GovCloud have addresses of their own."""
        for service, region, expected in [
            ("ec2", u"eu-central-1", u"https://ec2.eu-central-1.amazonaws.com"),
            ("ec2", u"cn-north-1", u"https://ec2.cn-north-1.amazonaws.com.cn"),
            ("ec2", u"us-gov-west-1", u"https://ec2.us-gov-west-1.amazonaws.com"),
            ("ec2", u"eu-west-99", u"https://ec2.eu-west-99.amazonaws.com"),
        ]:
            self.assertEqual(expected, endpoint_of(service, region))
        # Old releases of botocore know one address for all regions.
        self.assertIn(
            endpoint_of("sts", u"eu-central-1"),
            (u"https://sts.eu-central-1.amazonaws.com", u"https://sts.amazonaws.com"),
        )

    def test_unknown(self):
        """A name that no region can have is refused."""
        for region in (u"moon", u"", u"eu-central-1.evil.example/", u"EU-CENTRAL-1", u"a\nb"):
            error = self.assertRaises(InvalidConfiguration, endpoint_of, "ec2", region)
            self.assertEqual(u"region", error.key)


class SigningTests(SynchronousTestCase):
    """Signatures."""

    KEYS = AccessKeys(u"AKIDEXAMPLE", u"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")

    URL = u"https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"

    def signed(self, keys=KEYS, url=URL):
        """The example of Amazon's documentation of Signature Version 4."""
        form_type = u"application/x-www-form-urlencoded; charset=utf-8"
        return signed_headers(
            u"GET", url, {u"Content-Type": form_type}, b"", keys, u"iam", u"us-east-1", 1440938160.0
        )

    def test_published_example(self):
        """The signature is that of Amazon's documentation."""
        headers = self.signed()
        self.assertEqual(u"20150830T123600Z", headers["X-Amz-Date"])
        self.assertEqual(u"iam.amazonaws.com", headers["Host"])
        self.assertEqual(
            u"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
            u"SignedHeaders=content-type;host;x-amz-date, "
            u"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            headers["Authorization"],
        )

    def test_token(self):
        """A session token is sent and signed."""
        headers = self.signed(AccessKeys(u"A", u"s", u"t0k"))
        self.assertEqual(u"t0k", headers["X-Amz-Security-Token"])
        self.assertIn(u";x-amz-security-token,", headers["Authorization"])

    def test_host(self):
        """The host is signed as it is sent: without the default port, with any other."""
        for url, expected in [
            (u"https://h.example:443/", u"h.example"),
            (u"http://h.example:80/", u"h.example"),
            (u"http://h.example:443/", u"h.example:443"),
            (u"http://127.0.0.1:5000/", u"127.0.0.1:5000"),
            (u"http://[::1]:5000/", u"[::1]:5000"),
        ]:
            self.assertEqual(expected, self.signed(url=url)["Host"])

    def test_secrets(self):
        """No secret is in a repr."""
        text = repr(AccessKeys(u"AKID", u"s3cret", u"t0ken"))
        self.assertIn("AKID", text)
        self.assertNotIn("s3cret", text)
        self.assertNotIn("t0ken", text)
