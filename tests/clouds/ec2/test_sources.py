"""
Access keys in the environment and in files, for web identities, and the order of the sources.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import fail, maybeDeferred, succeed
from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds.ec2.credentials import AccessKeys, KeyChain, default_chain
from txstorage.clouds.ec2.credentials.environment import EnvironmentKeys
from txstorage.clouds.ec2.credentials.files import FileKeys
from txstorage.clouds.ec2.credentials.web_identity import WebIdentity
from txstorage.errors import (
    CredentialsUnavailable,
    NotTheService,
    RateLimited,
    ServiceBroken,
)

from ...helpers.wire import Answer, Wire
from .support import form_of

STATIC = {
    u"AWS_ACCESS_KEY_ID": u"AKID",
    u"AWS_SECRET_ACCESS_KEY": u"s3cret",
    u"AWS_SESSION_TOKEN": u"t0ken",
}


class EnvironmentTests(SynchronousTestCase):
    """Variables."""

    def test_keys(self):
        """Keys, with or without a session token."""
        keys = self.successResultOf(EnvironmentKeys(STATIC).keys())
        self.assertEqual(AccessKeys(u"AKID", u"s3cret", u"t0ken"), keys)
        keys = self.successResultOf(EnvironmentKeys(dict(STATIC, AWS_SESSION_TOKEN=u"")).keys())
        self.assertIs(None, keys.token)

    def test_absent(self):
        """A missing key is not an error."""
        for environ in ({}, {u"AWS_ACCESS_KEY_ID": u""}):
            self.assertIs(None, self.successResultOf(EnvironmentKeys(environ).keys()))

    def test_half(self):
        """A key without its secret is an error, which has no secret."""
        source = EnvironmentKeys({u"AWS_ACCESS_KEY_ID": u"AKID"})
        error = self.assertRaises(CredentialsUnavailable, source.keys)
        self.assertIn(u"secret access key is missing", error.message)


class FileTests(SynchronousTestCase):
    """The shared files."""

    def setUp(self):
        """Files that do not exist yet."""
        self.credentials, self.config = FilePath(self.mktemp()), FilePath(self.mktemp())
        self.environ = {
            u"AWS_SHARED_CREDENTIALS_FILE": self.credentials.path,
            u"AWS_CONFIG_FILE": self.config.path,
        }
        self.assumed = []

    def assume(self, *arguments):
        """Assume a role."""
        self.assumed.append(arguments)
        return succeed(AccessKeys(u"ROLE", u"s"))

    def keys(self, profile=None, **environ):
        """The keys of a profile."""
        source = FileKeys(dict(self.environ, **environ), self.assume, profile)
        return maybeDeferred(source.keys)

    def test_profiles(self):
        """The configured profile counts, then that of the environment, then the default."""
        self.credentials.setContent(
            b"[default]\naws_access_key_id = D\naws_secret_access_key = s\n"
            b"[one]\naws_access_key_id = O\naws_secret_access_key = s\naws_session_token = t\n"
        )
        self.config.setContent(
            b"[profile two]\naws_access_key_id = T\naws_secret_access_key = s\n"
            b"[profile one]\naws_access_key_id = X\n[profile evil]\ns3 =\n  a = b\n"
        )
        for profile, environ, expected in [
            (None, {}, u"D"),
            (None, {"AWS_PROFILE": u"one"}, u"O"),
            (None, {"AWS_DEFAULT_PROFILE": u"one"}, u"O"),
            (u"two", {"AWS_PROFILE": u"one"}, u"T"),
        ]:
            keys = self.successResultOf(self.keys(profile, **environ))
            self.assertEqual(expected, keys.access_key)
        self.assertEqual(u"t", self.successResultOf(self.keys(u"one")).token)
        self.assertIs(None, self.successResultOf(self.keys(u"evil")))

    def test_absent(self):
        """Without files there are no keys; a profile that was chosen must exist."""
        self.assertIs(None, self.successResultOf(self.keys()))
        error = self.failureResultOf(self.keys(u"one"), CredentialsUnavailable).value
        self.assertIn(self.credentials.path, error.message)

    def test_read_again(self):
        """Changed keys come into use."""
        source = FileKeys(self.environ, self.assume)
        for name in (b"A", b"B"):
            self.credentials.setContent(
                b"[default]\naws_access_key_id=" + name + b"\naws_secret_access_key=s\n"
            )
            keys = self.successResultOf(source.keys())
            self.assertEqual(name.decode("ascii"), keys.access_key)

    def test_invalid(self):
        """A broken file and a half profile are errors without the secrets in them."""
        for content in (
            b"aws_secret_access_key = s3cret\n",
            b"[default]\naws_secret_access_key s3cret\n",
            b"[default]\naws_access_key_id = A\n",
            b"[default]\naws_access_key_id = A\naws_secret_access_key = s3cret x\n",
        ):
            self.credentials.setContent(content)
            error = self.failureResultOf(self.keys(), CredentialsUnavailable).value
            self.assertIn(self.credentials.path, error.message)
            self.assertNotIn(u"s3cret", str(error))

    def test_too_large(self):
        """A file of any size takes no memory."""
        self.credentials.setContent(b"#" * (1024 * 1024 + 1))
        self.failureResultOf(self.keys(), CredentialsUnavailable)

    def test_web_identity(self):
        """A profile may name a role and the file of a token."""
        self.config.setContent(
            b"[profile one]\nrole_arn = arn:r\nweb_identity_token_file = /t\n"
            b"role_session_name = n\n"
        )
        self.assertEqual(u"ROLE", self.successResultOf(self.keys(u"one")).access_key)
        self.assertEqual([(u"arn:r", u"/t", u"n")], self.assumed)

    def test_unsupported(self):
        """A profile that needs another program is refused by name."""
        for key in (b"credential_process", b"sso_session", b"source_profile"):
            self.config.setContent(b"[default]\n" + key + b" = x\n")
            error = self.failureResultOf(self.keys(), CredentialsUnavailable).value
            self.assertIn(key.decode("ascii"), error.message)
            self.assertIn(u"export-credentials", error.remedy)


ASSUMED = (
    u'<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    u"<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKID</AccessKeyId>"
    u"<SecretAccessKey>s3cret</SecretAccessKey><SessionToken>t0ken</SessionToken>"
    u"<Expiration>2026-11-22T17:27:04Z</Expiration></Credentials>"
    u"</AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>r</RequestId>"
    u"</ResponseMetadata></AssumeRoleWithWebIdentityResponse>"
).encode("ascii")
DATE = {"Date": "Sun, 22 Nov 2026 16:27:04 GMT"}


def sts_error(code, status=400, message=u"no"):
    """An error of the Security Token Service."""
    text = (
        u'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
        u"<Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>"
        u"<RequestId>r</RequestId></ErrorResponse>"
    )
    return Answer(status, text.format(code, message).encode("ascii"))


class WebIdentityTests(SynchronousTestCase):
    """The exchange of a token for keys."""

    def setUp(self):
        """A token file."""
        self.path = FilePath(self.mktemp())
        self.path.setContent(b"web-t0ken\n")
        self.environ = {
            u"AWS_WEB_IDENTITY_TOKEN_FILE": self.path.path,
            u"AWS_ROLE_ARN": u"arn:aws:iam::1:role/r",
        }

    def keys(self, *script, **changes):
        """The role's keys."""
        self.wire = Wire(*script)
        environ = dict(self.environ, **changes)
        source = WebIdentity(self.wire.http, u"eu-central-1", environ, u"http://sts.example")
        return maybeDeferred(source.keys)

    def test_keys(self):
        """The token goes to the region's service, and keys with a lifetime come back."""
        keys = self.successResultOf(self.keys(Answer(200, ASSUMED, DATE)))
        self.assertEqual(AccessKeys(u"AKID", u"s3cret", u"t0ken", 3600.0), keys)
        [seen] = self.wire.service.seen
        self.assertEqual(
            {
                u"Action": u"AssumeRoleWithWebIdentity",
                u"RoleArn": u"arn:aws:iam::1:role/r",
                u"RoleSessionName": u"txstorage",
                u"WebIdentityToken": u"web-t0ken",
            },
            form_of(seen),
        )
        self.assertIs(None, seen.header(u"authorization"))
        self.assertIn(u"form-urlencoded", seen.header(u"content-type"))

    def test_absent(self):
        """Without a token file there is none; with one, there must be a role."""
        found = self.keys(AWS_WEB_IDENTITY_TOKEN_FILE=u"")
        self.assertIs(None, self.successResultOf(found))
        self.failureResultOf(self.keys(AWS_ROLE_ARN=u""), CredentialsUnavailable)

    def test_errors(self):
        """Errors that pass differ in kind from those that don't, and none has the token."""
        for answer, kind in [
            (sts_error(u"InvalidIdentityToken", message=u"bad web-t0ken"), CredentialsUnavailable),
            (sts_error(u"AccessDenied", 403), CredentialsUnavailable),
            (sts_error(u"Throttling"), RateLimited),
            (sts_error(u"IDPCommunicationError"), ServiceBroken),
            (sts_error(u"InternalFailure", 500), ServiceBroken),
            (Answer(503, b"<html>"), ServiceBroken),
            (Answer(200, b"<html>"), NotTheService),
            (Answer(200, ASSUMED.replace(b"AKID", b"")), NotTheService),
        ]:
            error = self.failureResultOf(self.keys(answer), kind).value
            self.assertNotIn(u"web-t0ken", error.message)


