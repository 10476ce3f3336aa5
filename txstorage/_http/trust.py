# -*- test-case-name: tests._http.test_trust -*-
"""
The trust in servers' certificates.

This module verifies host names and IP addresses itself.  Twisted before 19.2 verifies no addresses.
Later releases log an error within the verification, such as that of a malformed name, and keep the
connection.
"""

from __future__ import absolute_import, division, print_function

import os
import re
import ssl as system_ssl
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.backends import default_backend
from OpenSSL import SSL, crypto
from service_identity import CertificateError
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import CertificateOptions, trustRootFromCertificates
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from .._support.compat import as_text, native
from .._support.old_twisted import CheckedConnections, dns_name_matches
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

# The remedies of problems that no authority would solve.
_REMEDIES = {
    9: u"check the clocks of this machine and of the service's",
    10: u"have the service's certificate renewed; if it is valid, check this machine's clock",
}

_REISSUE = (
    u"use a host name that the certificate has, or have the service's certificate issued for {} as "
    u"a subject alternative name, and with no malformed name"
)
# Letters, digits, hyphens and underscores in labels of at most 63; or a wildcard instead of the
# first of at least three labels.  service_identity accepts more, and its versions differ.
_LABEL = u"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DNS_NAME = re.compile(u"(?:[*][.]{0}[.]{0}|{0})(?:[.]{0})*\\Z".format(_LABEL))
_SHOWN = 60


class Untrusted(Exception):
    """
    A certificate does not verify.

    :param text reason: the reason.
    :param text remedy: the solution; empty for that of
        :class:`~txstorage.errors.CertificateRejected`.
    """

    def __init__(self, reason, remedy=u""):
        # type: (Text, Text) -> None
        Exception.__init__(self, native(reason))
        self.reason = reason
        self.remedy = remedy


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
            u"this machine has no list of trusted authorities where OpenSSL looks for it",
            u"install one (the package is often called ca-certificates), or set verify_ca_path",
        )
    return trustRootFromCertificates(certificates)


def _address(host):
    # type: (Text) -> Any
    try:
        return ip_address(host)
    except ValueError:
        return None


def _names_of(certificate, kind):
    # type: (Any, Any) -> Sequence[Any]
    """:return: a certificate's subject alternative names of one kind."""
    encoded = crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
    extensions = x509.load_der_x509_certificate(encoded, default_backend()).extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    found = names.get_values_for_type(kind)  # type: Sequence[Any]
    return found


def _shown(name):
    # type: (Text) -> Text
    """:return: a name of a certificate, in printable ASCII and not too long."""
    return name.encode("unicode_escape").decode("ascii")[:_SHOWN]


def _host_problem(host, names):
    # type: (Text, Sequence[Text]) -> Optional[Text]
    """
    Look for a host in a certificate's DNS names.

    :param text host: the host name that the connection is to.
    :param names: the certificate's DNS names (text).
    :return: the problem (text), or ``None``.
    """
    matched = []
    for name in names:
        try:
            if _DNS_NAME.match(name) is None or len(name) > 253:
                raise CertificateError()
            matched.append(dns_name_matches(name.encode("ascii"), host))
        except CertificateError:
            problem = u"the certificate has the malformed name '{}', so none of its names counts"
            return problem.format(_shown(name))
    return None if any(matched) else u"the certificate does not name the host"


def _address_problem(address, addresses):
    # type: (Any, Sequence[Any]) -> Optional[Text]
    return None if address in addresses else u"the certificate does not name the address"


def identity_problem(host, certificate):
    # type: (Text, Any) -> Optional[Text]
    """
    Check whether a server's certificate is for a host.

    Only subject alternative names count, those with DNS names for a host name and those with IP
    addresses for an address.  The certificate's common name does not count.

    :param text host: the host name or IP address that the connection is to.
    :param certificate: the ``OpenSSL.crypto.X509``.
    :return: text: the problem, or ``None``.
    """
    address = _address(host)
    # An exception in a callback would be lost in OpenSSL, and with it the check.
    try:
        if address is None:
            return _host_problem(host, _names_of(certificate, x509.DNSName))
        return _address_problem(address, _names_of(certificate, x509.IPAddress))
    except Exception:
        return u"the names of the certificate can't be read"


def _verified(host):
    # type: (Text) -> Callable[[Any, int, int, bool], Optional[Exception]]
    """:return: the check of certificates for :class:`.old_twisted.CheckedConnections`."""

    def check(certificate, error_number, depth, ok):
        # type: (Any, int, int, bool) -> Optional[Exception]
        if not ok:
            unknown = u"the certificate does not verify (OpenSSL error {})".format(error_number)
            problem = _PROBLEMS.get(error_number, unknown)
            return Untrusted(problem, _REMEDIES.get(error_number, u""))
        wrong = identity_problem(host, certificate) if depth == 0 else None
        if wrong is None:
            return None
        return Untrusted(u"{} ({})".format(wrong, host), _REISSUE.format(host))

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
            connection.set_tlsext_host_name(self._host.encode("ascii"))
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

    def without_client(self):
        # type: () -> HTTPSPolicy
        """:return: the policy for servers that must not see the client certificate: proxies."""
        return HTTPSPolicy(self._verify, self._load)

    def _creator(self, host):
        # type: (Text) -> Any
        if not self._verify:
            return _Unverified(host, self._own)
        if self._trust is None:
            self._trust = self._load()
        options = CertificateOptions(trustRoot=self._trust, **self._own)
        server_name = None if _address(host) is not None else host.encode("ascii")
        return CheckedConnections(options, _verified(host), server_name)


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
