"""Tests of signatures, of credentials and of the Security Token Service."""

from __future__ import annotations

import time
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from txstorage.embedded.testing import BASE_URL

from . import codec
from .support import KEY, SECRET, EC2Case, headers_of


class SignatureTests(EC2Case):
    """Tests of requests with signatures that are wrong in some way."""

    ec2 = {"clock_skew": 300.0}

    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(time.time() - self.clock.seconds())

    def signed(self, **more: Any) -> tuple[dict[str, str], str]:
        """Return the headers and the body of a signed request."""
        region = more.pop("region", "txstorage-1")
        request = codec.request_for(
            "ec2", "DescribeRegions", BASE_URL + "/", region, self.credentials, more
        )
        return headers_of(request), request.body

    def code(self, headers: dict[str, str], body: str, url: str = BASE_URL + "/") -> str:
        """Return the code of the error that answers a request; ``200`` for none."""
        status, answer = self.exchange("POST", url, headers, body)
        if status == 200:
            return "200"
        error = codec.parsed("ec2", "DescribeRegions", status, answer)["Error"]
        return str(error["Code"])

    def test_right(self) -> None:
        """A signed request is answered."""
        headers, body = self.signed()
        self.assertEqual(self.code(headers, body), "200")

    def test_query(self) -> None:
        """A request whose parameters are in its URL is answered."""
        url = BASE_URL + "/?Version=2016-11-15&Action=DescribeRegions&Filter.1.Name=region-name"
        url += "&Filter.1.Value.1=a%20b~%2F%2A"
        request = AWSRequest(method="GET", url=url)
        SigV4Auth(self.credentials, "ec2", "txstorage-1").add_auth(request)
        status, body = self.exchange("GET", url, dict(request.headers), None)
        self.assertEqual(status, 200, body)

    def test_tampered(self) -> None:
        """A change of any signed part makes the signature wrong."""
        headers, body = self.signed()
        host = {**headers, "Host": "other.example"}
        for changed in (
            self.code(headers, body + "&DryRun=true"),
            self.code({**headers, "Content-Type": "text/plain"}, body),
            self.code(host, body),
            self.code(headers, body, BASE_URL + "/x"),
            self.code(headers, body, BASE_URL + "/?x=y"),
        ):
            self.assertEqual(changed, "AuthFailure")

    def test_wrong(self) -> None:
        """Unknown keys, wrong secrets and other regions are refused, all with the same code."""
        for credentials in (
            Credentials("AKIAOTHER", SECRET),
            Credentials(KEY, SECRET + "x"),
            Credentials(KEY, ""),
            Credentials(KEY, SECRET, "token"),
        ):
            self.credentials = credentials
            self.assertEqual(self.code(*self.signed()), "AuthFailure")
        self.credentials = Credentials(KEY, SECRET)
        self.assertEqual(self.code(*self.signed(region="us-east-1")), "AuthFailure")

    def test_incomplete(self) -> None:
        """A missing or malformed header is an error of its own."""
        headers, body = self.signed()
        good = headers["Authorization"]
        for value, code in (
            (None, "MissingAuthenticationToken"),
            ("", "IncompleteSignature"),
            ("Basic abc", "IncompleteSignature"),
            (good.replace("/ec2/", "/s3/"), "IncompleteSignature"),
            (good.replace("aws4_request", "aws5_request"), "IncompleteSignature"),
            (good.replace("host;", ""), "IncompleteSignature"),
            (good.replace("content-type;host", "host;content-type"), "IncompleteSignature"),
            (good.replace("host;", "host;made-up;"), "IncompleteSignature"),
            (good.replace("Signature=", "Signature=\u00e9"), "AuthFailure"),
        ):
            changed = {name: each for name, each in headers.items() if name != "Authorization"}
            if value is not None:
                changed["Authorization"] = value
            self.assertEqual(self.code(changed, body), code, value)
        for moment in ("", "yesterday", "20260101T000000Z"):
            changed = {**headers, "X-Amz-Date": moment}
            self.assertEqual(self.code(changed, body), "IncompleteSignature")

    def test_clock(self) -> None:
        """A request whose time differs by more than the bound is refused, before and after."""
        headers, body = self.signed()
        for seconds, code in ((290, "200"), (20, "RequestExpired"), (-620, "RequestExpired")):
            self.clock.advance(seconds)
            self.assertEqual(self.code(headers, body), code)

    def test_secret(self) -> None:
        """The secret is in no repr."""
        self.assertNotIn(SECRET, repr(self.context.ec2))
        self.assertNotIn(SECRET, repr(self.context.keys.find(KEY, None)))
        made = self.context.keys.temporary(9e9)
        self.assertNotIn(made.secret_access_key, repr(made))
        self.assertNotIn(made.session_token, repr(made))


