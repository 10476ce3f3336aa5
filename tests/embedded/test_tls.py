"""Tests of certificates."""

from __future__ import annotations

import datetime
import os

from cryptography import x509
from twisted.internet.ssl import CertificateOptions
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded import tls
from txstorage.embedded.state_directory import ServeError
from txstorage.embedded.tls import _generate, context_factory, self_signed

from .support import temporary_directory


class SelfSignedTests(SynchronousTestCase):
    """Tests of the self-signed certificate."""

    def setUp(self) -> None:
        self.directory = temporary_directory(self)

    def read(self, host: str) -> bytes:
        """Return the certificate for a host."""
        with open(self_signed(self.directory, host)[0], "rb") as opened:
            return opened.read()

    def test_for_host(self) -> None:
        """The certificate is for the address or the name, and only its owner can read the key."""
        for host, expected in (
            ("127.0.0.1", x509.IPAddress),
            ("::1", x509.IPAddress),
            ("localhost", x509.DNSName),
        ):
            certificate = x509.load_pem_x509_certificate(self.read(host))
            names = certificate.extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            ).value
            (name,) = names
            self.assertIsInstance(name, expected)
            self.assertEqual(str(name.value), host)
        path = os.path.join(self.directory, "tls-key.pem")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_kept(self) -> None:
        """
        The certificate is made once, and replaced for another host or when certificate and key
        don't match, as after a crash between the two.
        """
        first = self.read("127.0.0.1")
        self.assertEqual(self.read("127.0.0.1"), first)
        second = self.read("localhost")
        self.assertNotEqual(second, first)
        with open(os.path.join(self.directory, "tls-key.pem"), "wb") as opened:
            opened.write(_generate("localhost")[1])
        third = self.read("localhost")
        self.assertNotEqual(third, second)
        with open(os.path.join(self.directory, "tls-cert.pem"), "wb") as opened:
            opened.write(b"nonsense")
        self.assertNotEqual(self.read("localhost"), third)

    def test_renewed(self) -> None:
        """The certificate is replaced some weeks before it expires."""
        for left, renewed in ((31, False), (29, True)):
            self.patch(tls, "_VALID", datetime.timedelta(days=left))
            os.unlink(self_signed(self.directory, "localhost")[0])
            first = self.read("localhost")
            self.assertEqual(self.read("localhost") != first, renewed)

    def test_usable(self) -> None:
        """A port can use the certificate."""
        options = context_factory(*self_signed(self.directory, "localhost"))
        self.assertIsInstance(options, CertificateOptions)


class ContextFactoryTests(SynchronousTestCase):
    """Tests of the operator's certificate."""

    def setUp(self) -> None:
        directory = temporary_directory(self)
        self.certificate, self.key = self_signed(directory, "localhost")

    def test_unusable(self) -> None:
        """A missing file, a file that is not PEM, and another certificate's key are refused."""
        other = self_signed(temporary_directory(self), "localhost")[1]
        for certificate, key, problem in (
            (self.certificate + "x", self.key, "No such file"),
            (self.certificate, self.certificate, "not a PEM certificate and its key"),
            (self.key, self.key, "not a PEM certificate and its key"),
            (self.certificate, other, "not a PEM certificate and its key"),
        ):
            error = self.assertRaises(ServeError, context_factory, certificate, key)
            self.assertIn(problem, str(error))
            self.assertIn("--tls-cert", error.remedy)
