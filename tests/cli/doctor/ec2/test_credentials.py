"""
Tests for ``txstorage.cli.doctor.ec2.credentials``.
"""

from __future__ import annotations

import functools
import json
import os
import time
from typing import Any
from unittest import mock

from treq.testing import RequestTraversalAgent
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from txstorage._assembly import ec2 as assembly
from txstorage._assembly import sts_session, volume_service
from txstorage._configuration.configuration import Configuration
from txstorage._http.client import HTTPClient
from txstorage.cli.doctor.ec2.credentials import clock_finding
from txstorage.cli.doctor.state import CheckWarning
from txstorage.clouds.ec2.session import EC2Session
from txstorage.embedded.apis.ec2.imds import MetadataService, NodeMetadata
from txstorage.embedded.testing import BASE_URL

from .support import KEY, SECRET, EC2DoctorTestCase

_NONE = {"access_key_id": None, "secret_access_key": None}
_ROLE = "arn:aws:iam::000000000000:role/flocker"
#: The steps that need credentials.
NEEDING = ("permissions", "zone", "clock", "instance id", "instance", "attachments", "list volumes")


class SourceTests(EC2DoctorTestCase):
    """The step shows where the credentials come from, and whose they are."""

    def environment(self, **variables: str) -> None:
        """Set the environment."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.patch(os, "environ", {**kept, "AWS_EC2_METADATA_DISABLED": "true", **variables})

    def file_of(self, content: str) -> str:
        """Return the path of a file with a content."""
        path = os.path.abspath(self.mktemp())
        with open(path, "w") as opened:
            opened.write(content)
        return path

    def metadata(self, resource: Resource) -> None:
        """Let a resource answer at the addresses of metadata services."""
        agent = RequestTraversalAgent(resource)
        flush = self.agent.flush
        self.patch(self.agent, "flush", lambda: (flush(), agent.flush()))
        self.patch(
            assembly, "_metadata_client", lambda reactor: HTTPClient(reactor, agent, timeout=5.0)
        )

    def assert_found(self, *words: str) -> None:
        """Check that the step finds credentials, and what it shows of them."""
        outcome, detail, _ = self.finding("credentials")
        self.assertEqual(outcome, "ok", detail)
        for word in words:
            self.assertIn(word, detail)

    def test_configuration(self) -> None:
        """The configuration's own key is the user's."""
        self.assert_found(
            f"the configuration's access_key_id: access key {KEY}; ",
            "arn:aws:iam::000000000000:user/txstorage, account 000000000000",
        )

    def test_environment(self) -> None:
        """The variables of the environment."""
        self.environment(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
        self.write_config(**_NONE)
        self.assert_found("the environment's AWS_ACCESS_KEY_ID: access key " + KEY)

    def test_files(self) -> None:
        """A profile, with the one of the two files that has its key."""
        keys = f"aws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
        with_keys = self.file_of("[mine]\n" + keys)
        empty = self.file_of("[profile mine]\nregion = eu-central-1\n")
        self.write_config(aws_profile="mine", **_NONE)
        self.environment(AWS_SHARED_CREDENTIALS_FILE=with_keys, AWS_CONFIG_FILE=empty)
        self.assert_found(f"the profile 'mine' in {with_keys}: access key {KEY}")
        with_keys = self.file_of("[profile mine]\n" + keys)
        empty = self.file_of("[mine]\n")
        self.environment(AWS_SHARED_CREDENTIALS_FILE=empty, AWS_CONFIG_FILE=with_keys)
        self.assert_found(f"the profile 'mine' in {with_keys}: access key {KEY}")

    def test_web_identity(self) -> None:
        """A web identity, whose token is not shown."""
        token = self.file_of(SECRET)
        self.write_config(**_NONE)
        self.environment(
            AWS_WEB_IDENTITY_TOKEN_FILE=token,
            AWS_ROLE_ARN=_ROLE,
            AWS_ENDPOINT_URL_STS=BASE_URL + "/",
        )
        self.assert_found(
            f"the role {_ROLE}, by the web identity in {token}, for 60 minutes: access key ASIA"
        )

    def test_container(self) -> None:
        """The service beside a container."""
        made = self.context.keys.temporary(self.clock.seconds() + 9000.0)
        document = {
            "AccessKeyId": made.access_key_id,
            "SecretAccessKey": made.secret_access_key,
            "Token": made.session_token,
        }

        class Keys(Resource):
            """Hands out the keys."""

            isLeaf = True

            def render_GET(self, request: Any) -> bytes:
                """Answer."""
                return json.dumps(document).encode("ascii")

        self.metadata(Keys())
        self.write_config(**_NONE)
        self.environment(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1/keys")
        self.assert_found("the container's credential service: access key ASIA")

    def test_instance(self) -> None:
        """The instance's role."""
        server = self.context.store.servers.every()[0]
        self.metadata(MetadataService(NodeMetadata(server, self.context), self.context.now))
        self.write_config(**_NONE)
        self.environment(AWS_EC2_METADATA_DISABLED="false")
        self.assert_found("the instance's role txstorage")

    def test_none(self) -> None:
        """Without credentials, every source is named, and the steps that need them are skipped."""
        self.environment(AWS_SHARED_CREDENTIALS_FILE="/none", AWS_CONFIG_FILE="/none")
        self.write_config(**_NONE)
        found = self.diagnose(1)
        self.assertEqual(found["credentials"]["outcome"], "fail")
        for source in ("environment", "web identity", "files", "container", "instance"):
            self.assertIn(source + ": ", found["credentials"]["detail"])
        self.assertIn("attach an IAM role", found["credentials"]["remedy"])
        for name in NEEDING:
            self.assertEqual(found[name]["outcome"], "skipped", name)


