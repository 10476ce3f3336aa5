"""
Tests for ``txstorage.cli.doctor.command``, against the embedded service in memory.
"""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import yaml
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage._configuration.configuration import Configuration
from txstorage._devices.os_brick import Brick
from txstorage.cli.app import App
from txstorage.cli.docker_plugin import checking
from txstorage.cli.doctor import checks as _checks
from txstorage.cli.doctor.checks import (
    STEPS,
    CheckFailed,
    CheckWarning,
    DoctorRun,
    Skipped,
    Step,
    check_availability_zones,
    check_catalog,
    check_quota,
    check_space,
    check_tls,
    check_volume_types,
)
from txstorage.cli.doctor.command import examine
from txstorage.cli.doctor.state import OPENSTACK
from txstorage.clouds.openstack.project import Pool
from txstorage.embedded.apis import volume_views
from txstorage.embedded.settings import VOLUME_TYPES
from txstorage.errors import (
    AuthenticationFailed,
    CertificateRejected,
    PermissionDenied,
    ResourceNotFound,
    ServiceError,
)

from ...helpers.wire import certificate_for
from ..support import CLUSTER, GIB, CommandTestCase

NAMES = [step.name for step in STEPS if step.cloud in (None, OPENSTACK)]

# What a project may use.
PROJECT = ["quota", "volume types", "availability zones", "storage space"]

# What comes after the catalog.
REST = ["attaching", *PROJECT, "instance id", "list volumes", "device discovery"]


