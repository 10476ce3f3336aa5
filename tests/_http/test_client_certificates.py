"""
This client's own certificate: from files, and over the wire.
"""

from __future__ import absolute_import, division, print_function

import os

from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import serialization
from eliot.testing import capture_logging
from OpenSSL import crypto
from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage import errors
from txstorage._http.client import HTTPClient, agent_for
from txstorage._http.client_certificates import ClientCertificate, load_client_certificate
from txstorage._http.trust import https_policy
from txstorage._support.compat import as_text

from ..helpers.wire import RawServer, certificate_for


def pem_of(certificate, passphrase=None):
    """The certificate and its key, each in PEM form."""
    key = serialization.load_pem_private_key(
        certificate.privateKey.dump(crypto.FILETYPE_PEM), None, default_backend()
    )
    encryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return (
        crypto.dump_certificate(crypto.FILETYPE_PEM, certificate.original),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        ),
    )


class Files(object):
    """A mixin: files with certificates and keys."""

    def write(self, *pieces, **where):
        """A file with these pieces, its path."""
        path = where.get("path") or as_text(self.mktemp())
        with open(path, "wb") as opened:
            opened.write(b"".join(pieces))
        return path


class LoadTests(Files, SynchronousTestCase):
    """From files to what Twisted wants."""

    def setUp(self):
        """A certificate and its key."""
        self.certificate = certificate_for(u"client")
        self.pem, self.key = pem_of(self.certificate)

    def refused(self, *paths):
        """The error of files that can't be used."""
        caught = self.assertRaises(errors.InvalidConfiguration, load_client_certificate, *paths)
        self.assertNotEqual(caught.remedy, u"")
        self.assertIs(getattr(caught, "__context__", None), None)
        return caught

    def test_two_files(self):
        """A certificate with its chain in one file, the key in another."""
        authority = certificate_for(u"authority")
        options = load_client_certificate(
            self.write(self.pem, authority.dumpPEM()), self.write(self.key)
        )
        self.assertEqual(
            options["certificate"].digest("sha256"), self.certificate.original.digest("sha256")
        )
        self.assertEqual(len(options["extraCertChain"]), 1)

    def test_one_file(self):
        """Both in one file, in either order."""
        for pieces in ((self.pem, self.key), (self.key, self.pem)):
            self.assertEqual(load_client_certificate(self.write(*pieces))["extraCertChain"], [])

    def test_certificate(self):
        """A certificate that can't be used is an error by the key's name, with the file's."""
        broken = b"-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n"
        for path, words in (
            (u"/no/such/file", u"No such file"),
            (self.write(self.key), u"no certificate in PEM form"),
            (self.write(broken), u"can't be understood"),
        ):
            caught = self.refused(path, self.write(self.key))
            self.assertEqual(caught.key, u"client_certificate")
            self.assertIn(path, caught.message)
            self.assertIn(words, caught.message)

    def test_key(self):
        """A key that can't be used is an error by the key's name, with the file's."""
        own = self.write(self.pem)
        broken = b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
        traditional = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
        for path, words in (
            (u"/no/such/file", u"No such file"),
            (self.write(b""), u"no private key"),
            (self.write(broken), u"no private key"),
            (self.write(pem_of(self.certificate, b"pass")[1]), u"is encrypted"),
            (self.write(traditional), u"is encrypted"),
            (
                self.write(pem_of(certificate_for(u"other"))[1]),
                u"is not that of the certificate in {}".format(own),
            ),
        ):
            caught = self.refused(own, path)
            self.assertEqual(caught.key, u"client_key")
            self.assertIn(path, caught.message)
            self.assertIn(words, caught.message)
            self.assertNotIn(u"c2VjcmV0", caught.message)

    def test_no_key(self):
        """Without client_key the key has to be with the certificate."""
        self.assertEqual(self.refused(self.write(self.pem)).key, u"client_certificate")


