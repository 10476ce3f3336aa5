"""Tests of a node's ``agent.yml``."""

from __future__ import annotations

import errno
import os

import attr
import yaml
from twisted.trial.unittest import SynchronousTestCase

from txstorage._configuration.configuration import Configuration
from txstorage.embedded.accounts.openrc import first_login
from txstorage.embedded.agent_yml import (
    Access,
    AgentFiles,
    UnreadableAgent,
    agent_configuration,
    as_yaml,
    with_edits_kept,
)
from txstorage.embedded.memory import FACTS, ServiceMemory
from txstorage.embedded.settings import VOLUME_TYPES
from txstorage.embedded.state_directory import StateDirectory

from .support import MISSING, temporary_directory

ACCESS = Access(host="127.0.0.1", port=8780, password_file="/state/password", cluster_id=MISSING)


class AgentConfigurationTests(SynchronousTestCase):
    """Tests of :func:`agent_configuration`."""

    def test_whole(self) -> None:
        """The configuration has exactly the driver's keys, and names the password's file."""
        self.assertEqual(
            yaml.safe_load(as_yaml(agent_configuration(ACCESS, "node"))),
            {
                "version": 1,
                "control-service": {"hostname": "127.0.0.1"},
                "dataset": {
                    "backend": "txstorage",
                    "region": "txstorage",
                    "auth_plugin": "password",
                    "auth_url": "http://127.0.0.1:8780/identity/v3",
                    "username": "txstorage",
                    "password_file": "/state/password",
                    "project_name": "txstorage",
                    "user_domain_name": "Default",
                    "project_domain_name": "Default",
                    "cluster_id": MISSING,
                    "instance_id": "node",
                    "profiles": {"gold": "gold", "silver": "silver", "bronze": "bronze"},
                },
            },
        )

    def test_options(self) -> None:
        """TLS adds the certificate to trust, regular files their directory."""
        access = attr.evolve(ACCESS, certificate="/c.pem", device_directory="/state/devices")
        dataset = agent_configuration(access, "node")["dataset"]
        self.assertEqual(dataset["auth_url"], "https://127.0.0.1:8780/identity/v3")
        self.assertEqual(dataset["verify_ca_path"], "/c.pem")
        self.assertEqual(dataset["device_directory"], "/state/devices")

    def test_hosts(self) -> None:
        """A wildcard address is replaced by the loopback one, and an IPv6 address has brackets."""
        for host, expected in (
            ("0.0.0.0", "127.0.0.1"),
            ("::", "[::1]"),
            ("::1", "[::1]"),
            ("localhost", "localhost"),
        ):
            url = attr.evolve(ACCESS, host=host).auth_url
            self.assertEqual(url, f"http://{expected}:8780/identity/v3")

    def test_accepted(self) -> None:
        """The driver's configuration accepts the file unchanged."""
        directory = temporary_directory(self)
        path = directory + "/password"
        with open(path, "w") as opened:
            opened.write("p\n")
        access = attr.evolve(ACCESS, password_file=path, device_directory=directory)
        agent = directory + "/agent.yml"
        with open(agent, "w") as opened:
            opened.write(as_yaml(agent_configuration(access, MISSING)))
        configuration = Configuration.from_file(agent)
        self.assertEqual(configuration.instance_id, MISSING)

    def test_profiles(self) -> None:
        """Each of Flocker's profiles means the type of that name, which the service has."""
        profiles = agent_configuration(ACCESS, "node")["dataset"]["profiles"]
        self.assertEqual(sorted(profiles), ["bronze", "gold", "silver"])
        for name, volume_type in profiles.items():
            self.assertEqual(name, volume_type)
            self.assertIn(volume_type, VOLUME_TYPES)


OLD = agent_configuration(ACCESS, "node")
NEW = agent_configuration(attr.evolve(ACCESS, port=9999, certificate="/c.pem"), "node")


