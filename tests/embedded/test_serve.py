"""Tests of ``txstorage serve`` as a process."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import Any
from unittest import mock

import yaml
from click.testing import CliRunner
from twisted.internet import reactor, task
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

import txstorage
from txstorage.cli.serve import default_state_dir, run, serve
from txstorage.embedded.service import ServiceOptions
from txstorage.embedded.settings import Settings
from txstorage.embedded.state_directory import StateDirectory

from ..helpers.loops import loops_below
from .support import no_loop_devices, password_auth, temporary_directory

# The package's attribute of this name may be the command.
serve_module = importlib.import_module("txstorage.cli.serve.command")
PROGRAM = "from txstorage.cli.serve import serve; serve()"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(txstorage.__file__)))
#: Seconds; a busy machine is slow.
PATIENCE = 60


class Child:
    """
    The service as a child process, and a client for it.

    :param case: the test that it ends with.
    """

    def __init__(self, case: SynchronousTestCase, directory: str, *options: str) -> None:
        arguments = [sys.executable, "-c", PROGRAM, "--state-dir", directory, "--port", "0"]
        self.directory = directory
        self.process = subprocess.Popen(
            arguments + list(options),
            env=dict(os.environ, PYTHONPATH=ROOT),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        case.addCleanup(self.end, signal.SIGKILL)
        assert self.process.stdout is not None
        self.output = ""
        for line in self.process.stdout:
            self.output += line
            if line.startswith("txstorage ready: "):
                self.auth_url = line.split()[-1]
                break
        self.token: str | None = None

    def end(self, how: signal.Signals) -> tuple[int, str]:
        """
        End the process.

        :return: its exit status and the errors that it printed.
        """
        if self.process.returncode is None:
            self.process.send_signal(how)
            self.process.stdout and self.process.stdout.close()
            assert self.process.stderr is not None
            self.errors = self.process.stderr.read()
            self.process.stderr.close()
            self.process.wait(PATIENCE)
        return self.process.returncode, self.errors

    def log_in(self) -> None:
        """Get a token with the agent's configuration."""
        with open(os.path.join(self.directory, "agent-node-1.yml")) as opened:
            dataset = yaml.safe_load(opened.read())["dataset"]
        self.server = dataset["instance_id"]
        with open(dataset["password_file"]) as opened:
            body = password_auth(opened.read().strip())
        got, headers = self.ask("POST", self.auth_url + "/auth/tokens", body)
        self.token = headers["X-Subject-Token"]
        catalog = {
            service["type"]: service["endpoints"][0]["url"] for service in got["token"]["catalog"]
        }
        self.volumes = catalog["block-storage"] + "/volumes"
        self.attachments = "{}/servers/{}/os-volume_attachments".format(
            catalog["compute"], self.server
        )

    def log_in_as(self, name: str) -> None:
        """Get a token of a declared user, whose URLs name its project."""
        with open(os.path.join(self.directory, f"password-{name}")) as opened:
            domain = {"id": "default"}
            body = password_auth(opened.read().strip(), name=name, domain=domain)
        self.token = None
        got, headers = self.ask("POST", self.auth_url + "/auth/tokens", body)
        self.token = headers["X-Subject-Token"]
        (url,) = [
            service["endpoints"][0]["url"]
            for service in got["token"]["catalog"]
            if service["type"] == "volumev3"
        ]
        self.volumes = url + "/volumes"

    def ask(self, method: str, url: str, body: Any = None) -> tuple[Any, dict[str, str]]:
        """Make one exchange; 404 returns ``None``."""
        request = urllib.request.Request(url, method=method)
        request.add_header("Content-Type", "application/json")
        if self.token is not None:
            request.add_header("X-Auth-Token", self.token)
        request.data = None if body is None else json.dumps(body).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE) as response:
                content = response.read()
                return (json.loads(content) if content else None), dict(response.headers)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None, {}

    def status(self, volume_id: str) -> str:
        """Return a volume's status; ``404`` when the volume does not exist."""
        got, _ = self.ask("GET", self.volumes + "/" + volume_id)
        return "404" if got is None else got["volume"]["status"]

    def wait(self, volume_id: str, *statuses: str) -> None:
        """Wait until the volume has one of these statuses."""
        deadline = time.monotonic() + PATIENCE
        while self.status(volume_id) not in statuses:
            if time.monotonic() > deadline:
                raise AssertionError(f"it is {self.status(volume_id)}")

    def create(self) -> str:
        """Request a volume."""
        got, _ = self.ask("POST", self.volumes, {"volume": {"size": 1}})
        volume_id: str = got["volume"]["id"]
        return volume_id

    def attach(self, volume_id: str) -> None:
        """Request an attach."""
        self.ask("POST", self.attachments, {"volumeAttachment": {"volumeId": volume_id}})

    def detach(self, volume_id: str) -> None:
        """Request a detach."""
        self.ask("DELETE", self.attachments + "/" + volume_id)

    def delete(self, volume_id: str) -> None:
        """Request a delete."""
        self.ask("DELETE", self.volumes + "/" + volume_id)