class DoctorTests(CommandTestCase):
    """The steps of ``doctor``."""

    def setUp(self) -> None:
        super().setUp()
        # The machine that the tests run on may have an engine.
        self.patch(checking, "concerns", lambda surroundings: False)

    def diagnose(self, exit_code: int) -> dict[str, Any]:
        """The findings by step."""
        document = self.document("doctor", exit_code=exit_code)
        self.assertEqual([step["name"] for step in document["steps"]], NAMES)
        self.assertEqual(document["ok"], exit_code == 0)
        return {step["name"]: step for step in document["steps"]}

    def assert_fails(self, name: str, *words: str) -> dict[str, Any]:
        """
        Check that exactly one step fails, with certain words in its detail and with a remedy.
        """
        found = self.diagnose(1)
        failed = [step for step in found if found[step]["outcome"] == "fail"]
        self.assertEqual(failed, [name])
        for word in words:
            self.assertIn(word, found[name]["detail"])
        self.assertNotEqual(found[name]["remedy"], "")
        return found

    def assert_skipped(self, found: dict[str, Any], *names: str) -> None:
        """These steps were skipped because of one that failed, and no others."""
        skipped = [name for name in NAMES if found[name]["detail"].startswith("because of")]
        self.assertEqual(skipped, list(names))

    def test_all_well(self) -> None:
        """With a valid configuration no step fails, and each step reports its finding."""
        volume = self.create()
        path = self.document("volumes", "attach", volume)["device_path"]
        found = self.diagnose(0)
        self.assertEqual(
            {name: step["outcome"] for name, step in found.items() if step["outcome"] != "ok"},
            {"TLS": "skipped", "docker": "skipped"},
        )
        for name, word in (
            ("file", self.config),
            ("keys", "auth_plugin password"),
            ("secrets", self.config),
            ("TLS", "without TLS"),
            ("authentication", "user txstorage, project txstorage; the token lives"),
            ("catalog", "block-storage: http://cloud.example/volume/v3"),
            ("attaching", "Compute attaches volumes"),
            ("quota", "1 of 1000 volumes, 1 GiB of unlimited"),
            ("cluster id", str(CLUSTER)),
            ("volume types", "__DEFAULT__, bronze, gold, silver; profiles: bronze/gold/silver: "),
            ("storage space", "txstorage@files#files: 1 GiB promised, "),
            ("availability zones", "nova; volumes are made where the cloud chooses"),
            ("instance id", self.node + ", by: configuration"),
            ("list volumes", "1 volume"),
            ("device discovery", f"{volume}: {path}"),
        ):
            self.assertIn(word, found[name]["detail"])

    def test_storage(self) -> None:
        """Without Compute the step reports that, and sends no request to Compute."""
        self.write_config(attach_through="storage", compute_endpoint=None)
        found = self.diagnose(0)
        self.assertIn("through Block Storage", found["attaching"]["detail"])
        self.assertNotIn("compute", found["catalog"]["detail"])
        self.assertEqual(found["instance id"]["outcome"], "ok")

    def test_brick(self) -> None:
        """The step also lists the possible kinds of connections."""
        self.write_config(attach_through="storage")
        for brick, words in ((None, "local devices only"), (object(), "also by iSCSI")):
            self.patch(Brick, "load", lambda: brick)
            self.assertIn(words, self.diagnose(0)["attaching"]["detail"])

    def test_table(self) -> None:
        """For people, each step is a row, with what to do where it failed."""
        self.write_config(password="wrong")
        result = self.txstorage("doctor")
        self.assertEqual(result.exit_code, 1)
        for name in NAMES:
            self.assertIn(name, result.stdout)
        self.assertIn("What to do: check the user", result.stdout)
        self.assertNotIn("wrong", result.stdout)

    def test_no_file(self) -> None:
        """Without the file nothing else can be checked."""
        os.unlink(self.config)
        found = self.assert_fails("file", self.config, "No such file")
        self.assert_skipped(found, *NAMES[1:-1])

    def test_bad_key(self) -> None:
        """A misspelt key is found before anybody is talked to."""
        self.write_config(regoin="x")
        found = self.assert_fails("keys", "regoin")
        self.assertIn("region", found["keys"]["remedy"])
        self.assert_skipped(found, *NAMES[2:-1])

    def test_file_that_others_can_read(self) -> None:
        """A secret that others can read is a failure, and hinders nothing."""
        os.chmod(self.config, 0o644)
        found = self.assert_fails("secrets", self.config)
        self.assertEqual(found["secrets"]["remedy"], "chmod 600 " + self.config)
        self.assert_skipped(found)

    def test_secret_file_that_others_can_read(self) -> None:
        """So is a password file."""
        path = os.path.abspath(self.mktemp())
        with open(path, "w") as opened:
            opened.write(self.cloud.credentials["password"])
        os.chmod(path, 0o640)
        self.write_config(password=None, password_file=path)
        os.chmod(self.config, 0o644)
        self.assert_fails("secrets", path)
        os.chmod(path, 0o600)
        self.assertEqual(self.diagnose(0)["secrets"]["detail"], path + ": only for the owner")

    def test_proxy_password_that_others_can_read(self) -> None:
        """So is an ``agent.yml`` with a proxy's password, which no step shows."""
        path = os.path.abspath(self.mktemp())
        with open(path, "w") as opened:
            opened.write(self.cloud.credentials["password"])
        os.chmod(path, 0o600)
        keys = {"password": None, "password_file": path}
        self.write_config(proxy="http://proxy.example:3128", **keys)
        os.chmod(self.config, 0o644)
        self.assertEqual(self.diagnose(0)["secrets"]["detail"], path + ": only for the owner")
        self.write_config(proxy="http://user:s3cr3t@proxy.example:3128", **keys)
        self.assertIn(
            "through the proxy http://proxy.example:3128 of the key proxy",
            self.diagnose(0)["keys"]["detail"],
        )
        os.chmod(self.config, 0o644)
        found = self.assert_fails("secrets", self.config)
        self.assertNotIn("s3cr3t", json.dumps(found))

    def test_notes(self) -> None:
        """A variable without effect is a warning that names it; the other steps continue."""
        with open(self.config) as opened:
            dataset = yaml.safe_load(opened)["dataset"]
        del dataset["backend"]
        environ = {f"TXSTORAGE_{name.upper()}": str(value) for name, value in dataset.items()}
        environ["OS_ENDPOINT"] = "http://elsewhere.example"
        result = self.invoke("--json", "doctor", environ=environ)
        self.assertEqual(result.exit_code, 0, result.output)
        found = {step["name"]: step for step in json.loads(result.stdout)["steps"]}
        self.assertEqual(found["keys"]["outcome"], "warning")
        self.assertIn("OS_ENDPOINT has no effect here", found["keys"]["detail"])
        self.assertIn("unset the variables", found["keys"]["remedy"])
        self.assertEqual(found["list volumes"]["outcome"], "ok")

    def test_cloud_that_others_can_read(self) -> None:
        """So is a ``clouds.yaml`` with a password in it, and a client certificate's key."""
        credentials = dict(self.cloud.credentials)
        auth = {
            name: credentials[name] for name in ("auth_url", "username", "password", "project_name")
        }
        path, key = os.path.abspath(self.mktemp()), os.path.abspath(self.mktemp())
        with open(path, "w") as opened:
            json.dump({"clouds": {"mine": {"auth": auth}}}, opened)
        os.chmod(path, 0o640)
        self.patch(os, "environ", {**os.environ, "OS_CLIENT_CONFIG_FILE": path})
        self.write_config(cloud="mine", **dict.fromkeys(auth))
        self.assert_fails("secrets", path)
        os.chmod(path, 0o600)
        self.assertEqual(self.diagnose(0)["secrets"]["detail"], path + ": only for the owner")
        with open(key, "wb") as opened:
            opened.write(certificate_for("client").dumpPEM())
        os.chmod(key, 0o644)
        self.write_config(cloud="mine", client_certificate=key, **dict.fromkeys(auth))
        self.assert_fails("secrets", key)

    def test_nobody_there(self) -> None:
        """An address that is not the service's is found."""
        self.write_config(auth_url="http://cloud.example/somewhere")
        found = self.assert_fails("authentication", "Identity API")
        self.assert_skipped(found, "catalog", *REST)

    def test_region(self) -> None:
        """A region that is not in the catalog is found, and what is there is shown."""
        self.write_config(region="nowhere")
        found = self.assert_fails("catalog", "nowhere", "txstorage")
        self.assert_skipped(found, *REST)

    def test_endpoint_override(self) -> None:
        """An endpoint that is configured is shown instead of the catalog's."""
        self.write_config(compute_endpoint="http://cloud.example/compute/v2.1")
        self.assertIn(
            "compute: http://cloud.example/compute/v2.1", self.diagnose(0)["catalog"]["detail"]
        )

    def test_without_compute(self) -> None:
        """With ``attach_through: storage``, Compute is not looked for."""
        self.patch(_checks, "COMPUTE_TYPES", ("no-such-service",))
        self.assert_fails("catalog", "no-such-service")
        self.write_config(attach_through="storage")
        found = self.diagnose(0)
        self.assertNotIn("compute", found["catalog"]["detail"])
        self.assertEqual(found["instance id"]["detail"], self.node + ", by: configuration")

    def test_no_cluster(self) -> None:
        """Without a cluster id, what needs none is checked all the same."""
        self.write_config(cluster_id=None)
        found = self.assert_fails("cluster id", "is missing")
        self.assert_skipped(found, "instance id", "list volumes", "device discovery")

    def test_no_node(self) -> None:
        """An instance id that Compute does not know is found."""
        self.write_config(instance_id=str(uuid4()))
        found = self.assert_fails("instance id")
        self.assert_skipped(found, "device discovery")

    def test_a_volume_without_dataset(self) -> None:
        """A volume that is of no use is counted."""
        volume = self.create()
        labels = {"flocker-cluster-id": str(CLUSTER)}
        self.cloud.store.set_metadata(volume, labels, replace=True)
        self.assert_fails("list volumes", "1 of 1 volumes can't be used")

    def test_device_that_is_missing(self) -> None:
        """A volume that is attached here without a device is found."""
        volume = self.create()
        os.unlink(self.document("volumes", "attach", volume)["device_path"])
        self.assert_fails("device discovery", volume)

    def test_quota_that_is_used_up(self) -> None:
        """A quota that leaves no room for another volume is found."""
        self.start_cloud(max_volumes=1)
        self.create()
        self.assert_fails("quota", "used up", "1 of 1 volumes")

    def test_quota_that_is_nearly_used_up(self) -> None:
        """A quota that will soon be used up is a warning, which is not a failure."""
        self.start_cloud(max_volumes=-1, max_gigabytes=10)
        for size in ("8GiB", "1GiB"):
            self.assertEqual(self.diagnose(0)["quota"]["outcome"], "ok")
            self.document("volumes", "create", size)
        found = self.diagnose(0)["quota"]
        self.assertEqual(found["outcome"], "warning")
        self.assertIn("nearly used up: 2 of unlimited volumes, 9 GiB of 10 GiB", found["detail"])
        self.assertIn("have the project's quota raised", found["remedy"])
        self.assertIn("warning", self.txstorage("doctor").stdout)

    def test_quota_whose_use_is_hidden(self) -> None:
        """The used quota is unknown to a user who may not see it."""
        real = volume_views.limits

        def hidden(*args: int) -> dict[str, Any]:
            document = real(*args)
            document["absolute"] = {
                name: value for name, value in document["absolute"].items() if "Used" not in name
            }
            return document

        self.patch(volume_views, "limits", hidden)
        self.assertEqual(
            self.diagnose(0)["quota"]["detail"], "unknown of 1000 volumes, unknown of unlimited"
        )

    def test_no_quota_at_all(self) -> None:
        """A quota of nothing is used up."""
        self.start_cloud(max_volumes=0)
        self.assert_fails("quota", "0 of 0 volumes")

    def test_profiles(self) -> None:
        """Each profile is shown with its volume type, by name or by id."""
        silver = VOLUME_TYPES["silver"]
        self.write_config(profiles={"gold": "bronze", "silver": silver, "extra": "gold"})
        found = self.diagnose(0)["volume types"]["detail"]
        self.assertIn(f"extra: gold, gold: bronze, silver: {silver}; "[:-2], found)
        self.assertIn("bronze: the cloud's default", found)

    def test_all_profiles(self) -> None:
        """When each profile has its type, the cloud's default is not spoken of."""
        self.write_config(profiles={"gold": "gold", "silver": "silver", "bronze": "bronze"})
        self.assertNotIn("default", self.diagnose(0)["volume types"]["detail"])

    def test_profile_without_type(self) -> None:
        """A profile whose volume type does not exist is found, and what there is is shown."""
        self.write_config(profiles={"gold": "platinum", "silver": "silver"})
        found = self.assert_fails("volume types", "gold means platinum", "__DEFAULT__, bronze")
        self.assertNotIn("silver means", found["volume types"]["detail"])
        self.assertIn("correct 'profiles'", found["volume types"]["remedy"])

    def test_availability_zone(self) -> None:
        """A configured zone that exists is shown as such."""
        self.write_config(availability_zone="nova")
        found = self.diagnose(0)["availability zones"]
        self.assertEqual(found["detail"], "nova; volumes are made in nova")

    def test_no_such_availability_zone(self) -> None:
        """A configured zone that does not exist is found, and what there is is shown."""
        self.write_config(availability_zone="az9")
        found = self.assert_fails("availability zones", "no availability zone az9", "it has: nova")
        self.assertIn("leave it out", found["availability zones"]["remedy"])

    def test_availability_zone_that_is_down(self) -> None:
        """A zone that is not available is a warning when volumes are to be made there."""
        down = [{"zoneName": "nova", "zoneState": {"available": False}}]
        self.patch(volume_views, "availability_zones", lambda: down)
        found = self.diagnose(0)["availability zones"]
        self.assertEqual(
            (found["outcome"], found["detail"].split(";")[0]), ("ok", "nova (not available)")
        )
        self.write_config(availability_zone="nova")
        self.assertEqual(self.diagnose(0)["availability zones"]["outcome"], "warning")

    def test_nothing_attached(self) -> None:
        """Without an attached volume there is no device to look for."""
        self.assertEqual(self.diagnose(0)["device discovery"]["outcome"], "skipped")


