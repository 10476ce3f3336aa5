# -*- test-case-name: tests._http.test_messages -*-
"""The mapping from failures on the wire to the errors of :mod:`txstorage.errors`."""

from __future__ import absolute_import, division, print_function

import json
import re
from email.utils import mktime_tz, parsedate_tz

from OpenSSL import SSL
from twisted.internet.defer import CancelledError
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    ConnectionRefusedError,
    DNSLookupError,
    NoRouteError,
    TimeoutError,
)
from twisted.web._newclient import ParseError
from twisted.web.client import RequestNotSent  # type: ignore[attr-defined]
from twisted.web.error import SchemeNotSupported

from .. import errors
from .._support.compat import as_text, quote, text_type
from .bounds import HandshakeTimeout, OutOfBounds
from .json_reader import json_within
from .trust import Untrusted
from .tunnels import ProxyFailure, ProxyRefusal, ProxyUnauthorized, ProxyUnreachable

MYPY = False
if MYPY:
    from typing import Any, Dict, Iterable, List, Mapping, Optional, Text, Tuple, Type  # noqa: F401

_CANCELLED = (CancelledError, ConnectingCancelledError)

_BY_TYPE = (  # type: Tuple[Tuple[Any, Any], ...]
    (
        (ConnectError, DNSLookupError, ConnectingCancelledError, RequestNotSent),
        errors.Unreachable,
    ),
    (ProxyUnreachable, errors.Unreachable),
    (ProxyUnauthorized, errors.ProxyUnauthenticated),
    (ProxyRefusal, errors.ProxyRefused),
    (Untrusted, errors.CertificateRejected),
    (HandshakeTimeout, errors.NoHandshake),
    # ValueError: a malformed status or host name, and OutOfBounds.
    ((ParseError, SchemeNotSupported, ValueError), errors.NotTheService),
    ((ConnectionClosed, CancelledError), errors.ResponseLost),
)

# Patterns of OpenSSL's messages, which differ between its versions.
_BY_TLS_REASON = (  # type: Tuple[Tuple[Any, Any], ...]
    # An alert comes from the other side; "unknown ca" in it is about this side's certificate.
    (re.compile(u"alert.*(certificate|unknown ca)", re.I), errors.ClientCertificateRejected),
    (re.compile(u"certificate|unknown ca", re.I), errors.CertificateRejected),
    (re.compile(u"eof|shutdown|syscall", re.I), errors.ResponseLost),
    (re.compile(u""), errors.NotTheService),
)

# The beginning of an answer in plain text, read as TLS.
_NOT_TLS = re.compile(
    u"wrong version|http request|record length|packet length|unknown protocol", re.I
)
_USE_HTTP = u"if the service speaks plain HTTP there, begin the address with http:"
# The remedies of failures to connect.
_UNREACHABLE = (  # type: Tuple[Tuple[Any, Text], ...]
    (
        DNSLookupError,
        u"correct the host name, or this machine's name resolution (/etc/resolv.conf)",
    ),
    (ConnectionRefusedError, u"start the service, or correct its address and port"),
    (
        (TimeoutError, ConnectingCancelledError, NoRouteError),
        u"check the address, and the routes and firewalls on the way to it",
    ),
)

_TLS_ALERT = b"\x15\x03"
_USE_HTTPS = u"if the service speaks TLS there, begin the address with https:; otherwise "

_BY_STATUS = {  # type: Dict[int, Any]
    401: errors.AuthenticationFailed,
    403: errors.PermissionDenied,
    404: errors.ResourceNotFound,
    409: errors.Conflict,
    429: errors.RateLimited,
    507: errors.StorageFull,
}

# Cinder returns 413 with "VolumeLimitExceeded: ...", "VolumeSizeExceeds...:
# ..." and Retry-After 0, Nova 403 with "Quota exceeded for ...".
_QUOTA = re.compile(u"quota|LimitExceeded|SizeExceeds", re.I)
_QUOTA_FORBIDDEN = re.compile(u"quota exceeded", re.I)

_SECONDS = re.compile(u"[0-9]{1,9}\\Z")

_ENTITIES = ((u"&", u"&amp;"), (u"<", u"&lt;"), (u">", u"&gt;"), (u'"', u"&#34;"))
# The parts of a page that no text is taken from, each with its end.
_UNSEEN = tuple(
    (re.compile(part, re.I | re.S), re.compile(end, re.I))
    for part, end in (
        (u"<style\\b.*?</style\\s*>", u"</style\\s*>"),
        (u"<script\\b.*?</script\\s*>", u"</script\\s*>"),
        (u"</?[a-z!][^>]*>", u">"),
    )
)
_SPACE = re.compile(u"\\s+")
# Bytes of an error's body, and characters of its text, that are read; the messages of the services
# are shorter.
_READ = 32 * 1024
_LOOKED_AT = 8192
_PAGE_LIMIT = 200
_MESSAGE_LIMIT = 1000