class RefusedTests(EC2DoctorTestCase):
    """Each reason for which credentials are refused has its own remedy."""

    def assert_refused(self, code: str, remedy: str) -> None:
        """Check that the step fails with a code and a remedy."""
        outcome, detail, found = self.finding("credentials", exit_code=1)
        self.assertEqual(outcome, "fail", detail)
        self.assertIn("the configuration's access_key_id", detail)
        self.assertIn(f"GetCallerIdentity: {code}: ", detail)
        self.assertIn(remedy, found)

    def test_unknown(self) -> None:
        """An unknown key."""
        self.write_config(access_key_id="AKIAIOSFODNN7EXAMPLE")
        self.assert_refused("InvalidClientTokenId", "the key may be deleted or inactive")

    def test_wrong_secret(self) -> None:
        """Another key's secret, which is not shown."""
        self.write_config(secret_access_key="b" * 40)
        self.assert_refused("SignatureDoesNotMatch", "check the secret access key")
        self.assertNotIn("b" * 40, json.dumps(self.diagnose(1)))

    def test_ended(self) -> None:
        """Temporary keys that have ended."""
        made = self.context.keys.temporary(self.clock.seconds() - 9.0)
        self.write_config(
            access_key_id=made.access_key_id,
            secret_access_key=made.secret_access_key,
            session_token=made.session_token,
        )
        self.assert_refused("ExpiredToken", "replace the temporary access key")

    def test_clock(self) -> None:
        """A service that refuses the time although its clock is the same."""
        self.start_cloud(clock_skew=-1.0)
        self.assert_refused("RequestExpired", "set this machine's clock")

    def test_no_token_service(self) -> None:
        """Without the Security Token Service, EC2 itself shows that the keys are valid."""
        with mock.patch.dict(
            "txstorage.embedded.apis.ec2.face.ACTIONS", {"GetCallerIdentity": ("sts", _broken)}
        ):
            outcome, detail, _ = self.finding("credentials")
        self.assertEqual(outcome, "ok", detail)
        self.assertIn("whose they are is not known: ", detail)
        self.flushLoggedErrors(RuntimeError)


def _broken(call: object) -> Any:
    raise RuntimeError("boom")


class ClockTests(EC2DoctorTestCase):
    """The step that compares the clocks."""

    def test_slow(self) -> None:
        """A clock that EC2's requests are corrected for is a warning."""
        slow = functools.partial(EC2Session, wall_clock=lambda: time.time() - 500.0)
        self.patch(assembly, "EC2Session", slow)
        outcome, detail, remedy = self.finding("clock")
        self.assertEqual(outcome, "warning")
        self.assertRegex(detail, "clock is (499|500|501) seconds behind EC2's")
        self.assertIn("chrony", remedy)

    def test_right(self) -> None:
        """This machine's clock is that of a service on this machine."""
        self.assertEqual(self.finding("clock")[:2], ("ok", "within 60 seconds of EC2's"))


class ClockFindingTests(SynchronousTestCase):
    """The judgement of a difference."""

    def test_direction(self) -> None:
        """The difference has a direction, and a limit."""
        for ahead in (-60.0, 0.0, 60.0):
            self.assertIn("within", clock_finding(ahead))
        for ahead, words in ((-61.0, "61 seconds behind"), (3600.0, "3600 seconds ahead of")):
            warning = self.assertRaises(CheckWarning, clock_finding, ahead)
            self.assertIn(words, warning.message)


class SecurityTokenServiceTests(SynchronousTestCase):
    """The address of the Security Token Service."""

    def endpoint(self, **keys: Any) -> str:
        """Return the address for a configuration."""
        configuration = Configuration.from_mapping(
            {
                "region": "eu-central-1",
                "zone": "eu-central-1a",
                "access_key_id": KEY,
                "secret_access_key": SECRET,
                **keys,
            },
            {},
        )
        service: Any = volume_service(Clock(), configuration, agent=object())
        return sts_session(configuration, service.session).endpoint

    def test_address(self) -> None:
        """It is the region's, a variable's, or that of a service which is not Amazon's."""
        regional = "https://sts.eu-central-1.amazonaws.com"
        vpc = "https://vpce-1.ec2.eu-central-1.vpce.amazonaws.com"
        self.patch(os, "environ", {})
        self.assertEqual(self.endpoint(), regional)
        self.assertEqual(self.endpoint(ec2_endpoint=vpc), regional)
        self.assertEqual(self.endpoint(ec2_endpoint="http://127.0.0.1:1"), "http://127.0.0.1:1")
        self.patch(os, "environ", {"AWS_ENDPOINT_URL_STS": "https://sts.example/"})
        for endpoint in (None, vpc, "http://127.0.0.1:1"):
            found = self.endpoint(**({} if endpoint is None else {"ec2_endpoint": endpoint}))
            self.assertEqual(found, "https://sts.example")
