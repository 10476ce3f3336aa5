# -*- test-case-name: tests.embedded.test_tls -*-
"""TLS for the service's port, with the operator's certificate or a self-signed one."""

from __future__ import annotations

import datetime
import ipaddress
import os
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL, crypto
from twisted.internet.ssl import CertificateOptions

from .disk import write_private
from .state_directory import ServeError

_VALID = datetime.timedelta(days=825)
_RENEW_BEFORE = datetime.timedelta(days=30)


def context_factory(certificate: str, key: str) -> CertificateOptions:
    """
    :param certificate: path of a PEM file; the chain's other certificates may follow the first.
    :param key: path of a PEM file.
    :raises ServeError: they can't be used.
    """
    try:
        with open(certificate, "rb") as opened:
            chain = x509.load_pem_x509_certificates(opened.read())
        with open(key, "rb") as opened:
            # a key of a kind that TLS can't use is refused below
            private: Any = serialization.load_pem_private_key(opened.read(), None)
        own, *others = [crypto.X509.from_cryptography(link) for link in chain]
        options = CertificateOptions(
            privateKey=crypto.PKey.from_cryptography_key(private),
            certificate=own,
            extraCertChain=others,
        )
        options.getContext().check_privatekey()
    except (OSError, ValueError, TypeError, SSL.Error) as error:
        # Not the error's own text: it might show a piece of the key.
        problem = getattr(error, "strerror", None) or "they are not a PEM certificate and its key"
        raise ServeError(
            f"can't use the certificate {certificate} with the key {key}: {problem}",
            "check --tls-cert and --tls-key",
        ) from None
    return options


def self_signed(directory: str, host: str) -> tuple[str, str]:
    """
    A self-signed certificate, for clients that are configured to trust it.  It is made once, and
    again before it expires or when the host changes.

    :return: paths of the certificate and of the key.
    """
    paths = os.path.join(directory, "tls-cert.pem"), os.path.join(directory, "tls-key.pem")
    if not _is_for(paths, host):
        certificate, key = _generate(host)
        # A key without its certificate is made again; a certificate without its key
        # would not fit a new key.
        write_private(paths[1], key)
        write_private(paths[0], certificate)
    return paths


def _is_for(paths: tuple[str, str], host: str) -> bool:
    try:
        with open(paths[0], "rb") as opened:
            certificate = x509.load_pem_x509_certificate(opened.read())
        with open(paths[1], "rb") as opened:
            key = serialization.load_pem_private_key(opened.read(), None)
    except (OSError, ValueError):
        return False
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        _name(host) in names
        and certificate.public_key() == key.public_key()
        and certificate.not_valid_after_utc - _RENEW_BEFORE > now
    )


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _generate(host: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "txstorage")])
    now = datetime.datetime.now(datetime.timezone.utc)
    extensions = (
        (x509.SubjectAlternativeName([_name(host)]), False),
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A client's clock may be a little behind.
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _VALID)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(pem), private