class RestrictedTests(SynchronousTestCase):
    """A user who may do what the driver does, and nothing more."""

    def test_not_allowed(self) -> None:
        """A request that the user may not send is skipped, with the reason."""
        for refusal in (
            PermissionDenied("GET", "https://c", 403, "Policy doesn't allow limits"),
            AuthenticationFailed("GET", "https://c", 401, "not in the access rules"),
        ):
            for check, request in (
                (check_quota, "quota"),
                (check_volume_types, "volume_types"),
                (check_availability_zones, "availability_zones"),
                (check_space, "pools"),
            ):
                state = DoctorRun(App(), Clock())
                state.configuration = Configuration.from_mapping(
                    {"auth_url": "https://k", "username": "u", "password": "p", "project_name": "p"}
                )
                state.service = SimpleNamespace(**{request: lambda error=refusal: fail(error)})
                outcome = Deferred.fromCoroutine(check(state))
                text = str(self.failureResultOf(outcome, Skipped).value)
                self.assertIn("need not: " + refusal.detail, text)


class SpaceTests(SynchronousTestCase):
    """The step that compares what is promised with what there is."""

    def check(self, *pools: Pool) -> Any:
        """The outcome of the step for some pools."""
        state = DoctorRun(App(), Clock())
        state.service = SimpleNamespace(pools=lambda: succeed(pools))
        return Deferred.fromCoroutine(check_space(state))

    def test_room(self) -> None:
        """Room for all that is promised is well, as is an accepted ratio, or none known."""
        for pool in (
            Pool("p", 10 * GIB, GIB, 10 * GIB),
            Pool("p", 10 * GIB, GIB, 100 * GIB, 20.0),
            Pool("p", None, None, 100 * GIB),
            Pool("p", 10 * GIB, GIB, None),
        ):
            shown = self.successResultOf(self.check(pool))
            self.assertTrue(shown.startswith("p: "), shown)

    def test_promised(self) -> None:
        """More promised than there is, is a warning with all numbers."""
        warning = self.failureResultOf(
            self.check(Pool("p", 10 * GIB, GIB, 11 * GIB)), CheckWarning
        ).value
        for words in ("p: 11 GiB promised", "10 GiB can be held", "1 GiB free"):
            self.assertIn(words, warning.message)
        self.assertIn("destroy", warning.remedy)

    def test_full(self) -> None:
        """Full storage is a failure, even in one of several pools."""
        full = self.check(Pool("a", 10 * GIB, GIB, 0), Pool("b", 10 * GIB, 0, 0))
        self.assertIn("b: ", self.failureResultOf(full, CheckFailed).value.message)

    def test_nothing_shown(self) -> None:
        """A cloud that shows no pools is not judged."""
        self.failureResultOf(self.check(), Skipped)
        state = DoctorRun(App(), Clock())
        missing = ResourceNotFound("GET", "https://c", 404, "no such page")
        state.service = SimpleNamespace(pools=lambda: fail(missing))
        skipped = self.failureResultOf(Deferred.fromCoroutine(check_space(state)), Skipped)
        self.assertIn("no such page", str(skipped.value))


