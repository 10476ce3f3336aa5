# -*- test-case-name: tests._http.test_client_certificates -*-
"""This client's own certificate, for services that require one."""

from __future__ import absolute_import, division, print_function

import os

from OpenSSL import SSL, crypto
from twisted.internet.ssl import Certificate

from .._log import CREDENTIALS_KEPT
from .._support.compat import as_text, native
from ..errors import InvalidConfiguration

MYPY = False
if MYPY:
    from typing import Any, Dict, List, NoReturn, Optional, Text, Tuple  # noqa: F401

#: What a certificate in PEM form begins with.
BEGIN = b"-----BEGIN CERTIFICATE-----"
_ENCRYPTED = b"ENCRYPTED"


def certificates_in(path):
    # type: (Text) -> List[Any]
    """
    :param path: a PEM file.
    :return: a list of Twisted's ``Certificate``; other contents of the file, a key for example, are
        ignored.
    :raises EnvironmentError: the file can't be read.
    :raises ValueError: a certificate is malformed; or ``OpenSSL.crypto.Error``.
    """
    with open(native(path), "rb") as opened:
        pieces = opened.read().split(BEGIN)[1:]
    return [Certificate.loadPEM(BEGIN + piece) for piece in pieces]


def _refuse(key, path, problem, remedy):
    # type: (Text, Text, Optional[Text], Text) -> NoReturn
    raise InvalidConfiguration(
        key, u"can't use {}: {}".format(as_text(path), problem), remedy
    )


def _certificates(path):
    # type: (Text) -> List[Any]
    try:
        certificates = certificates_in(path)
        problem = u"it holds no certificate in PEM form"
    except EnvironmentError as error:
        certificates, problem = [], as_text(os.strerror(error.errno or 0))
    except (crypto.Error, ValueError):
        certificates, problem = [], u"a certificate in it can't be understood"
    if not certificates:
        _refuse(
            u"client_certificate", path, problem,
            u"name a file with '{}' lines".format(as_text(BEGIN)),
        )
    return [each.original for each in certificates]


def _read_key(path):
    # type: (Text) -> Tuple[Any, Optional[Text]]
    """Return a private key and ``None``, or ``None`` and the problem with the file (text)."""
    try:
        with open(native(path), "rb") as opened:
            pem = opened.read()
        if _ENCRYPTED in pem:
            # OpenSSL would ask the terminal for the passphrase.
            return None, u"the private key in it is encrypted"
        return crypto.load_privatekey(crypto.FILETYPE_PEM, pem), None
    except EnvironmentError as error:
        return None, as_text(os.strerror(error.errno or 0))
    except (crypto.Error, ValueError, TypeError):
        # Not the error's own text: it might show a piece of the key.
        return None, u"it holds no private key in PEM form"


def _is_for(key, certificate):
    # type: (Any, Any) -> bool
    context = SSL.Context(SSL.SSLv23_METHOD)
    try:
        context.use_certificate(certificate)
        context.use_privatekey(key)
        context.check_privatekey()
    except SSL.Error:
        return False
    return True


def load_client_certificate(certificate_path, key_path=None):
    # type: (Text, Optional[Text]) -> Dict[str, Any]
    """
    :param text certificate_path: a PEM file; the chain's other certificates may follow the first.
    :param key_path: a PEM file (text); ``None`` when the key is in the other file.
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
    # type: (Text) -> Optional[Tuple[float, int, int]]
    try:
        found = os.stat(native(path))
    except EnvironmentError:
        return None
    return found.st_mtime, found.st_size, found.st_ino


class ClientCertificate(object):
    """
    A certificate and its key, in files that may change when the certificate is renewed.

    New connections use the files' current contents; while those are invalid, the last valid ones.

    :param text certificate_path: as for :func:`load_client_certificate`.
    :param key_path: likewise.
    :raises InvalidConfiguration: the files are invalid from the start.
    """

    def __init__(self, certificate_path, key_path=None):
        # type: (Text, Optional[Text]) -> None
        self._paths = (certificate_path, key_path)
        self._stamp = self._stamps()
        self._options = load_client_certificate(*self._paths)

    def options(self):
        # type: () -> Dict[str, Any]
        """
        :return: options for ``CertificateOptions``; the same object as before unless the files have
            changed.
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
        # type: () -> List[Optional[Tuple[float, int, int]]]
        return [_stamp(path) for path in self._paths if path is not None]


__all__ = [
    "BEGIN",
    "ClientCertificate",
    "certificates_in",
    "load_client_certificate",
]
