# -*- test-case-name: tests.clouds.ec2.test_codec -*-
"""
The signatures of requests: Signature Version 4.
"""

from __future__ import absolute_import, division, print_function

from datetime import datetime, timedelta

from ...._support.compat import as_text, native, urlsplit

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Text  # noqa: F401

    from ..credentials.keys import AccessKeys  # noqa: F401

_EPOCH = datetime(1970, 1, 1)
_STAMP = "%Y%m%dT%H%M%SZ"
_DEFAULT_PORTS = {u"http": u":80", u"https": u":443"}


def _host(url):
    # type: (Text) -> Text
    """:return: text: the header ``Host`` of a request, as every client sends it."""
    parts = urlsplit(url)
    host = as_text(parts[1]).rpartition(u"@")[2].lower()
    default = _DEFAULT_PORTS.get(parts[0], u"")
    return host[: -len(default)] if default and host.endswith(default) else host


def signed_headers(method, url, headers, body, keys, service, region, now):
    # type: (Text, Text, Mapping[Text, Text], bytes, AccessKeys, Text, Text, float) -> Dict[Text, Text]
    """
    Sign a request.

    :param text method: the HTTP method.
    :param text url: absolute, with its query.
    :param dict headers: text to text; all of them are signed.
    :param bytes body: the whole body.
    :param keys: the :class:`~txstorage.clouds.ec2.credentials.AccessKeys`.
    :param text service: the name of the service in signatures, such as ``ec2``.
    :param text region: the region.
    :param float now: the service's time, in seconds since the epoch.
    :return: dict, text to text: the headers to send.
    """
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    stamp = (_EPOCH + timedelta(seconds=int(now))).strftime(_STAMP)
    sent = dict(headers, **{"Host": _host(url), "X-Amz-Date": as_text(stamp)})
    if keys.token is not None:
        sent["X-Amz-Security-Token"] = keys.token
    request = AWSRequest(
        method=native(method),
        url=native(url),
        headers={native(name): native(value) for name, value in sent.items()},
        data=body,
    )  # type: Any
    # Its add_auth reads the local clock, which may be wrong; these are the steps of it.
    signer = SigV4Auth(keys, native(service), native(region))  # type: Any
    request.context["timestamp"] = stamp
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    authorization = u"AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={}".format(
        as_text(signer.scope(request)),
        as_text(signer.signed_headers(signer.headers_to_sign(request))),
        as_text(signature),
    )
    return dict(sent, Authorization=authorization)


__all__ = ["signed_headers"]