class InterruptTests(SynchronousTestCase):
    """An interruption."""

    def test_not_a_finding(self) -> None:
        """An interrupted step is not a failed step: the doctor itself ends."""
        asked: Deferred[Any] = Deferred()

        async def wait(state: DoctorRun) -> str:
            await asked
            return ""

        examined = Deferred.fromCoroutine(examine(App(), Clock(), [Step("wait", wait)]))
        examined.cancel()
        self.failureResultOf(examined, CancelledError)


class TLSTests(SynchronousTestCase):
    """The step that checks the certificate."""

    def check(self, outcome: Any, **keys: Any) -> Any:
        """The outcome of the step for an outcome of the request."""

        class Client:
            """Returns the outcome."""

            def request(self, *args: Any, **kwargs: Any) -> Any:
                """See ``HTTPClient``."""
                return fail(outcome) if isinstance(outcome, Exception) else succeed(outcome)

        state = DoctorRun(App(), Clock())
        state.http = Client()
        state.configuration = Configuration.from_mapping(
            dict(
                {"auth_url": "https://k", "username": "u", "password": "p", "project_name": "p"},
                **keys,
            )
        )
        return Deferred.fromCoroutine(check_tls(state))

    def test_verifies(self) -> None:
        """A valid certificate passes, regardless of the response."""
        refused = ServiceError("GET", "https://k", 401, "no")
        for outcome in (None, refused):
            self.assertIn("verifies", self.successResultOf(self.check(outcome)))

    def test_rejected(self) -> None:
        """A certificate that does not verify fails the step."""
        rejected = CertificateRejected("GET", "https://k", "self-signed")
        self.failureResultOf(self.check(rejected), CertificateRejected)

    def test_not_verified(self) -> None:
        """Not to verify is a failure with a remedy."""
        unsafe = self.failureResultOf(self.check(None, verify_peer=False), CheckFailed).value
        self.assertIn("verify_ca_path", unsafe.remedy)


