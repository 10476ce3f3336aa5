# -*- test-case-name: tests._http.test_trust -*-
"""
The trust in servers' certificates.

Twisted verifies host names.  This module verifies IP addresses, which private clouds often use,
because the Twisted and service_identity that Flocker pins can't.
"""

from __future__ import absolute_import, division, print_function

import os
import ssl as system_ssl
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.backends import default_backend
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import (
    CertificateOptions,
    optionsForClientTLS,
    trustRootFromCertificates,
)
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from .._support.compat import as_text, native, text_type
from .._support.old_twisted import CheckedConnections
from ..errors import InvalidConfiguration
from .client_certificates import BEGIN, certificates_in

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Text  # noqa: F401

    from .client_certificates import ClientCertificate  # noqa: F401

# X509_verify_cert_error(3): what operators meet.
_PROBLEMS = {
    9: u"the certificate is not valid yet",
    10: u"the certificate has expired",
    18: u"the certificate is self-signed and is not among the trusted ones",
    19: u"the authority that signed the certificate is not trusted",
    20: u"the authority that signed the certificate is not trusted",
    21: u"the authority that signed the certificate is not trusted",
}


class Untrusted(Exception):
    """
    A certificate does not verify.

    :param text reason: the reason.
    """

    def __init__(self, reason):
        # type: (Text) -> None
        Exception.__init__(self, native(reason))
        self.reason = reason


def trust_from_file(path):
    # type: (Text) -> Any
    """
    :param text path: a PEM file with one certificate or more.
    :return: a trust root for Twisted, of these certificates and no others.
    :raises InvalidConfiguration: the file holds no certificate.
    """
    try:
        certificates = certificates_in(path)
    except EnvironmentError as error:
        raise InvalidConfiguration(
            u"verify_ca_path",
            u"can't read {}: {}".format(as_text(path), os.strerror(error.errno or 0)),
        )
    except (crypto.Error, ValueError):
        certificates = []
    if not certificates:
        raise InvalidConfiguration(
            u"verify_ca_path",
            u"{} holds no certificate in PEM form".format(as_text(path)),
            u"name a file with '{}' lines".format(as_text(BEGIN)),
        )
    return trustRootFromCertificates(certificates)


def system_trust(paths):
    # type: (Any) -> Any
    """
    The authorities that this machine trusts.

    Twisted's ``platformTrust`` uses the paths of the OpenSSL inside ``cryptography``, which are
    those of the machine that built it, and only later releases of pyOpenSSL look elsewhere too.
    Python's ``ssl`` knows the system's path.

    :param paths: as ``ssl.get_default_verify_paths()`` returns it.
    :return: a trust root for Twisted.
    :raises Untrusted: the machine has no list of authorities.
    """
    files = [paths.cafile] if paths.cafile else []
    if not files and paths.capath:
        files = [os.path.join(paths.capath, name) for name in sorted(os.listdir(paths.capath))]
    certificates = []
    for path in files:
        try:
            certificates.extend(certificates_in(path))
        except (EnvironmentError, crypto.Error, ValueError):
            # A directory may hold other files, and links that lead nowhere.
            continue
    if not certificates:
        raise Untrusted(
            u"this machine has no list of trusted authorities where OpenSSL looks for it; "
            u"install one (the package is often called ca-certificates)"
        )
    return trustRootFromCertificates(certificates)


def _address(host):
    # type: (Text) -> Any
    try:
        return ip_address(host)
    except ValueError:
        return None


def _addresses_of(certificate):
    # type: (Any) -> Sequence[Any]
    encoded = crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
    extensions = x509.load_der_x509_certificate(encoded, default_backend()).extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.IPAddress)


def verification_problem(address, certificate, error_number, depth, ok):
    # type: (Any, Any, int, int, bool) -> Optional[Text]
    """
    Check one certificate of a server's chain.

    :param address: the ``ipaddress`` object that the connection is to.
    :param certificate: the ``OpenSSL.crypto.X509``.
    :param int error_number: OpenSSL's.
    :param int depth: 0 for the server's own certificate.
    :param bool ok: whether OpenSSL trusts it.
    :return: text: the problem, or ``None``.
    """
    if not ok:
        return _PROBLEMS.get(
            error_number, u"the certificate does not verify (OpenSSL error {})".format(error_number)
        )
    if depth == 0 and address not in _addresses_of(certificate):
        return u"the certificate is not for the address {}".format(address)
    return None


