"""The parts of the tests with Amazon's clients: a service, and a user's shell."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from shutil import rmtree

from twisted.trial.unittest import SkipTest

from ..helpers.imports import ROOT
from ..helpers.loops import detach_below
from .run import VARIABLE

#: Seconds that a client's command may take.
PATIENCE = 120


def clients():
    """:return: the directory of the clients' programs."""
    if VARIABLE not in os.environ:
        raise SkipTest("make test-aws runs this, and names the clients in " + VARIABLE)
    return os.environ[VARIABLE]


class EC2Service:
    """
    An embedded service with an EC2 face, with loop devices as root and regular files otherwise.

    :ivar metadata: the URL of each node's metadata.
    :param options: more options of ``txstorage serve``.
    """

    def __init__(self, case, *options):
        self.loop_devices = os.getuid() == 0
        self.state = tempfile.mkdtemp(prefix="txstorage-test-")
        case.addCleanup(rmtree, self.state, ignore_errors=True)
        case.addCleanup(detach_below, self.state)
        devices = "loop" if self.loop_devices else "file"
        arguments = ["--state-dir", self.state, "--port", "0", "--devices", devices]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "txstorage.cli", "--json", "serve", *arguments]
            + ["--ec2-port", "0", *options],
            stdout=subprocess.PIPE,
            env=dict(os.environ, PYTHONPATH=ROOT),
        )
        case.addCleanup(self.stop)
        document, _ = json.JSONDecoder().raw_decode(self._document())
        self._api, self.metadata = document["ec2"]["api"], document["ec2"]["metadata"]

    def _document(self):
        lines = []
        for line in iter(self._process.stdout.readline, b""):
            lines.append(line.decode("utf-8"))
            if line.rstrip() == b"}":
                break
        return "".join(lines)

    def stop(self):
        """Stop it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate()

    def environment(self, **more):
        """
        :param more: more variables.
        :return: a user's environment, without anything of this machine's for Amazon's clients.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        kept.update(
            HOME=self.state,
            AWS_ENDPOINT_URL=self._api,
            AWS_DEFAULT_REGION="txstorage-1",
            AWS_SHARED_CREDENTIALS_FILE=os.path.join(self.state, "ec2-credentials"),
            AWS_PAGER="",
            AWS_MAX_ATTEMPTS="1",
        )
        kept.update(more)
        return {name: value for name, value in kept.items() if value is not None}

    def run(self, *command, **variables):
        """
        Run a client's command.

        :param command: its name in the clients' directory, and its arguments.
        :param variables: of its environment; ``None`` leaves one out.
        :return: the exit code, the output, and the errors.
        """
        done = subprocess.run(
            [os.path.join(clients(), command[0]), *command[1:]],
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            timeout=PATIENCE,
        )
        return done.returncode, done.stdout, done.stderr
