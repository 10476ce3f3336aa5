"""
Tests of trust in TLS certificates.
"""

from __future__ import absolute_import, division, print_function

import os

from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage._http.trust import Untrusted, https_policy, identity_problem, system_trust

from ..helpers.wire import certificate_for
from .support import Paths


class TrustTests(SynchronousTestCase):
    """The authorities that are trusted."""

    def test_missing_file(self):
        """A verify_ca_path that can't be read is a configuration error that names it."""
        caught = self.assertRaises(
            errors.InvalidConfiguration, https_policy, True, u"/no/such/file"
        )
        self.assertEqual(caught.key, u"verify_ca_path")
        self.assertIn("/no/such/file", str(caught))

    def test_file_without_certificates(self):
        """A file with no certificate, or a broken one, is a configuration error."""
        for content in (b"hello", b"-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----"):
            path = self.mktemp()
            with open(path, "wb") as opened:
                opened.write(content)
            caught = self.assertRaises(errors.InvalidConfiguration, https_policy, True, path)
            self.assertIn("no certificate", str(caught))

    def test_file_is_not_needed_without_verification(self):
        """Without verification, no file of authorities is needed."""
        policy = https_policy(False, u"/no/such/file")
        policy.creatorForNetloc(b"cloud", 443)

    def test_creator_is_kept(self):
        """The trusted certificates are read once for a host, not for each request."""
        policy = https_policy(True, self.ca_file(u"cloud"))
        for host in (b"cloud", b"127.0.0.1"):
            self.assertIs(policy.creatorForNetloc(host, 1), policy.creatorForNetloc(host, 2))

    def ca_file(self, name):
        """A file with two certificates and a comment."""
        path = self.mktemp()
        with open(path, "wb") as opened:
            opened.write(b"# authorities\n")
            opened.write(certificate_for(u"else").dumpPEM() + certificate_for(name).dumpPEM())
        return path

    def test_system_trust_from_a_file(self):
        """The system's file of authorities is used."""
        paths = Paths(cafile=self.ca_file(u"cloud"))
        self.assertIsNot(system_trust(paths), None)

    def test_system_trust_from_a_directory(self):
        """Without a file the directory is used, even if it contains other files."""
        directory = self.mktemp()
        os.mkdir(directory)
        paths = Paths(capath=directory)
        os.symlink("/no/such/file", os.path.join(directory, "dangling"))
        self.assertRaises(Untrusted, system_trust, paths)
        os.rename(self.ca_file(u"cloud"), os.path.join(directory, "0.pem"))
        self.assertIsNot(system_trust(paths), None)

    def test_no_system_trust(self):
        """
        On a machine without authorities the first request fails and names the package to install.
        """
        policy = https_policy(paths=Paths())
        caught = self.assertRaises(Untrusted, policy.creatorForNetloc, b"cloud", 443)
        self.assertIn(u"ca-certificates", caught.remedy)

    def test_identity_problem(self):
        """A certificate for another address, or for none, is not for this one."""
        right = certificate_for(u"10.0.0.5").original
        self.assertIs(identity_problem(u"10.0.0.5", right), None)
        for name in (u"10.0.0.6", u"cloud", None):
            wrong = certificate_for(name).original
            self.assertIn(u"does not name the address", identity_problem(u"10.0.0.5", wrong))

    def test_chain(self):
        """Only the server's own certificate names the host; all have to be trusted."""
        failed = []

        class Connection(object):
            def get_app_data(self):
                return self

            failVerification = failed.append

        creator = https_policy(True, self.ca_file(u"cloud")).creatorForNetloc(b"cloud", 1)
        wrong = certificate_for(u"else").original
        self.assertTrue(creator._verify(Connection(), wrong, 0, 1, 1))
        self.assertFalse(creator._verify(Connection(), wrong, 0, 0, 1))
        for number, words, remedy in (
            (10, u"expired", u"renewed"),
            (9, u"not valid yet", u"clocks"),
            (20, u"not trusted", u""),
            (99, u"99", u""),
        ):
            self.assertFalse(creator._verify(Connection(), wrong, number, 1, 0))
            self.assertIn(words, failed[-1].value.reason)
            self.assertIn(remedy, failed[-1].value.remedy)
            self.assertEqual(bool(remedy), bool(failed[-1].value.remedy))

    def test_certificate_that_cannot_be_read(self):
        """When the verification itself fails, the certificate does not verify."""
        failed = []

        class Connection(object):
            def get_app_data(self):
                return self

            failVerification = failed.append

        creator = https_policy(True, self.ca_file(u"cloud")).creatorForNetloc(b"127.0.0.1", 1)
        self.assertFalse(creator._verify(Connection(), "no certificate", 0, 0, True))
        self.assertIn(u"read", failed[0].value.reason)