def _verified(address):
    # type: (Any) -> Callable[[Any, int, int, bool], Optional[Exception]]
    """:return: the check of certificates for :class:`.old_twisted.CheckedConnections`."""

    def check(certificate, error_number, depth, ok):
        # type: (Any, int, int, bool) -> Optional[Exception]
        # An exception in here would be lost in OpenSSL, and with it the check.
        try:
            problem = verification_problem(address, certificate, error_number, depth, ok)
        except Exception:
            problem = u"the certificate can't be read"
        return None if problem is None else Untrusted(problem)

    return check


@implementer(IOpenSSLClientConnectionCreator)
class _Unverified(object):
    """Connections without verification."""

    def __init__(self, host, own):
        # type: (Text, Mapping[str, Any]) -> None
        self._host = host
        self._context = CertificateOptions(verify=False, **own).getContext()

    def clientConnectionForTLS(self, protocol):  # noqa: N802 (Twisted's name)
        # type: (Any) -> Any
        """See ``IOpenSSLClientConnectionCreator``."""
        connection = SSL.Connection(self._context, None)
        if _address(self._host) is None:
            connection.set_tlsext_host_name(self._host.encode("idna"))
        return connection


@implementer(IPolicyForHTTPS)
class HTTPSPolicy(object):
    """
    The certificates that are accepted for https URLs.

    :param bool verify: whether certificates are verified.
    :param trust: called without arguments for a trust root; only once, and only when there is an
        https URL.
    :param client: a :class:`~txstorage._http.client_certificates.ClientCertificate`, or ``None``.
    """

    def __init__(self, verify, trust, client=None):
        # type: (bool, Callable[[], Any], Optional[ClientCertificate]) -> None
        self._verify = verify
        self._client = client
        self._own = {}  # type: Dict[str, Any]
        self._load = trust
        self._trust = None
        self._creators = {}  # type: Dict[Text, Any]

    def creatorForNetloc(self, hostname, port):  # noqa: N802 (Twisted's name)
        # type: (bytes, int) -> Any
        """See ``IPolicyForHTTPS``."""
        # The agent asks for each request, and reading the trusted
        # certificates takes longer than the request.
        host = hostname.decode("ascii")
        own = self._own if self._client is None else self._client.options()
        if own is not self._own:
            self._own = own
            self._creators.clear()
        if host not in self._creators:
            self._creators[host] = self._creator(host)
        return self._creators[host]

    def _creator(self, host):
        # type: (Text) -> Any
        if not self._verify:
            return _Unverified(host, self._own)
        if self._trust is None:
            self._trust = self._load()
        address = _address(host)
        if address is not None:
            options = CertificateOptions(trustRoot=self._trust, **self._own)
            return CheckedConnections(options, _verified(address))
        return optionsForClientTLS(
            text_type(host), trustRoot=self._trust, extraCertificateOptions=self._own
        )


def https_policy(verify_peer=True, verify_ca_path=None, paths=None, client=None):
    # type: (bool, Optional[Text], Any, Optional[ClientCertificate]) -> HTTPSPolicy
    """
    :param bool verify_peer: ``False`` accepts any certificate.
    :param verify_ca_path: a PEM file of the only authorities to trust; the system's by default.
    :param paths: the paths of the system's; from Python's ``ssl`` by default.
    :param client: a :class:`~txstorage._http.client_certificates.ClientCertificate`, or ``None``.
    :return: an ``IPolicyForHTTPS``.
    :raises InvalidConfiguration: ``verify_ca_path`` is invalid.
    """
    if verify_peer and verify_ca_path is not None:
        trust = trust_from_file(verify_ca_path)
        return HTTPSPolicy(True, lambda: trust, client)
    return HTTPSPolicy(
        verify_peer,
        lambda: system_trust(paths or system_ssl.get_default_verify_paths()),
        client,
    )


__all__ = ["HTTPSPolicy", "Untrusted", "https_policy", "system_trust", "trust_from_file"]