class ProcessTests(SynchronousTestCase):
    """Tests of the process's life."""

    def setUp(self) -> None:
        self.directory = temporary_directory(self)

    def test_life(self) -> None:
        """
        The process reports its services and its readiness, prints an ``agent.yml`` without the
        password, and exits with 0 on SIGTERM and SIGINT.
        """
        for how in (signal.SIGTERM, signal.SIGINT):
            child = Child(self, self.directory, "--devices", "file")
            text = "\n".join(
                line
                for line in child.output.splitlines()
                if not line.startswith(("#", "txstorage ready"))
            )
            dataset = yaml.safe_load(text)["dataset"]
            self.assertEqual(dataset["auth_url"], child.auth_url)
            self.assertIn("regular files", child.output)
            with open(dataset["password_file"]) as opened:
                self.assertNotIn(opened.read().strip(), child.output)
            code, errors = child.end(how)
            self.assertEqual((code, errors), (0, ""))

    def test_users(self) -> None:
        """
        Users of options and of a file log in with the passwords of their files; what they made is
        theirs after a ``kill -9``.
        """
        accounts = os.path.join(self.directory, "accounts.yml")
        with open(accounts, "w") as opened:
            opened.write("users: {bob: {projects: {two: member}}}")
        state = os.path.join(self.directory, "state")
        options = ("--devices", "file", "--user", "alice:one:member", "--accounts", accounts)
        made = {}
        for begun in (False, True):
            child = Child(self, state, *options)
            for name in ("alice", "bob"):
                child.log_in_as(name)
                if not begun:
                    made[name] = child.create()
                    child.wait(made[name], "available")
            for name, other in (("alice", "bob"), ("bob", "alice")):
                child.log_in_as(name)
                self.assertEqual(child.status(made[name]), "available", name)
                self.assertEqual(child.status(made[other]), "404", name)
            child.end(signal.SIGKILL)

    def test_openrc(self) -> None:
        """A shell that has read the openrc of a user is that user for OpenStack's clients."""
        child = Child(self, self.directory, "--devices", "file", "--user", "alice:one:member")
        for name, user in (("openrc", "txstorage"), ("openrc-alice", "alice")):
            path = os.path.join(self.directory, name)
            self.assertIn(f"# clients of OpenStack, as {user}: . {path}\n", child.output)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            done = subprocess.run(
                ["sh", "-ec", f'. {path}; "$@"', "sh", sys.executable, "-m", "txstorage.cli"]
                + ["--cluster-id", str(uuid.uuid4()), "doctor"],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, "OS_PROJECT_ID": "other"},
                stdout=subprocess.PIPE,
                text=True,
                timeout=PATIENCE,
            )
            project = {"txstorage": "txstorage", "alice": "one"}[user]
            self.assertRegex(done.stdout, rf"authentication +ok .* user {user}, project {project};")

    def test_wrong_users(self) -> None:
        """A wrong user is a usage error, before anything is made."""
        child = Child(self, self.directory, "--user", "alice:one:membr")
        code, errors = child.end(signal.SIGTERM)
        self.assertEqual((code, os.listdir(self.directory)), (2, []))
        self.assertIn("--user alice:one:membr: there is no role 'membr'", errors)
        self.assertIn("did you mean 'member'?", errors)

    def test_hang_up(self) -> None:
        """The end of its terminal stops the process in order, with the exit code that says so."""
        code, errors = Child(self, self.directory, "--devices", "file").end(signal.SIGHUP)
        self.assertEqual((code, errors), (129, ""))
        # SQLite removes the log of a database that was closed.
        self.assertNotIn("txstorage.sqlite-wal", os.listdir(self.directory))

    def test_refused(self) -> None:
        """A second instance exits with 1 and one line with the reason."""
        Child(self, self.directory, "--devices", "file")
        second = Child(self, self.directory)
        code, errors = second.end(signal.SIGTERM)
        self.assertEqual((code, second.output), (1, ""))
        self.assertTrue(re.match(r"Error: .* used by another .*\nWhat to do: .*\n\Z", errors))

    def test_empty_directory(self) -> None:
        """
        An empty directory name, as from an unset variable, does not mean the working directory.
        """
        before = os.listdir(".")
        child = Child(self, "", "--devices", "file")
        code, errors = child.end(signal.SIGTERM)
        self.assertEqual((code, child.output, os.listdir(".")), (1, "", before))
        self.assertIn("name is empty", errors)

    def test_nowhere_to_write(self) -> None:
        """
        With an unwritable standard output, it prints one line and ends, whether the output is
        buffered or not, and with ``--json`` too.
        """
        for unbuffered in ("", "1"):
            for options in ([], ["--json"]):
                with open("/dev/full", "w") as full:
                    ended = subprocess.run(
                        [sys.executable, "-m", "txstorage.cli", *options, "serve"]
                        + ["--state-dir", self.directory, "--port", "0", "--devices", "file"],
                        env=dict(os.environ, PYTHONPATH=ROOT, PYTHONUNBUFFERED=unbuffered),
                        stdout=full,
                        stderr=subprocess.PIPE,
                        text=True,
                        timeout=PATIENCE,
                    )
                self.assertEqual(ended.returncode, 1)
                self.assertRegex(ended.stderr, r"\A[^\n]*No space left on device[^\n]*\n\Z")

    def test_exposed(self) -> None:
        """The process warns when other machines can reach it."""
        child = Child(self, self.directory, "--devices", "file", "--host", "0.0.0.0")
        self.assertTrue(child.auth_url.startswith("http://127.0.0.1:"))
        code, errors = child.end(signal.SIGTERM)
        self.assertEqual(code, 0)
        self.assertTrue(errors.startswith("Warning: --host 0.0.0.0 "))

    def test_usage(self) -> None:
        """Contradictory options exit with 2, before anything is done."""
        for options in (
            ["--tls-cert", "/c"],
            ["--tls-key", "/k"],
            ["--tls", "--tls-cert", "/c", "--tls-key", "/k"],
            ["--port", "70000"],
            ["--token-lifetime", "0"],
            ["--devices", "tape"],
            ["--ec2-region", "here-1"],
        ):
            result = CliRunner().invoke(serve, ["--state-dir", self.directory] + options)
            self.assertEqual(result.exit_code, 2, options)
        self.assertIn("--ec2-region has no effect without --ec2-port", result.stderr)
        self.assertEqual(os.listdir(self.directory), [])

    def test_default_directory(self) -> None:
        """Root's state is in the system's directory, another user's in that user's."""
        self.patch(os, "geteuid", lambda: 0)
        self.assertEqual(default_state_dir(), "/var/lib/txstorage")
        self.patch(os, "geteuid", lambda: 1000)
        self.assertEqual(default_state_dir(), os.path.expanduser("~/.local/share/txstorage"))


