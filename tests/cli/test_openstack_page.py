"""
Tests that docs/openstack.rst says what is so: its commands are run, and its
lists are compared with what the driver does.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections import Counter
from typing import Any
from unittest import mock
from uuid import uuid4

import yaml
from twisted.trial.unittest import SynchronousTestCase

from tests.documents.blocks import of_suite, text_of
from txstorage._assembly import block_device_driver
from txstorage._configuration.keys import EC2_KEYS, KEYS
from txstorage.cli.docker_plugin import checking
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.errors import OperationFailed

from .support import CLUSTER, GIB, CommandTestCase

PAGE = os.path.join("docs", "openstack.rst")

Request = tuple[str, str, str]


def rules(language: str) -> list[str]:
    """The page's blocks in a language that are to be held to what is so here."""
    return [block.text for block in of_suite("rules")[PAGE] if block.language == language]


class Recording:
    """
    An agent that records the requests with a token: access rules are for no others.

    :ivar requests: service, method and path, as the service sees them.
    """

    def __init__(self, agent: Any) -> None:
        self._agent = agent
        self.requests: set[Request] = set()

    def request(self, method: bytes, uri: bytes, headers: Any = None, body: Any = None) -> Any:
        """See ``IAgent``."""
        path = uri.decode("ascii").split("cloud.example", 1)[1].partition("?")[0]
        _, service, rest = path.split("/", 2)
        if service != "identity" and headers.hasHeader("x-auth-token"):
            known = {"volume": "block-storage"}.get(service, service)
            self.requests.add((known, method.decode("ascii"), "/" + rest))
        return self._agent.request(method, uri, headers, body)

    def flush(self) -> None:
        """See ``RequestTraversalAgent``."""
        self._agent.flush()


def covers(rule: dict[str, str], request: Request) -> bool:
    """As keystonemiddleware compares them."""
    service, method, path = request
    pattern = "/".join(
        "[^/]+" if part.startswith("{") else re.escape(part) for part in rule["path"].split("/")
    )
    return (rule["service"], rule["method"]) == (service, method) and bool(
        re.fullmatch(pattern, path)
    )


class AccessRulesTests(CommandTestCase):
    """The requests that the driver makes."""

    def setUp(self) -> None:
        super().setUp()
        self.recording = self.agent = Recording(self.agent)
        # The rules are for addresses with the project's id, which may be left out.
        self.project = self.cloud.store.fact("project_id", str)
        self.write_config(volume_endpoint="http://cloud.example/volume/v3/" + self.project)

    def do(self, call: Any) -> Any:
        """Do one thing with a driver, in virtual time."""

        async def operation(reactor: Any) -> Any:
            with open(self.config) as opened:
                configuration = yaml.safe_load(opened)["dataset"]
            del configuration["backend"], configuration["cluster_id"]
            driver = block_device_driver(reactor, CLUSTER, agent=self.agent, **configuration)
            return await call(driver)

        return self.run_now(operation)

    def use_everything(self) -> None:
        """Everything that a driver does."""
        made = [self.do(lambda driver: driver.create_volume(uuid4(), GIB)) for _ in range(3)]
        first, second, third = [volume.blockdevice_id for volume in made]
        self.do(lambda driver: driver.attach_volume(first, self.node))
        self.do(lambda driver: driver.get_device_path(first))
        self.do(lambda driver: driver.list_volumes())
        self.do(lambda driver: driver.grow_volume(first, 2 * GIB))
        self.do(lambda driver: driver.set_labels(first, {"name": "db"}))
        self.do(lambda driver: driver.remove_label(first, "name"))
        self.do(lambda driver: driver.detach_volume(first))
        snapshot = self.do(lambda driver: driver.create_snapshot(first, "s", {})).snapshot_id
        self.do(lambda driver: driver.list_snapshots())
        self.do(lambda driver: driver.destroy_snapshot(snapshot))
        self.do(lambda driver: driver.destroy_volume(first))
        self.do(lambda driver: driver.destroy_volume(second))
        self.detach_from_deleted(third)
        self.do(lambda driver: driver.destroy_volume(third))
        self.do(lambda driver: driver.compute_instance_id())
        self.do(lambda driver: driver.list_live_nodes())
        self.do(lambda driver: driver.start_node(self.other_node))
        full = OSError(errno.ENOSPC, "No space left on device")
        with mock.patch.object(VolumeFiles, "create", side_effect=full):
            self.assertRaises(
                OperationFailed, self.do, lambda driver: driver.create_volume(uuid4(), GIB)
            )

    def detach_from_deleted(self, volume: str) -> None:
        """Detach a volume from a server that Compute no longer has."""
        self.cloud.store.attachments.reserve_for_host(volume, str(uuid4()), "rw", {"host": "gone"})
        self.cloud.store.set_status(volume, "in-use")
        self.do(lambda driver: driver.detach_volume(volume))
        found = self.cloud.store.volume(volume)
        assert found is not None
        self.assertEqual((found.status, found.attachment), ("available", None))

    def compare(self, rules: list[dict[str, str]], requests: set[Request]) -> None:
        """There is a request for each rule, and a rule for each request."""
        for request in requests:
            self.assertTrue([rule for rule in rules if covers(rule, request)], request)
        for rule in rules:
            self.assertTrue([each for each in requests if covers(rule, each)], rule)

    def test_driver(self) -> None:
        """The rules are for all that the driver asks for, and for nothing else."""
        self.use_everything()
        self.compare(json.loads(rules("json")[0]), self.recording.requests)

    def test_doctor(self) -> None:
        """The further rules are for what ``doctor`` asks for besides."""
        self.document("doctor")
        own, more, _ = [json.loads(block) for block in rules("json")]
        asked = self.recording.requests
        besides = {each for each in asked if not any(covers(rule, each) for rule in own)}
        self.compare(more, besides)

    def test_without_compute(self) -> None:
        """Without Compute, these requests to Block Storage replace those to Compute."""
        self.write_config(
            volume_endpoint="http://cloud.example/volume/v3/" + self.project,
            attach_through="storage",
        )
        volume = self.do(lambda driver: driver.create_volume(uuid4(), GIB)).blockdevice_id
        # As if another host had begun to attach it, and then left it.
        self.cloud.store.set_status(volume, "reserved")
        self.clock.callLater(1, self.cloud.store.set_status, volume, "available")
        self.do(lambda driver: driver.attach_volume(volume, self.node))
        self.do(lambda driver: driver.get_device_path(volume))
        self.do(lambda driver: driver.detach_volume(volume))
        self.do(lambda driver: driver.destroy_volume(volume))
        asked = self.recording.requests
        self.assertEqual({service for service, _, _ in asked}, {"block-storage"})
        own, _, instead = [json.loads(block) for block in rules("json")]
        besides = {each for each in asked if not any(covers(rule, each) for rule in own)}
        self.compare(instead, besides)

    def test_table(self) -> None:
        """The table of policies has these requests, and the files those policies."""
        requests = {"{method} {path}".format(**rule) for rule in json.loads(rules("json")[0])}
        rows = re.findall(
            r"^   \* - ``([A-Z]+ /.*)``\n     - .*\n     - (.*)$", text_of(PAGE), re.MULTILINE
        )
        self.assertEqual({request for request, _ in rows}, requests)
        policies = {policy.strip("`") for _, policy in rows} - {"none"}
        files = [yaml.safe_load(block) for block in rules("yaml")]
        written = {name for file in files for name in file} - {"volume_driver"}
        what_nova_asks_for = {
            name for name in written - policies if name.startswith(("volume:att", "volume_ext"))
        }
        self.assertEqual(written - what_nova_asks_for, policies)
        self.assertEqual(len(what_nova_asks_for), 5)