class EditsTests(SynchronousTestCase):
    """Tests of an ``agent.yml`` that people have edited, and that a start brings up to date."""

    def updated(self, text: str, written: object = (OLD["dataset"],)) -> dict[str, object]:
        """The ``dataset`` section after a start with another port and a certificate."""
        found: dict[str, object] = yaml.safe_load(with_edits_kept(text, written, NEW))["dataset"]
        return found

    def test_untouched(self) -> None:
        """A file that nobody has edited becomes the one that the service would write."""
        self.assertEqual(self.updated(as_yaml(OLD)), NEW["dataset"])
        back = with_edits_kept(as_yaml(NEW), [NEW["dataset"]], OLD)
        self.assertEqual(yaml.safe_load(back), OLD)

    def test_nothing_to_do(self) -> None:
        """A file that is up to date keeps its every byte."""
        text = "# mine\n" + as_yaml(OLD).replace("backend", "   'backend'") + "\n# end"
        text = text.replace("     'backend'", "  'backend'")
        self.assertEqual(with_edits_kept(text, [OLD["dataset"]], OLD), text)

    def test_added(self) -> None:
        """A key that was added stays, with comments, wherever it stands."""
        added = "  attach_through: storage # mine\n"
        for text in (
            as_yaml(OLD) + added,
            as_yaml(OLD).replace("dataset:\n", "dataset:\n" + added),
            as_yaml(OLD) + "# a comment\n" + added + "logging: {version: 1}\n",
        ):
            self.assertEqual(self.updated(text), dict(NEW["dataset"], attach_through="storage"))
            kept = with_edits_kept(text, [OLD["dataset"]], NEW)
            self.assertIn(added, kept)
            self.assertEqual("logging" in kept, "logging" in text)

    def test_changed(self) -> None:
        """A value that was changed stays; the others are brought up to date."""
        text = as_yaml(OLD).replace("username: txstorage", "username: me")
        self.assertEqual(self.updated(text), dict(NEW["dataset"], username="me"))
        text = as_yaml(OLD).replace("127.0.0.1:8780", "storage.example:443")
        url = "http://storage.example:443/identity/v3"
        self.assertEqual(self.updated(text), dict(NEW["dataset"], auth_url=url))
        text = as_yaml(OLD).replace("gold: gold", "gold: silver")
        profiles = {"gold": "silver", "silver": "silver", "bronze": "bronze"}
        self.assertEqual(self.updated(text), dict(NEW["dataset"], profiles=profiles))

    def test_removed(self) -> None:
        """A key that was removed stays away."""
        text = as_yaml(OLD).replace(f"  cluster_id: {MISSING}\n", "")
        expected = {name: NEW["dataset"][name] for name in NEW["dataset"] if name != "cluster_id"}
        self.assertEqual(self.updated(text), expected)

    def test_interrupted_start(self) -> None:
        """After an interrupted start, either of the two written values counts as unedited."""
        written = [OLD["dataset"], agent_configuration(attr.evolve(ACCESS, port=1), "n")["dataset"]]
        for port in (8780, 1):
            text = as_yaml(agent_configuration(attr.evolve(ACCESS, port=port), "node"))
            self.assertEqual(self.updated(text, written), NEW["dataset"])

    def test_upgrade(self) -> None:
        """A file of a version that remembered nothing keeps the keys that are not the service's."""
        text = as_yaml(OLD) + "  timeout: 60\n  verify_ca_path: /old.pem\n"
        self.assertEqual(self.updated(text, ()), dict(NEW["dataset"], timeout=60))

    def test_unreadable(self) -> None:
        """A file that is no ``agent.yml``, or is laid out otherwise, is an error."""
        for text in ("{", "", "[]", "dataset: 7\n", "version: 1\n", f"dataset: {OLD['dataset']}\n"):
            self.assertRaises(UnreadableAgent, with_edits_kept, text, [OLD["dataset"]], NEW)