class ShutdownReactor:
    """The real reactor, except that the test shuts it down."""

    def __init__(self) -> None:
        self.triggers: list[Any] = []

    def addSystemEventTrigger(self, phase: str, event: str, function: Any) -> None:  # noqa: N802
        """Record a trigger."""
        self.triggers.append((phase, event, function))

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


class RunTests(TestCase):
    """Tests of :func:`run` and of its command."""

    async def test_until_stopped(self) -> None:
        """The service runs until the reactor is shut down, which waits for the service to close."""
        shutdown = ShutdownReactor()
        directory = temporary_directory(self)
        options = ServiceOptions(state_dir=directory, devices="file", host="127.0.0.1")
        with contextlib.redirect_stdout(io.StringIO()) as output:
            running = Deferred.fromCoroutine(run(shutdown, options))
            while "ready" not in output.getvalue():
                await task.deferLater(reactor, 0, lambda: None)
        self.assertFalse(running.called)
        ((phase, event, stop),) = shutdown.triggers
        self.assertEqual((phase, event), ("before", "shutdown"))
        await stop()
        StateDirectory(directory).close()
        running.cancel()
        await self.assertFailure(running, CancelledError)

    async def test_refused(self) -> None:
        """A service that can't start exits with 1."""
        path = os.path.join(temporary_directory(self), "file")
        with open(path, "w"):
            pass
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            try:
                await run(ShutdownReactor(), ServiceOptions(state_dir=path, host="0.0.0.0"))
            except SystemExit as end:
                self.assertEqual(end.code, 1)
        warning, error, remedy = errors.getvalue().splitlines()
        self.assertTrue(warning.startswith("Warning: --host 0.0.0.0"))
        self.assertTrue(error.startswith("Error: can't use the state directory"))

    async def test_machines(self) -> None:
        """With ``--json`` one document has the services, or the reason of a failure."""
        shutdown, directory = ShutdownReactor(), temporary_directory(self)
        options = ServiceOptions(state_dir=directory, devices="file", host="127.0.0.1")
        with contextlib.redirect_stdout(io.StringIO()) as output:
            running = Deferred.fromCoroutine(run(shutdown, options, as_json=True))
            while not output.getvalue().endswith("}\n"):
                await task.deferLater(reactor, 0, lambda: None)
        document = json.loads(output.getvalue())
        self.assertEqual(document["agent"]["dataset"]["auth_url"], document["auth_url"])
        with contextlib.redirect_stdout(io.StringIO()) as refused:
            try:
                await run(ShutdownReactor(), options, as_json=True)
            except SystemExit as end:
                self.assertEqual(end.code, 1)
        error = json.loads(refused.getvalue())["error"]
        self.assertEqual(error["kind"], "ServeError")
        self.assertIn("used by another", error["message"])
        self.assertIn("--state-dir", error["remedy"])
        await shutdown.triggers[0][2]()
        running.cancel()
        await self.assertFailure(running, CancelledError)

    def test_options(self) -> None:
        """The command passes its options on."""
        seen: list[Any] = []
        self.patch(task, "react", lambda main: seen.append(main))
        self.patch(serve_module, "run", lambda reactor, options, as_json, remarks: options)
        self.patch(Deferred, "fromCoroutine", lambda options: options)
        arguments = (
            "--state-dir /s --port 0 --node a --node b --transition-delay 0.5 --max-volumes 3"
            " --max-backups 4"
        )
        result = CliRunner().invoke(serve, arguments.split())
        self.assertEqual(result.exit_code, 0, result.output)
        options = seen[0](mock.Mock())
        self.assertEqual((options.state_dir, options.port, options.nodes), ("/s", 0, ("a", "b")))
        settings = Settings(password="p", application_secret="s", **options.behaviour)
        self.assertEqual(
            (settings.transition_delay, settings.max_volumes, settings.max_gigabytes),
            (0.5, 3, -1),
        )
        self.assertEqual((settings.max_backups, settings.max_backup_gigabytes), (4, -1))
        self.assertEqual((settings.page_size, settings.token_lifetime), (1000, 3600.0))