class DoctorTests(CommandTestCase):
    """The output of ``doctor``."""

    def test_shown(self) -> None:
        """The output equals the page's, except for addresses, ids and seconds."""
        self.patch(checking, "concerns", lambda surroundings: False)
        self.write_config(availability_zone="nova", profiles={"gold": "gold"})
        result = self.txstorage("doctor")
        self.assertEqual(result.exit_code, 0)
        [block] = rules("console")
        command, _, shown = block.partition("\n")
        self.assertEqual(command, "$ txstorage --config agent.yml doctor")
        self.assertEqual(self.neutral(shown), self.neutral(result.stdout))

    def neutral(self, text: str) -> list[str]:
        """The lines, without what is another each time."""
        text = text.replace(self.config, "agent.yml")
        text = re.sub(r"\d+\.\d\d", "0.00", text)
        text = re.sub(r"\S+ \S+ (?=can be held|free)", "SIZE ", text)
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)
        return [line.strip() for line in text.strip().splitlines()]


class BlocksTests(SynchronousTestCase):
    """The blocks that are left to these tests."""

    def test_each(self) -> None:
        """Each block that is, is looked at: requests, policies, and what ``doctor`` shows."""
        languages = Counter(block.language for block in of_suite("rules")[PAGE])
        self.assertEqual({"json": 3, "yaml": 2, "console": 1}, languages)

    def test_elsewhere(self) -> None:
        """There are none on other pages."""
        self.assertEqual([PAGE], list(of_suite("rules")))


class ConfigurationTests(SynchronousTestCase):
    """The page's statements about the configuration."""

    def test_keys(self) -> None:
        """The table has every key that has a meaning on OpenStack, and no other."""
        table = text_of(PAGE).split("\nKeys by kind of cloud\n", 1)[1]
        firsts = re.findall(r"^   \* - ((?:.*\n)(?:       .*\n)*)     - ", table, re.MULTILINE)
        named = [name for cell in firsts for name in re.findall(r"``(\w+)``", cell)]
        self.assertEqual(sorted(named), sorted({key.name for key in KEYS} - EC2_KEYS))

    def test_releases(self) -> None:
        """The releases are those that the tests install."""
        requirements = text_of("tests", "openstack", "requirements.txt")
        locked = dict(re.findall(r"^([\w-]+)==([\d.]+)", requirements, re.MULTILINE))
        for project, package in (
            ("Keystone", "keystone"),
            ("Cinder", "cinder"),
            ("Nova", "nova"),
            ("Placement", "openstack-placement"),
        ):
            self.assertIn(f"{project} {locked[package]}", text_of(PAGE))