class EndpointTests(SynchronousTestCase):
    """The step that checks the endpoints."""

    def check(self, endpoint: str, problem: Exception | None = None, **keys: Any) -> Any:
        """The outcome of the step for an endpoint of the services."""
        probed: list[str] = []

        class Client:
            """Records the requests."""

            def request(self, method: str, url: str, expected: Any = ()) -> Any:
                """See ``HTTPClient``."""
                probed.append(url)
                return succeed(None) if problem is None else fail(problem)

        state = DoctorRun(App(), Clock())
        state.http = Client()
        state.service = SimpleNamespace(endpoint=lambda types: succeed(endpoint))
        state.configuration = Configuration.from_mapping(
            dict(
                {"auth_url": "https://k", "username": "u", "password": "p", "project_name": "p"},
                **keys,
            )
        )
        self.probed = probed
        return Deferred.fromCoroutine(check_catalog(state))

    def test_secure(self) -> None:
        """Each endpoint is asked, so that its certificate is verified."""
        shown = self.successResultOf(self.check("https://c/v3"))
        self.assertEqual("block-storage: https://c/v3, compute: https://c/v3", shown)
        self.assertEqual(["https://c/v3"] * 2, self.probed)

    def test_rejected(self) -> None:
        """An endpoint whose certificate does not verify fails the step."""
        rejected = CertificateRejected("GET", "https://c", "self-signed")
        self.failureResultOf(self.check("https://c/v3", rejected), CertificateRejected)

    def test_in_the_clear(self) -> None:
        """An allowed http endpoint is a warning, unless Keystone's address is http, too."""
        warning = self.failureResultOf(self.check("http://c/v3"), CheckWarning).value
        self.assertIn("http://c/v3", warning.message)
        self.successResultOf(self.check("http://c/v3", auth_url="http://k"))


