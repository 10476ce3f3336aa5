"""Tests of the Instance Metadata Service."""

from __future__ import annotations

import json

from botocore.credentials import Credentials
from treq.testing import StubTreq

from txstorage.embedded.apis.ec2.imds import MetadataService, NodeMetadata

from .support import ZONE, EC2Case

URL = "http://node.example"
TTL = "X-aws-ec2-metadata-token-ttl-seconds"


class MetadataTests(EC2Case):
    """Tests of one node's metadata."""

    def setUp(self) -> None:
        super().setUp()
        server = self.cloud.store.servers.find(self.cloud.nodes["node-2"])
        assert server is not None
        service = MetadataService(NodeMetadata(server, self.context), self.clock.seconds)
        self.treq = StubTreq(service)

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, str]:
        """Return the status and the body of an answer."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        status, body = self.exchange(method, URL + path, sent, None)
        return status, body.decode("utf-8")

    def token(self, seconds: str = "60") -> str:
        """Begin a session."""
        status, body = self.exchange("PUT", URL + "/latest/api/token", {TTL: seconds}, None)
        self.assertEqual(status, 200)
        return body.decode("ascii")

    def get(self, path: str) -> str:
        """Return a document."""
        status, body = self.ask("GET", path, X_aws_ec2_metadata_token=self.token())
        self.assertEqual(status, 200, path)
        return body

    def test_documents(self) -> None:
        """The documents that clients read."""
        for path, expected in (
            ("/latest/meta-data/instance-id", self.node("node-2")),
            ("/latest/meta-data/placement/availability-zone", ZONE),
            ("/latest/meta-data/placement/region", "txstorage-1"),
            ("/2021-07-15/meta-data/hostname", "node-2"),
            ("/latest/meta-data/placement/", "availability-zone\nregion"),
            ("/latest/meta-data/iam", "security-credentials/"),
            ("/latest/meta-data/iam/security-credentials/", "txstorage"),
            ("/latest", "dynamic/\nmeta-data/"),
        ):
            self.assertEqual(self.get(path), expected)
        document = json.loads(self.get("/latest/dynamic/instance-identity/document"))
        self.assertEqual(document["instanceId"], self.node("node-2"))
        self.assertEqual((document["region"], document["availabilityZone"]), ("txstorage-1", ZONE))

    def test_credentials(self) -> None:
        """The credentials of a node are accepted by EC2."""
        found = json.loads(self.get("/latest/meta-data/iam/security-credentials/txstorage"))
        self.assertEqual(found["Code"], "Success")
        self.assertEqual(found["Expiration"], "1970-01-01T06:16:40Z")
        self.use(self.cloud)
        self.credentials = Credentials(
            found["AccessKeyId"], found["SecretAccessKey"], found["Token"]
        )
        self.call("DescribeRegions")

    def test_session(self) -> None:
        """Without a valid token nothing is answered; a token has an end."""
        path, token = "/latest/meta-data/instance-id", self.token("60")
        self.assertEqual(self.ask("GET", path)[0], 401)
        late = "9" + token
        for wrong in ("", "x", token[:-1], late, "\u00b2.x", "1." + token.partition(".")[2]):
            self.assertEqual(self.ask("GET", path, X_aws_ec2_metadata_token=wrong)[0], 401, wrong)
        self.assertEqual(self.ask("GET", path, X_aws_ec2_metadata_token=token)[0], 200)
        self.clock.advance(61)
        self.assertEqual(self.ask("GET", path, X_aws_ec2_metadata_token=token)[0], 401)

    def test_token_requests(self) -> None:
        """A token is given for a PUT with a lifetime only, and not through a proxy."""
        path = "/latest/api/token"
        for seconds in ("", "0", "21601", "-1", "x", "9" * 30):
            given = {"X_aws_ec2_metadata_token_ttl_seconds": seconds} if seconds else {}
            self.assertEqual(self.ask("PUT", path, **given)[0], 400, seconds)
        given = {"X_aws_ec2_metadata_token_ttl_seconds": "60"}
        self.assertEqual(self.ask("PUT", path, X_Forwarded_For="1.2.3.4", **given)[0], 403)
        self.assertEqual(self.ask("POST", path, **given)[0], 405)
        self.assertEqual(self.ask("GET", path, **given)[0], 405)

    def test_missing(self) -> None:
        """An unknown document is not found."""
        for path in ("/latest/user-data", "/latest/meta-data/instance-id/x", "/nowhere/meta-data"):
            got = self.ask("GET", path, X_aws_ec2_metadata_token=self.token())
            self.assertEqual(got[0], 404, path)
        self.assertEqual(self.ask("DELETE", "/latest/meta-data/")[0], 405)
