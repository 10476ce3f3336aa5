# -*- test-case-name: tests.embedded.ec2.test_signatures -*-
"""
Signature Version 4 of requests, as a service checks it.

Source: "Create a signed AWS API request" in the IAM user guide.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from urllib.parse import parse_qsl, quote

import attr

from . import errors
from .credentials import ServedKeys

_ALGORITHM = "AWS4-HMAC-SHA256"
_TIME = "%Y%m%dT%H%M%SZ"
_PART = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)\Z")


@attr.s(frozen=True, auto_attribs=True)
class SignedRequest:
    """
    The parts of a request that are signed.

    :ivar path: as sent.
    :ivar query: as sent, without the question mark.
    :ivar headers: names in lower case, with their values.
    """

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """:return: the first value of a header, or ``None``."""
        return next((value for key, value in self.headers if key == name), None)

    def canonical(self, signed: Sequence[str]) -> str:
        """
        Return the canonical form of the request.

        :param signed: the names of the signed headers.
        """
        pairs = sorted(
            (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
            for name, value in parse_qsl(self.query, keep_blank_values=True)
        )
        lines = [self.method, self.path or "/", "&".join("=".join(pair) for pair in pairs)]
        for name in signed:
            values = (" ".join(value.split()) for key, value in self.headers if key == name)
            lines.append(f"{name}:{','.join(values)}")
        lines += ["", ";".join(signed), hashlib.sha256(self.body).hexdigest()]
        return "\n".join(lines)


@attr.s(frozen=True, auto_attribs=True)
class ParsedSignature:
    """The ``Authorization`` header of a request."""

    access_key_id: str
    scope: tuple[str, str, str, str]
    signed: tuple[str, ...]
    signature: str

    @classmethod
    def parse(cls, header: str | None) -> ParsedSignature:
        """
        :raises QueryRefusal: there is no header, or it is malformed.
        """
        if header is None:
            raise errors.NO_SIGNATURE()
        algorithm, _, rest = header.strip().partition(" ")
        matches = [_PART.match(part.strip()) for part in rest.split(",")]
        parts = {matched[1]: matched[2] for matched in matches if matched is not None}
        if algorithm != _ALGORITHM or len(parts) != 3:
            raise errors.INCOMPLETE_SIGNATURE(
                f"The Authorization header must be {_ALGORITHM} with Credential, SignedHeaders and "
                "Signature"
            )
        credential = parts["Credential"].split("/")
        if len(credential) != 5:
            raise errors.INCOMPLETE_SIGNATURE(
                "Credential must have exactly 5 slash-delimited parts"
            )
        access_key_id, day, region, service, end = credential
        signed = tuple(parts["SignedHeaders"].split(";"))
        return cls(access_key_id, (day, region, service, end), signed, parts["Signature"])


def signature_of(secret: str, scope: Sequence[str], moment: str, canonical: str) -> str:
    """
    Sign a request.

    :param scope: the day, the region, the service and ``aws4_request``.
    :param moment: the request's ``X-Amz-Date``.
    :param canonical: the request's canonical form.
    """
    digest = hashlib.sha256(canonical.encode("utf-8")).hexdigest()
    text = "\n".join([_ALGORITHM, moment, "/".join(scope), digest])
    key = ("AWS4" + secret).encode("utf-8")
    for part in (*scope, text):
        key = hmac.digest(key, part.encode("utf-8"), "sha256")
    return key.hex()


def check_signature(
    request: SignedRequest, keys: ServedKeys, region: str, now: float, skew: float
) -> str:
    """
    Check who has sent a request.

    :param region: the one that the signature must name.
    :param now: seconds since the epoch.
    :param skew: seconds that the request's time may differ from ``now``.
    :return: the service that the signature names: ``ec2`` or ``sts``.
    :raises QueryRefusal: the signature is missing, wrong or too old.
    """
    parsed = ParsedSignature.parse(request.header("authorization"))
    service = parsed.scope[2]
    is_sts = service == "sts"
    token = request.header("x-amz-security-token")
    known = keys.find(parsed.access_key_id, token)
    if known is None:
        raise errors.UNKNOWN_KEY() if is_sts else errors.NOT_AUTHENTICATED()
    moment = request.header("x-amz-date") or ""
    _check_scope(parsed, moment, region)
    _check_signed(parsed, request, token)
    expected = signature_of(
        known.secret_access_key, parsed.scope, moment, request.canonical(parsed.signed)
    )
    if not hmac.compare_digest(expected.encode("ascii"), parsed.signature.encode("utf-8")):
        # EC2 itself gives no reason.
        raise errors.BAD_SIGNATURE() if is_sts else errors.NOT_AUTHENTICATED()
    if (known.expires_at or now) < now:
        raise errors.EXPIRED_TOKEN() if is_sts else errors.EXPIRED()
    if abs(_seconds(moment) - now) > skew:
        raise errors.EXPIRED()
    return service


def _seconds(moment: str) -> float:
    return datetime.strptime(moment, _TIME).replace(tzinfo=timezone.utc).timestamp()


def _check_scope(parsed: ParsedSignature, moment: str, region: str) -> None:
    day, named, service, end = parsed.scope
    try:
        _seconds(moment)
    except ValueError:
        raise errors.INCOMPLETE_SIGNATURE(
            "Date must be in ISO-8601 'basic format', in the header X-Amz-Date"
        ) from None
    if day != moment[:8] or end != "aws4_request" or service not in ("ec2", "sts"):
        raise errors.INCOMPLETE_SIGNATURE(
            "Credential should be scoped to the request's day, to ec2 or sts, and to aws4_request"
        )
    # The global endpoint of STS is in another region than its clients.
    if named != region and service == "ec2":
        raise errors.NOT_AUTHENTICATED()


def _check_signed(parsed: ParsedSignature, request: SignedRequest, token: str | None) -> None:
    needed = {"host", "x-amz-date"} | ({"x-amz-security-token"} if token is not None else set())
    if not needed <= set(parsed.signed) or list(parsed.signed) != sorted(parsed.signed):
        raise errors.INCOMPLETE_SIGNATURE(
            f"The signed headers must be in order, with all of {', '.join(sorted(needed))}"
        )
    missing = [name for name in parsed.signed if request.header(name) is None]
    if missing:
        raise errors.INCOMPLETE_SIGNATURE(f"The request has no header {missing[0]}")