class NoKeystoneTests(CommandTestCase):
    """Without Keystone there is less to check."""

    def test_skipped(self) -> None:
        """Authentication and catalog are skipped, not failed."""
        self.write_config(
            auth_plugin="none",
            auth_url=None,
            volume_endpoint="http://cloud.example/volume/v3/p",
            compute_endpoint="http://cloud.example/compute/v2.1",
        )
        steps = {step["name"]: step for step in self.document("doctor", exit_code=1)["steps"]}
        for name in ("authentication", "catalog"):
            self.assertEqual(steps[name]["outcome"], "skipped")
            self.assertIn("auth_plugin is none", steps[name]["detail"])
        self.assertEqual(steps["list volumes"]["outcome"], "fail")


class EnvironmentTests(CommandTestCase):
    """A configuration that is in the environment."""

    def environ(self) -> dict[str, str]:
        """The variables of an openrc file, and txstorage's own."""
        given = self.cloud.credentials
        return {
            "OS_AUTH_URL": given["auth_url"],
            "OS_USERNAME": given["username"],
            "OS_PASSWORD": given["password"],
            "OS_PROJECT_NAME": given["project_name"],
            "TXSTORAGE_INSTANCE_ID": self.node,
            "TXSTORAGE_CLUSTER_ID": str(CLUSTER),
        }

    def test_named(self) -> None:
        """The variables are named, not shown, and no file holds a secret."""
        result = self.invoke("doctor", environ=self.environ())
        self.assertEqual(result.exit_code, 0, result.stdout)
        self.assertIn("the environment: OS_AUTH_URL, OS_PASSWORD", result.stdout)
        self.assertIn("no secret is in a file", result.stdout)
        self.assertNotIn(self.cloud.credentials["password"], result.stdout)

    def test_nothing(self) -> None:
        """With neither a file nor variables, the error explains how to give a configuration."""
        result = self.invoke("doctor")
        self.assertEqual(result.exit_code, 1)
        self.assertIn("name an agent.yml with --config", result.stdout)

    def test_nothing_for_others(self) -> None:
        """The other commands then report the same, and not a missing key."""
        result = self.invoke("volumes", "list")
        self.assertEqual(result.exit_code, 1)
        self.assertIn("no file is named", result.stderr)
        self.assertIn("name an agent.yml with --config", result.stderr)
