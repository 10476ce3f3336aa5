"""
Tests for :mod:`txstorage._node.ec2_instance`.
"""

from __future__ import absolute_import, division, print_function

from collections import namedtuple

from twisted.internet.defer import fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from txstorage._node.ec2_instance import PATH, EC2Identity
from txstorage.errors import UnidentifiedNode
from txstorage.interfaces import UnknownInstanceID

from ..helpers.machine import Compute

OWN = u"i-0123456789abcdef0"

Entry = namedtuple("Entry", "body")


class Metadata(object):
    """A metadata service with one answer."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def get(self, path):
        """Record the path, and return the answer."""
        self.asked.append(path)
        return self.answer


class EC2IdentityTests(SynchronousTestCase):
    """The search for the id of an instance."""

    def refused(self, metadata, *known, **options):
        """:return: the message of the error."""
        node = EC2Identity(Compute(*known), metadata, **options)
        failure = self.failureResultOf(node.instance_id(), UnknownInstanceID)
        self.assertIsInstance(failure.value, UnidentifiedNode)
        return failure.value.message

    def test_metadata(self):
        """The metadata service names the id, once for all callers."""
        metadata = Metadata(succeed(Entry(OWN.encode("ascii") + b"\n")))
        node = EC2Identity(Compute(OWN), metadata)
        for _ in range(2):
            self.assertEqual(self.successResultOf(node.instance_id()), OWN)
        self.assertEqual((metadata.asked, node.source), ([PATH], u"metadata service"))

    def test_configured(self):
        """A configured id is used without a look at the metadata, if EC2 knows it."""
        metadata = Metadata(succeed(Entry(b"i-1234abcd")))
        node = EC2Identity(Compute(OWN), metadata, configured=OWN)
        self.assertEqual(self.successResultOf(node.instance_id()), OWN)
        self.assertIn(u"no instance " + OWN, self.refused(metadata, u"i-1234abcd", configured=OWN))
        self.assertEqual(metadata.asked, [])

    def test_not_an_id(self):
        """An answer that is not an instance id is refused, for example a proxy's page."""
        for body in (b"", b"<html>", b"0b1f1d7c-52a4-4c1e-9f3a-6d2f5c8e9a10", b"i-0123"):
            message = self.refused(Metadata(succeed(Entry(body))), OWN)
            self.assertIn(u"is not an instance id of EC2", message)

    def test_another_account(self):
        """An id that EC2 does not know, such as that of another account, is refused."""
        message = self.refused(Metadata(succeed(Entry(OWN.encode("ascii")))))
        self.assertIn(u"no instance " + OWN, message)

    def test_nothing(self):
        """Without an entry, and without the service, the error says so."""
        self.assertIn(u"it has no instance-id", self.refused(Metadata(succeed(None)), OWN))
        absent = Metadata(fail(ValueError("nobody answers")))
        self.assertIn(u"metadata service: nobody answers", self.refused(absent, OWN))