class Absent(object):
    """A source without keys."""

    absent = u"nothing"

    def keys(self):
        """Return no keys."""
        return succeed(None)


class Given(Absent):
    """A source with one result."""

    def __init__(self, result):
        self.keys = lambda: result


class ChainTests(SynchronousTestCase):
    """The order of the sources."""

    def test_first_counts(self):
        """The first source that has keys counts; those behind it are not asked."""
        keys = AccessKeys(u"a", u"s")
        chain = KeyChain([(u"one", Absent()), (u"two", Given(succeed(keys))), (u"three", None)])
        self.assertEqual(keys, self.successResultOf(chain.keys()))

    def test_none(self):
        """The error names each source and its reason."""
        chain = KeyChain([(u"one", Absent()), (u"two", Absent())])
        error = self.failureResultOf(chain.keys(), CredentialsUnavailable).value
        self.assertIn(u"one: nothing; two: nothing", error.message)
        self.assertIn(u"access_key_id", error.remedy)

    def test_fails(self):
        """A source that is configured and fails is not passed over; its remedy counts."""
        broken = Given(fail(CredentialsUnavailable(u"broken", u"repair it")))
        chain = KeyChain([(u"one", Absent()), (u"two", broken), (u"three", None)])
        error = self.failureResultOf(chain.keys(), CredentialsUnavailable).value
        self.assertIn(u"one: nothing; two: broken", error.message)
        self.assertEqual(u"repair it", error.remedy)

    def test_default(self):
        """The environment comes first, and the instance last."""
        nowhere = {
            u"AWS_SHARED_CREDENTIALS_FILE": self.mktemp(),
            u"AWS_CONFIG_FILE": self.mktemp(),
            u"AWS_EC2_METADATA_DISABLED": u"true",
        }
        chain = default_chain(Clock(), None, None, nowhere, u"eu-central-1")
        error = self.failureResultOf(chain.keys(), CredentialsUnavailable).value
        places = [u"environment:", u"web identity:", u"files:", u"container:", u"instance:"]
        found = [error.message.index(place) for place in places]
        self.assertEqual(sorted(found), found)
        chain = default_chain(Clock(), None, None, dict(nowhere, **STATIC), u"eu-central-1")
        self.assertEqual(u"AKID", self.successResultOf(chain.keys()).access_key)