class TemporaryKeyTests(EC2Case):
    """Tests of temporary credentials."""

    def test_use(self) -> None:
        """Temporary credentials are valid until their end, with their own token only."""
        made = self.context.keys.temporary(self.clock.seconds() + 100)
        other = self.context.keys.temporary(self.clock.seconds() + 100)
        right = (made.access_key_id, made.secret_access_key, made.session_token)
        self.credentials = Credentials(*right)
        self.call("DescribeRegions")
        late = made.session_token.replace(made.session_token.partition(".")[0], "9999999999")
        for index, wrong in ((1, "x"), (2, other.session_token), (2, None), (2, late), (2, "")):
            parts: list[Any] = list(right)
            parts[index] = wrong
            self.credentials = Credentials(*parts)
            self.refused("AuthFailure", "DescribeRegions")
        self.credentials = Credentials(*right)
        self.clock.advance(101)
        self.refused("RequestExpired", "DescribeRegions")
        self.refused("ExpiredToken", "GetCallerIdentity", service="sts")


class SecurityTokenTests(EC2Case):
    """Tests of the Security Token Service."""

    def test_identity(self) -> None:
        """The one user's identity."""
        got = self.call("GetCallerIdentity", "sts")
        self.assertEqual(got["Account"], "000000000000")

    def test_refused(self) -> None:
        """The service's own codes."""
        for credentials, code in (
            (Credentials(KEY, "x"), "SignatureDoesNotMatch"),
            (Credentials("AKIAOTHER", "x"), "InvalidClientTokenId"),
        ):
            self.credentials = credentials
            self.refused(code, "GetCallerIdentity", "sts")

    def test_other_service(self) -> None:
        """A signature is for one service."""
        request = codec.request_for(
            "ec2",
            "DescribeRegions",
            BASE_URL + "/",
            "txstorage-1",
            self.credentials,
            {},
            signed_for="sts",
        )
        status, body = self.exchange("POST", request.url, headers_of(request), request.body)
        self.assertEqual(status, 400)
        self.assertIn(b"<Code>InvalidAction</Code>", body)

    def test_web_identity(self) -> None:
        """Temporary credentials for a web identity, without a signature."""
        asked = {
            "RoleArn": "arn:aws:iam::000000000000:role/r",
            "RoleSessionName": "session",
            "WebIdentityToken": SECRET,
        }
        self.credentials = None
        got = self.call("AssumeRoleWithWebIdentity", "sts", **asked)["Credentials"]
        self.assertEqual(got["Expiration"].timestamp(), int(self.clock.seconds() + 3600))
        wrong = {**asked, "WebIdentityToken": "wrong"}
        self.refused("InvalidIdentityToken", "AssumeRoleWithWebIdentity", "sts", **wrong)
        short = {**asked, "DurationSeconds": 899}
        self.refused("InvalidParameterValue", "AssumeRoleWithWebIdentity", "sts", **short)
        self.credentials = Credentials(
            got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"]
        )
        self.call("DescribeRegions")
