# -*- test-case-name: tests._http.test_client_certificates -*-
"""
This client's own certificate, for services that ask for one.
"""

from __future__ import absolute_import, division, print_function

import os

from OpenSSL import SSL, crypto
from twisted.internet.ssl import Certificate

from .._log import CREDENTIALS_KEPT
from .._support.compat import as_text, native
from ..errors import InvalidConfiguration

#: What a certificate in PEM form begins with.
BEGIN = b"-----BEGIN CERTIFICATE-----"
_ENCRYPTED = b"ENCRYPTED"


def certificates_in(path):
    """
    :param path: a PEM file.
    :return: a list of Twisted's ``Certificate``; whatever else is in the file,
        a key for example, is left out.
    :raises EnvironmentError: when it can't be read.
    :raises ValueError: when it can't be understood; or ``OpenSSL.crypto.Error``.
    """
    with open(native(path), "rb") as opened:
        pieces = opened.read().split(BEGIN)[1:]
    return [Certificate.loadPEM(BEGIN + piece) for piece in pieces]


def _refuse(key, path, problem, remedy):
    raise InvalidConfiguration(
        key, u"can't use {}: {}".format(as_text(path), problem), remedy
    )


def _certificates(path):
    try:
        certificates = certificates_in(path)
        problem = u"it holds no certificate in PEM form"
    except EnvironmentError as error:
        certificates, problem = [], as_text(os.strerror(error.errno))
    except (crypto.Error, ValueError):
        certificates, problem = [], u"a certificate in it can't be understood"
    if not certificates:
        _refuse(
            u"client_certificate", path, problem,
            u"name a file with '{}' lines".format(as_text(BEGIN)),
        )
    return [each.original for each in certificates]


def _read_key(path):
    """A private key, or what is wrong with the file (text)."""
    try:
        with open(native(path), "rb") as opened:
            pem = opened.read()
        if _ENCRYPTED in pem:
            # OpenSSL would ask the terminal for the passphrase.
            return None, u"the private key in it is encrypted"
        return crypto.load_privatekey(crypto.FILETYPE_PEM, pem), None
    except EnvironmentError as error:
        return None, as_text(os.strerror(error.errno))
    except (crypto.Error, ValueError, TypeError):
        # Not the error's own text: it might show a piece of the key.
        return None, u"it holds no private key in PEM form"


def _is_for(key, certificate):
    context = SSL.Context(SSL.SSLv23_METHOD)
    try:
        context.use_certificate(certificate)
        context.use_privatekey(key)
        context.check_privatekey()
    except SSL.Error:
        return False
    return True


def load_client_certificate(certificate_path, key_path=None):
    """
    :param text certificate_path: a PEM file; the chain's other certificates
        may follow the first.
    :param key_path: a PEM file (text); ``None`` when the key is in the other.
    :return: options for Twisted's ``CertificateOptions``, a dict.
    :raises InvalidConfiguration: naming the key and the file.
    """
    certificates = _certificates(certificate_path)
    name = u"client_certificate" if key_path is None else u"client_key"
    path = certificate_path if key_path is None else key_path
    key, problem = _read_key(path)
    if key is None:
        _refuse(
            name, path, problem, u"name a PEM file with the certificate's key, not encrypted"
        )
    if not _is_for(key, certificates[0]):
        _refuse(
            name,
            path,
            u"the key in it is not that of the certificate in {}".format(
                as_text(certificate_path)
            ),
            u"name the key that the certificate was made for",
        )
    return {
        "certificate": certificates[0],
        "privateKey": key,
        "extraCertChain": certificates[1:],
    }


def _stamp(path):
    try:
        found = os.stat(native(path))
    except EnvironmentError:
        return None
    return found.st_mtime, found.st_size, found.st_ino


class ClientCertificate(object):
    """
    A certificate and its key in files, which may change: certificates are
    renewed.  New connections are made with what the files hold then; while
    that can't be used, with what was there before.

    :param text certificate_path: as for :func:`load_client_certificate`.
    :param key_path: likewise.
    :raises InvalidConfiguration: when they can't be used at all.
    """

    def __init__(self, certificate_path, key_path=None):
        self._paths = (certificate_path, key_path)
        self._stamp = self._stamps()
        self._options = load_client_certificate(*self._paths)

    def options(self):
        """
        :return: options for ``CertificateOptions``; the same object as before
            unless the files changed.
        """
        stamp = self._stamps()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._options = load_client_certificate(*self._paths)
            except InvalidConfiguration as error:
                CREDENTIALS_KEPT(reason=error.message).write()
        return self._options

    def _stamps(self):
        return [_stamp(path) for path in self._paths if path is not None]


__all__ = [
    "BEGIN",
    "ClientCertificate",
    "certificates_in",
    "load_client_certificate",
]