def root_causes(error):
    # type: (Any) -> List[Any]
    """
    Find the causes of a connection's failure, which Twisted wraps, sometimes twice.

    :param error: an exception.
    :return: a list of exceptions, at least one.
    """
    reasons = getattr(error, "reasons", None)
    if not reasons:
        return [error]
    return [cause for reason in reasons for cause in root_causes(reason.value)]


def is_cancelled(error):
    # type: (Any) -> bool
    """
    :return: whether an exception stems from the cancellation of a call.
    """
    return any(isinstance(cause, _CANCELLED) for cause in root_causes(error))


def _tls_reason(error):
    # type: (Any) -> Text
    parts = error.args[0] if error.args else u""
    if isinstance(parts, list):
        return u"; ".join(as_text(part[-1]) for part in parts) or u"the handshake failed"
    return u" ".join(as_text(part) for part in error.args) or u"the handshake failed"


def _describe(error):
    # type: (Any) -> Text
    if isinstance(error, ConnectingCancelledError):
        return u"no connection in time"
    if isinstance(error, (OutOfBounds, ProxyFailure, Untrusted)):
        return error.reason
    text = _SPACE.sub(u" ", as_text(str(error))).strip()[:_PAGE_LIMIT]
    return text or as_text(type(error).__name__)


def _may_be_tls(url, error, cause):
    # type: (Text, Any, Any) -> bool
    """Check whether plain HTTP may have been sent to a TLS port."""
    if not url.startswith(u"http:"):
        return False
    if isinstance(cause, ParseError):
        return bool(cause.data.startswith(_TLS_ALERT))
    # Most TLS servers just close the connection; one that had begun to respond speaks plain HTTP.
    return isinstance(cause, ConnectionClosed) and getattr(error, "response", None) is None


def _with_remedy(error, cause):
    # type: (Any, Any) -> Any
    """Give an error the remedy of its very cause, where that differs from its class's."""
    remedy = getattr(cause, "remedy", u"")
    if isinstance(error, errors.Unreachable):
        remedy = next((text for types, text in _UNREACHABLE if isinstance(cause, types)), remedy)
    error.remedy = remedy or error.remedy
    return error


def transport_error(method, url, error):
    # type: (Text, Text, Any) -> Any
    """
    :param text method: the HTTP method.
    :param text url: the URL, without secrets.
    :param error: the exception that the agent failed with.
    :return: a :class:`~txstorage.errors.TransportError`, or ``error`` itself when it is not the
        wire's.
    """
    if isinstance(error, errors.StorageError):
        return error
    cause = root_causes(error)[0]
    if isinstance(cause, SSL.Error):
        reason = _tls_reason(cause)
        kind = next(kind for pattern, kind in _BY_TLS_REASON if pattern.search(reason))
        if _NOT_TLS.search(reason):
            broken = kind(method, url, u"it answers, but not with TLS ({})".format(reason))
            broken.remedy = _USE_HTTP
            return broken
        return kind(method, url, u"TLS: " + reason)
    for types, kind in _BY_TYPE:
        if isinstance(cause, types):
            found = _with_remedy(kind(method, url, _describe(cause)), cause)
            if _may_be_tls(url, error, cause):
                found.remedy = _USE_HTTPS + found.remedy
            return found
    # Other errors that Twisted wraps came from the connection; the rest are bugs.
    return error if cause is error else errors.ResponseLost(method, url, _describe(cause))


def _plain(text, limit):
    # type: (Text, int) -> Text
    text = text[:_LOOKED_AT]
    for part, end in _UNSEEN:
        # Behind the last end, a search for another part would take quadratic time.
        last = max([0] + [found.end() for found in end.finditer(text)])
        text = part.sub(u" ", text[:last]) + text[last:]
    return _SPACE.sub(u" ", text).strip()[:limit]


def _from_json(document):
    # type: (Any) -> Optional[Tuple[Optional[Text], Text]]
    """Return ``(kind, message)`` from an error document, or ``None``."""
    if not isinstance(document, dict):
        return None
    if isinstance(document.get(u"message"), text_type):
        return None, document[u"message"]
    methods = document.get(u"required_auth_methods")
    if isinstance(methods, list):
        # Keystone's answer to a first factor, with a receipt for it.
        return u"receipt", _required(methods)
    for kind, inner in document.items():
        if isinstance(inner, dict) and isinstance(inner.get(u"message"), text_type):
            return kind, inner[u"message"]
    return None


def _required(methods):
    # type: (List[Any]) -> Text
    """:return: a sentence about the authentication methods of which a user needs one set."""
    sets = [u" and ".join(map(as_text, each)) for each in methods if isinstance(each, list)]
    return u"authentication requires {}the methods {}".format(
        u"one of " if len(sets) > 1 else u"", u"; or ".join(sets)
    )