class AgentFilesTests(SynchronousTestCase):
    """Tests of the nodes' files in a state directory."""

    def setUp(self) -> None:
        self.state = StateDirectory(os.path.join(temporary_directory(self), "state"))
        self.addCleanup(self.state.close)
        self.path = self.state.agent("n")

    def write(self, port: int) -> AgentFiles:
        """Start with a port."""
        files = AgentFiles(self.state, attr.evolve(ACCESS, port=port), {"n": "id"})
        self.text = files.write(dict.fromkeys(FACTS, MISSING))
        return files

    def read(self) -> str:
        """The file's content."""
        with open(self.path) as opened:
            return opened.read()

    def test_edits(self) -> None:
        """Edits survive every start, with a new address, too."""
        self.write(1)
        with open(self.path, "a") as opened:
            opened.write("  attach_through: storage\n")
        for port in (1, 2, 3):
            self.write(port)
            dataset = yaml.safe_load(self.read())["dataset"]
            self.assertEqual(dataset["attach_through"], "storage")
            self.assertIn(f":{port}/", dataset["auth_url"])
            self.assertEqual(self.text, self.read())
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)

    def test_logins(self) -> None:
        """A user's file follows the address and the certificate of each start."""
        path = self.state.file("openrc")
        for port in (1, 2):
            access = attr.evolve(ACCESS, port=port, certificate="/c.pem")
            files = AgentFiles(self.state, access, {})
            files.write_logins([first_login("/state/password")])
            self.assertEqual(files.remarks, [f"clients of OpenStack, as txstorage: . {path}"])
            with open(path) as opened:
                text = opened.read()
            self.assertIn(f"export OS_AUTH_URL=https://127.0.0.1:{port}/identity/v3\n", text)
            self.assertIn("export OS_CACERT=/c.pem\n", text)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_interrupted(self) -> None:
        """A start that ends at any of its writes leaves no value that counts as an edit."""
        for moment in range(1, 5):
            self.write(1)
            count = [0]
            replace = os.replace

            def interrupt(one: str, other: str, count: list[int] = count, at: int = moment) -> None:
                count[0] += 1
                if count[0] == at:
                    raise KeyboardInterrupt()
                replace(one, other)

            patched = self.patch(os, "replace", interrupt)
            try:
                self.write(2)
            except KeyboardInterrupt:
                pass
            patched.restore()
            self.write(3)
            self.assertIn(":3/", yaml.safe_load(self.read())["dataset"]["auth_url"])

    def test_unreadable(self) -> None:
        """A file that can't be read is left as it is, with a warning."""
        self.write(1)
        with open(self.path, "w") as opened:
            opened.write("{")
        files = self.write(2)
        self.assertEqual((self.read(), self.text), ("{", "{"))
        self.assertTrue(any("left as it is" in each for each in files.remarks), files.remarks)

    def test_unchanged(self) -> None:
        """A start that changes nothing writes nothing, so that it works on a full disk."""
        self.write(1)
        self.patch(os, "replace", lambda one, other: self.fail("it was written"))
        self.write(1)

    def test_full_disk(self) -> None:
        """A file for which there is no room is a warning."""
        self.write(1)

        def refuse(one: str, other: str) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        self.patch(os, "replace", refuse)
        files = self.write(2)
        self.assertIn(":1/", self.read())
        self.assertTrue(any("disk full" in each for each in files.remarks), files.remarks)


class MemoryTests(SynchronousTestCase):
    """Tests of :class:`ServiceMemory`."""

    def test_damaged(self) -> None:
        """A missing or damaged file, or one of another format, is an empty memory."""
        path = os.path.join(temporary_directory(self), "service.json")
        self.assertEqual(ServiceMemory.load(path), ServiceMemory())
        facts = {name: name for name in ("cluster_id", "project_id", "user_id")}
        facts["application_credential_id"] = "a"
        whole = ServiceMemory(facts, {"n": "id"}, {"n": [{"a": 1}]})
        with open(path, "wb") as opened:
            opened.write(whole.as_bytes())
        self.assertEqual(ServiceMemory.load(path), whole)
        for damage in (b"{", b"[]", whole.as_bytes().replace(b'"format": 1', b'"format": 2')):
            with open(path, "wb") as opened:
                opened.write(damage)
            self.assertEqual(ServiceMemory.load(path), ServiceMemory())
