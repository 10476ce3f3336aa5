"""
The services beside an instance or a container that hand out access keys.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import maybeDeferred
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds.ec2.credentials import InstanceMetadata
from txstorage.clouds.ec2.credentials.container import ContainerKeys
from txstorage.clouds.ec2.credentials.metadata import InstanceKeys
from txstorage.errors import CredentialsUnavailable, ResponseLost, ServiceBroken

from ...helpers.wire import HANG, Answer, Wire

KEYS = {
    u"Code": u"Success",
    u"AccessKeyId": u"AKID",
    u"SecretAccessKey": u"s3cret",
    u"Token": u"t0ken",
    u"Expiration": u"2026-11-22T17:27:04Z",
}
DATE = {"Date": "Sun, 22 Nov 2026 16:27:04 GMT"}
TOKEN = Answer(200, b"imds-1")
ROLE = Answer(200, b"storage-role")
ROLES = u"/latest/meta-data/iam/security-credentials/"


class InstanceTests(SynchronousTestCase):
    """The metadata service of an instance."""

    def metadata(self, *script):
        """A metadata service that answers from a script."""
        self.wire = Wire(*script, timeout=2.0)
        return InstanceMetadata(self.wire.clock, self.wire.http)

    def keys(self, *script):
        """The keys of the instance's role."""
        return InstanceKeys(self.metadata(*script), {}).keys()

    def test_keys(self):
        """A token, then the role's name, then its keys, with their lifetime."""
        keys = self.successResultOf(self.keys(TOKEN, ROLE, Answer(200, KEYS, DATE)))
        self.assertEqual((u"AKID", u"s3cret", u"t0ken"), (keys.access_key,) + keys.secrets)
        self.assertEqual(3600.0, keys.lifetime)
        self.assertEqual(
            [
                u"PUT /latest/api/token",
                u"GET " + ROLES,
                u"GET " + ROLES + u"storage-role",
            ],
            self.wire.service.targets(),
        )
        put, first, second = self.wire.service.seen
        self.assertEqual(u"21600", put.header(u"x-aws-ec2-metadata-token-ttl-seconds"))
        for seen in (first, second):
            self.assertEqual(u"imds-1", seen.header(u"x-aws-ec2-metadata-token"))

    def test_token_is_kept(self):
        """A token serves until shortly before its end."""
        metadata = self.metadata(TOKEN, Answer(200, b"a"), Answer(200, b"b"), TOKEN, ROLE)
        for expected in (b"a", b"b"):
            self.assertEqual(expected, self.successResultOf(metadata.get(u"/x")).body)
        self.wire.clock.advance(21301)
        self.successResultOf(metadata.get(u"/x"))
        methods = [seen.method for seen in self.wire.service.seen]
        self.assertEqual([u"PUT", u"GET", u"GET", u"PUT", u"GET"], methods)

    def test_token_is_refused(self):
        """A token that is no longer valid is replaced once."""
        script = [TOKEN, Answer(401, b""), Answer(200, b"imds-2"), Answer(200, b"a")]
        metadata = self.metadata(*script)
        self.assertEqual(b"a", self.successResultOf(metadata.get(u"/x")).body)
        last = self.wire.service.seen[-1]
        self.assertEqual(u"imds-2", last.header(u"x-aws-ec2-metadata-token"))
        metadata = self.metadata(TOKEN, Answer(401, b""), TOKEN, Answer(401, b""))
        self.failureResultOf(metadata.get(u"/x"), CredentialsUnavailable)

    def test_missing(self):
        """An entry that the instance does not have is ``None``."""
        metadata = self.metadata(TOKEN, Answer(404, b"no"))
        self.assertIs(None, self.successResultOf(metadata.get(u"/x")))

    def test_no_role(self):
        """An instance without a role has no keys, and the error names the solution."""
        for answer in (Answer(404, b"no"), Answer(200, b"")):
            error = self.failureResultOf(self.keys(TOKEN, answer), CredentialsUnavailable).value
            self.assertIn(u"no IAM role", error.message)
            self.assertIn(u"attach an IAM role", error.remedy)

    def test_hop_limit(self):
        """An answer that does not arrive may need another hop."""
        d = self.keys(HANG, HANG, HANG)
        self.wire.clock.pump([2.0, 0.5, 2.0, 1.0, 2.0])
        error = self.failureResultOf(d, CredentialsUnavailable).value
        self.assertIn(u"--http-put-response-hop-limit 2", error.remedy)

    def test_disabled(self):
        """A service that is switched off says so; the environment can do the same."""
        error = self.failureResultOf(self.keys(Answer(403, b"")), CredentialsUnavailable).value
        self.assertIn(u"--http-endpoint enabled", error.remedy)
        source = InstanceKeys(self.metadata(), {u"AWS_EC2_METADATA_DISABLED": u"TRUE"})
        self.assertIs(None, self.successResultOf(source.keys()))

    def test_failed(self):
        """The service's own reason is reported, and malformed keys are refused."""
        reason = {u"Code": u"AssumeRoleUnauthorizedAccess", u"Message": u"EC2 cannot assume it"}
        for body, part in [
            (reason, u"EC2 cannot assume it"),
            (dict(KEYS, SecretAccessKey=u""), u"secret access key is missing"),
            (b"<html>", u"access key's id is missing"),
            (b"[" * 50000, u"access key's id is missing"),
            (b"x" * 70000, u"HTTP 200"),
        ]:
            d = self.keys(TOKEN, ROLE, Answer(200, body, DATE))
            error = self.failureResultOf(d, CredentialsUnavailable).value
            self.assertIn(part, error.message)
            self.assertNotIn(u"s3cret", error.message)

    def test_broken(self):
        """A failure of the service passes."""
        self.failureResultOf(self.keys(TOKEN, Answer(500, b"")), ServiceBroken)