class ChangeTests(Files, SynchronousTestCase):
    """Certificates are renewed while the driver runs."""

    def setUp(self):
        """A certificate in files."""
        first = pem_of(certificate_for(u"client"))
        self.paths = [self.write(piece) for piece in first]
        self.certificate = ClientCertificate(*self.paths)

    def replace(self, index, piece):
        """Replace a file as a whole."""
        os.rename(self.write(piece), self.paths[index])

    @capture_logging(None)
    def test_renewed(self, logger):
        """An incomplete new pair is not used and is logged once; the complete pair is used."""
        first = self.certificate.options()
        self.assertIs(self.certificate.options(), first)
        pem, key = pem_of(certificate_for(u"client"))
        self.replace(0, pem)
        for _ in range(3):
            self.assertIs(self.certificate.options(), first)
        [kept] = logger.messages
        self.assertEqual(kept[u"message_type"], u"txstorage:credentials:kept")
        self.assertIn(self.paths[1], kept[u"reason"])
        self.replace(1, key)
        self.assertIsNot(self.certificate.options(), first)
        self.assertEqual(len(logger.messages), 1)

    @capture_logging(None)
    def test_gone(self, logger):
        """Files that are gone for a while change nothing."""
        first = self.certificate.options()
        os.rename(self.paths[0], self.paths[0] + u"x")
        self.assertIs(self.certificate.options(), first)
        os.rename(self.paths[0] + u"x", self.paths[0])
        self.assertEqual(
            self.certificate.options()["certificate"].digest("sha256"),
            first["certificate"].digest("sha256"),
        )

    def test_new_connections(self):
        """Connections are made with what is in the files then, and not read for each."""
        policy = https_policy(False, client=self.certificate)
        first = policy.creatorForNetloc(b"cloud", 443)
        self.assertIs(policy.creatorForNetloc(b"cloud", 443), first)
        for index, piece in enumerate(pem_of(certificate_for(u"client"))):
            self.replace(index, piece)
        self.assertIsNot(policy.creatorForNetloc(b"cloud", 443), first)


class SocketTests(Files, TestCase):
    """A server that wants to see a certificate."""

    timeout = 20

    def setUp(self):
        """The server's certificate and this client's, and the server."""
        self.own = certificate_for(u"client")

    def ask(self, host, own, **options):
        """Ask a server that requires the client's certificate; with our own or another."""
        certificate = certificate_for(as_text(host))
        self.server = RawServer(
            self,
            b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"a\": 1}",
            certificate=certificate,
            clients=(self.own,),
        )
        client = None if own is None else ClientCertificate(self.write(*pem_of(own)))
        options.setdefault("verify_ca_path", self.write(certificate.dumpPEM()))
        agent = agent_for(reactor, client=client, **options)
        http = HTTPClient(reactor, agent, 10.0, jitter=lambda: -0.5)
        self.addCleanup(http.close)
        return http.request(u"GET", self.server.url.replace(u"127.0.0.1", host))

    def accepted(self, asked):
        """Check that a response arrives."""
        return asked.addCallback(lambda response: self.assertEqual(response.body, {u"a": 1}))

    def rejected(self, asked):
        """Check that the error names the keys to configure, and that nothing was processed."""

        def check(caught):
            self.assertIn(u"client_certificate", caught.remedy)
            self.assertEqual(self.server.received, [])

        return self.assertFailure(asked, errors.ClientCertificateRejected).addCallback(check)

    def test_address(self):
        """The certificate is shown to a server that is named by its address."""
        return self.accepted(self.ask(u"127.0.0.1", self.own))

    def test_host(self):
        """The certificate is shown to a server that is named by a host name."""
        return self.accepted(self.ask(u"localhost", self.own))

    def test_unverified(self):
        """The certificate is shown also to a server that is not verified."""
        return self.accepted(
            self.ask(u"127.0.0.1", self.own, verify_peer=False, verify_ca_path=None)
        )

    def test_none(self):
        """Without a certificate the server refuses, and the error names the keys to configure."""
        return self.rejected(self.ask(u"127.0.0.1", None))

    def test_another(self):
        """With a certificate that the server does not trust it is the same."""
        return self.rejected(self.ask(u"localhost", certificate_for(u"stranger")))
