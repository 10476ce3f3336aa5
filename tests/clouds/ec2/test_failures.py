"""
Tests for :mod:`txstorage.clouds.ec2.session.failures`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage._http.messages import Response
from txstorage.clouds.ec2.codec import ErrorDocument
from txstorage.clouds.ec2.remedies import REMEDIES
from txstorage.clouds.ec2.session.failures import CODES, service_error


def error_of(status, code, message=u"m"):
    """The error of an answer."""
    response = Response(status, {}, b"", u"r-0", u"POST", u"http://ec2.example/")
    return service_error(u"CreateVolume", response, ErrorDocument(code, message))


class CodesTests(SynchronousTestCase):
    """The table of codes."""

    def test_each(self):
        """Every code has a class of its own meaning and a remedy."""
        for code, (kind, remedy) in CODES.items():
            error = error_of(400, code)
            self.assertIs(kind, type(error))
            self.assertEqual((code, u"r-0"), (error.kind, error.request_id))
            self.assertEqual(remedy or REMEDIES.get(kind.remedy, kind.remedy), error.remedy)
            self.assertFalse(error.remedy.endswith(u"."))

    def test_unprocessed(self):
        """Only a failure of Amazon's own may have changed anything."""
        for code, (kind, _) in CODES.items():
            self.assertEqual(
                (code, kind is not errors.ServiceBroken), (code, kind.certainly_unprocessed)
            )

    def test_unknown(self):
        """An unknown code, and an answer that is not EC2's, go by their status."""
        for status, code, kind in [
            (400, u"InvalidParameterValue", errors.RequestRefused),
            (403, u"SomethingNew", errors.RequestRefused),
            (429, u"SomethingNew", errors.RateLimited),
            (500, u"SomethingNew", errors.ServiceBroken),
            (302, None, errors.NotTheService),
            (401, None, errors.AuthenticationFailed),
            (403, None, errors.PermissionDenied),
            (404, None, errors.RequestRefused),
            (503, None, errors.ServiceBroken),
        ]:
            self.assertIs(kind, type(error_of(status, code)))

    def test_message(self):
        """The message names the operation and the code."""
        error = error_of(400, u"VolumeLimitExceeded", u"too many")
        self.assertIn(u"CreateVolume: VolumeLimitExceeded: too many", error.message)