class ContainerTests(SynchronousTestCase):
    """The service of ECS and EKS."""

    def keys(self, environ, *script):
        """The container's keys."""
        self.wire = Wire(*script)
        return maybeDeferred(ContainerKeys(self.wire.http, environ).keys)

    def test_absent(self):
        """Without a variable there is no such service."""
        self.assertIs(None, self.successResultOf(self.keys({})))

    def test_relative(self):
        """ECS's own address is asked for a path."""
        environ = {u"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": u"/v2/credentials/1"}
        wire = dict(KEYS)
        del wire[u"Code"]
        keys = self.successResultOf(self.keys(environ, Answer(200, wire, DATE)))
        self.assertEqual((u"AKID", 3600.0), (keys.access_key, keys.lifetime))
        [seen] = self.wire.service.seen
        self.assertEqual(u"GET /v2/credentials/1", self.wire.service.targets()[0])
        self.assertEqual(u"169.254.170.2", seen.header(u"host"))
        self.assertIs(None, seen.header(u"authorization"))

    def test_token_file(self):
        """The token is read again each time."""
        path = FilePath(self.mktemp())
        environ = {
            u"AWS_CONTAINER_CREDENTIALS_FULL_URI": u"http://169.254.170.23/v1/credentials",
            u"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path.path,
        }
        self.wire = Wire(*[Answer(200, KEYS, DATE)] * 2)
        source = ContainerKeys(self.wire.http, environ)
        for token in (b"one\n", b"two"):
            path.setContent(token)
            self.successResultOf(source.keys())
        sent = [seen.header(u"authorization") for seen in self.wire.service.seen]
        self.assertEqual([u"one", u"two"], sent)

    def test_token_file_is_unusable(self):
        """A token file that is missing, empty or no token names itself."""
        path = FilePath(self.mktemp())
        environ = {
            u"AWS_CONTAINER_CREDENTIALS_FULL_URI": u"http://127.0.0.1/",
            u"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path.path,
        }
        for content in (None, b"", b"a\r\nX-Other: b"):
            if content is not None:
                path.setContent(content)
            error = self.failureResultOf(self.keys(environ), CredentialsUnavailable).value
            self.assertIn(path.path, error.message)

    def test_addresses(self):
        """Keys never come from a remote host without TLS."""
        for name, value in [
            (u"AWS_CONTAINER_CREDENTIALS_FULL_URI", u"http://evil.example/"),
            (u"AWS_CONTAINER_CREDENTIALS_FULL_URI", u"http://169.254.170.2@evil.example/"),
            (u"AWS_CONTAINER_CREDENTIALS_FULL_URI", u"file:///etc/passwd"),
            (u"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", u"@evil.example/"),
        ]:
            d = self.keys({name: value})
            error = self.failureResultOf(d, CredentialsUnavailable).value
            self.assertIn(name, error.message)
        for url in (u"https://keys.example/", u"http://localhost:51679/c", u"http://[::1]/"):
            environ = {u"AWS_CONTAINER_CREDENTIALS_FULL_URI": url}
            self.successResultOf(self.keys(environ, Answer(200, KEYS, DATE)))

    def test_fails(self):
        """A refusal is an error of the credentials, and a lost answer one of the network."""
        environ = {u"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": u"/c"}
        d = self.keys(environ, Answer(403, b"denied"))
        self.assertIn(u"denied", self.failureResultOf(d, CredentialsUnavailable).value.message)
        d = self.keys(environ, HANG, HANG, HANG)
        self.wire.clock.pump([30.0, 0.5, 30.0, 1.0, 30.0])
        self.failureResultOf(d, ResponseLost)