def _redacted(text, secrets):
    # type: (Text, Iterable[Text]) -> Text
    """Return a text without any secret, in plain, JSON, HTML or URL form."""
    for secret in secrets:
        if secret:
            forms = {secret, _as_html(secret), quote(secret)}
            forms |= {json.dumps(secret, ensure_ascii=ascii)[1:-1] for ascii in (True, False)}
            for form in sorted(forms, key=len, reverse=True):
                text = text.replace(form, u"[secret]")
    return text


def _as_html(text):
    # type: (Text) -> Text
    for character, entity in _ENTITIES:
        text = text.replace(character, entity)
    return text


def error_message(body, redact=()):
    # type: (bytes, Iterable[Text]) -> Tuple[Optional[Text], Text]
    """
    Extract a service's own error message.

    OpenStack's services return ``{"itemNotFound": {"code", "message"}}`` (Cinder, Nova),
    ``{"error": {...}}`` (Keystone), ``{"message", "code"}`` (their common router); a proxy before
    them returns HTML.

    :param bytes body: of an error.
    :param redact: secrets that the service may have echoed.
    :return: ``(kind, message)``: kind is e.g. ``u"itemNotFound"``, or ``None``.
    """
    body = body[:_READ]
    text = as_text(body)
    try:
        found = _from_json(json_within(body))
    except ValueError:
        found = None
    if found is None:
        return None, _plain(_redacted(text, redact), _PAGE_LIMIT) or u"(no message)"
    kind, message = found
    # Redacted first: a truncated or tidied secret would not be found.
    return kind, _plain(_redacted(message, redact), _MESSAGE_LIMIT)


def retry_after(headers):
    # type: (Mapping[Text, Text]) -> Optional[float]
    """
    :param dict headers: lower-case text to text.
    :return: the number of seconds that a service asks to wait, or ``None``.
    """
    value = headers.get(u"retry-after", u"").strip()
    if _SECONDS.match(value):
        return float(value)
    until, now = _time(value), date_of(headers)
    if until is None or now is None:
        # Without the service's own time the date is meaningless: clocks differ.
        return None
    return max(0.0, until - now)


def date_of(headers):
    # type: (Mapping[Text, Text]) -> Optional[float]
    """
    :param dict headers: lower-case text to text.
    :return: the service's time of an answer in seconds since the epoch, or ``None``.
    """
    return _time(headers.get(u"date", u""))


def _time(text):
    # type: (Text) -> Optional[float]
    """Return seconds since the epoch from a date in a header; ``None`` for anything else."""
    try:
        parsed = parsedate_tz(text)
        return None if parsed is None else float(mktime_tz(parsed))
    except (ValueError, OverflowError, TypeError, IndexError):
        # Of an impossible date, such as one in the year 99999.
        return None


def _error_class(status, kind, message, wait):
    # type: (int, Optional[Text], Text, Optional[float]) -> Type[errors.ServiceError]
    if status == 413:
        if kind != u"overLimit":
            return errors.RequestRefused
        return errors.QuotaExceeded if _QUOTA.search(message) else errors.RateLimited
    if status == 403 and _QUOTA_FORBIDDEN.search(message):
        return errors.QuotaExceeded
    if status == 503 and wait is not None:
        return errors.RateLimited
    known = _BY_STATUS.get(status)  # type: Optional[Type[errors.ServiceError]]
    return known or (errors.ServiceBroken if status >= 500 else errors.RequestRefused)


def service_error(method, url, status, headers, body, redact=()):
    # type: (Text, Text, int, Mapping[Text, Text], bytes, Iterable[Text]) -> errors.ServiceError
    """
    :param text method: the HTTP method.
    :param text url: the URL, without secrets.
    :param int status: 400 or more.
    :param dict headers: lower-case text to text.
    :param bytes body: the response's body.
    :param redact: secrets that the service may have echoed.
    :return: a :class:`~txstorage.errors.ServiceError`.
    """
    kind, message = error_message(body, redact)
    wait = retry_after(headers)
    return _error_class(status, kind, message, wait)(
        method, url, status, message, request_id(headers), wait, kind
    )


def request_id(headers):
    # type: (Mapping[Text, Text]) -> Optional[Text]
    """
    :param dict headers: lower-case text to text.
    :return: the service's id of a request (text), or ``None``.
    """
    names = (u"x-openstack-request-id", u"x-compute-request-id", u"x-amzn-requestid")
    return next((headers[name] for name in names if headers.get(name)), None)


__all__ = [
    "date_of",
    "error_message",
    "is_cancelled",
    "request_id",
    "retry_after",
    "root_causes",
    "service_error",
    "transport_error",
]