class KillTests(SynchronousTestCase):
    """Tests of ``kill -9``."""

    def setUp(self) -> None:
        self.directory = temporary_directory(self)
        self.restart()

    def restart(self, *options: str) -> None:
        """Start again."""
        self.child = Child(self, self.directory, *options)
        self.child.log_in()

    def kill(self, *options: str) -> None:
        """Kill the service and start again."""
        self.child.end(signal.SIGKILL)
        self.restart(*options)

    def test_at_once(self) -> None:
        """
        Every acknowledged operation is done, and its data kept, when the service is killed right
        after the response.
        """
        volume_id = self.child.create()
        self.kill()
        self.child.wait(volume_id, "available")
        self.child.attach(volume_id)
        self.kill()
        self.child.wait(volume_id, "in-use")
        (device,) = self.devices()
        data = os.urandom(65536)
        self.write(device, data)
        self.kill()
        self.assertEqual(self.devices(), [device])
        self.child.detach(volume_id)
        self.kill()
        self.child.wait(volume_id, "available")
        self.assertEqual(self.devices(), [])
        self.child.attach(volume_id)
        self.child.wait(volume_id, "in-use")
        (device,) = self.devices()
        with open(device, "rb") as opened:
            self.assertEqual(opened.read(len(data)), data)
        self.child.detach(volume_id)
        self.child.wait(volume_id, "available")
        self.child.delete(volume_id)
        self.kill()
        self.child.wait(volume_id, "404")
        self.assertEqual(os.listdir(os.path.join(self.directory, "volumes")), [])

    def devices(self) -> Any:
        """Return the existing devices."""
        directory = os.path.join(self.directory, "devices")
        links = [os.path.join(directory, name) for name in os.listdir(directory)]
        return links + list(loops_below(self.directory))

    def write(self, device: str, data: bytes) -> None:
        """Write to the device, and to the disk."""
        with open(device, "r+b") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())

    def test_in_each_status(self) -> None:
        """
        Every acknowledged operation is done when the service is killed in each transient status.
        """
        volume_id = ""
        slow = ("--transition-delay", "0.3")
        self.kill(*slow)
        for operation, status, rest in (
            ("create", "creating", "available"),
            ("attach", "reserved", "in-use"),
            ("detach", "detaching", "available"),
            ("attach", "attaching", "in-use"),
            ("detach", "detaching", "available"),
            ("delete", "deleting", "404"),
        ):
            result = getattr(self.child, operation)(*([volume_id] if volume_id else []))
            volume_id = volume_id or result
            self.child.wait(volume_id, status)
            self.kill(*slow)
            self.child.wait(volume_id, rest)
            self.assertEqual(len(self.devices()), 1 if rest == "in-use" else 0)

    def test_stays_attached(self) -> None:
        """A clean stop keeps attached volumes attached, as the node uses them."""
        if no_loop_devices():
            self.skipTest(no_loop_devices())
        volume_id = self.child.create()
        self.child.wait(volume_id, "available")
        self.child.attach(volume_id)
        self.child.wait(volume_id, "in-use")
        self.child.end(signal.SIGTERM)
        self.assertEqual(len(loops_below(self.directory)), 1)
