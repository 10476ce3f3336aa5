"""
A Buildbot on this machine: what it is made of, and its two processes.
"""

from __future__ import annotations

import ctypes.util
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping

from certification.settings import WORKER_PASSWORD, Settings
from rest import Rest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
if ROOT not in sys.path:
    sys.path.append(ROOT)

from tests.debian import ensure_venv  # noqa: E402
from tests.openstack.installation import logged  # noqa: E402
from tests.openstack.layout import free_ports  # noqa: E402
from tests.openstack.processes import Processes  # noqa: E402
from tests.openstack.progress import RigError, say, step, until  # noqa: E402
from tests.run import make_once  # noqa: E402

DIRECTORY = os.path.join(ROOT, ".buildbot")
REQUIREMENTS = os.path.join(HERE, "requirements.txt")
#: What the badges are drawn with.
CAIRO = "libcairo2"

#: Seconds that builds have to clear up when they are stopped.
CLEARING_UP = 150

#: Variables that builds must not find in their environment: a build is of a checkout
#: of its own, and the worker's owner has no part in it; and ``AGENTS`` would leave a
#: part of a certificate's tests out.
_NOT_THEIRS = (
    *("MAKE", "MFLAGS", "PYTHON", "TXSTORAGE_", "VIRTUAL_ENV", "GIT_", "COVERAGE_"),
    "AGENTS",
)


def surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    """:return: what of an environment the worker and its builds get."""
    return {name: v for name, v in environment.items() if not name.startswith(_NOT_THEIRS)}


def working_in(directory: str) -> list[int]:
    """:return: the ids of processes whose current directory is in a directory."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            where = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue  # it ended, or is not ours
        if where.startswith(os.path.join(directory, "")):
            found.append(int(pid))
    return found


def has_cairo() -> bool:
    return ctypes.util.find_library("cairo") is not None


def branch_of(repository: str) -> str:
    """:return: the branch that is checked out there."""
    command = ["git", "-C", repository, "symbolic-ref", "--short", "--quiet", "HEAD"]
    asked = subprocess.run(command, stdout=subprocess.PIPE, universal_newlines=True)
    return asked.stdout.strip() or "HEAD"


class Installation:
    """
    :param directory: where it is, or will be; an absolute path.
    :param environment: the directory of its virtual environment.
    """

    def __init__(self, directory: str = DIRECTORY, environment: str | None = None) -> None:
        self.directory = directory
        self.environment = environment or os.path.join(directory, "venv")
        self._processes = Processes(self)

    def run(self, *parts: str) -> str:
        """:return: a path in the directory, as :class:`Processes` asks for it."""
        return os.path.join(self.directory, *parts)

    def log(self, name: str) -> str:
        """:return: the path of the log of one of the processes."""
        return self.run("log", name + ".log")

    def settings(self) -> Settings | None:
        try:
            return Settings.load(self.directory)
        except FileNotFoundError:
            return None

    def prepare(self, repository: str = ROOT) -> Settings:
        """
        Install it, unless it is, and check its configuration.

        :raises RigError: when something is missing or wrong.
        """
        if not has_cairo():
            raise RigError(f"the badges need {CAIRO}: apt-get install {CAIRO}")
        for directory in ("", "secrets", "worker", "log"):
            os.makedirs(self.run(directory), mode=0o700, exist_ok=True)
        self._install()
        settings = self._chosen(repository)
        settings.save()
        self._make_password()
        with step("checking the master's configuration"):
            configuration = "--config=" + os.path.join(HERE, "master.cfg")
            create = ["create-master", "--quiet", "--force", "--no-logrotate", configuration]
            self._buildbot(*create, self.run("master"))
            self._buildbot("checkconfig", self.run("master"))
        return settings

    def _install(self) -> None:
        with open(REQUIREMENTS, encoding="utf-8") as requirements:
            wanted = [sys.executable, requirements.read()]

        def make() -> None:
            ensure_venv(sys.executable)
            with step("installing Buildbot from the package index"):
                log = self.log("install")
                logged(log, [sys.executable, "-m", "venv", "--clear", self.environment])
                pip = [os.path.join(self.environment, "bin", "python"), "-m", "pip"]
                pip += ["--disable-pip-version-check", "install"]
                logged(log, [*pip, "--requirement", REQUIREMENTS])

        make_once(self.environment, wanted, make)

    def _chosen(self, repository: str) -> Settings:
        """The ports stay what they were: people have bookmarks."""
        before = self.settings()
        if before is None:
            ports = free_ports(["web", "worker"])
        else:
            ports = {"web": before.web_port, "worker": before.worker_port}
        return Settings(
            directory=self.directory,
            repository=repository,
            branch=branch_of(repository),
            python=sys.executable,
            version="{}.{}".format(*sys.version_info),
            web_port=ports["web"],
            worker_port=ports["worker"],
        )

    def _make_password(self) -> None:
        path = self.run("secrets", WORKER_PASSWORD)
        if not os.path.exists(path):
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as secret:
                secret.write(secrets.token_hex(24) + "\n")

    def _buildbot(self, *arguments: str) -> None:
        program = os.path.join(self.environment, "bin", "buildbot")
        logged(self.log("buildbot"), [program, *arguments], cwd=self.directory)

    def is_up(self) -> bool:
        return all(self._processes.pid(name) for name in ("master", "worker"))

    def start(self) -> Rest:
        """
        Start it, and wait until its worker is there.

        :raises RigError: when it does not come; then none of it runs.
        """
        settings = Settings.load(self.directory)
        rest = Rest(settings.url)
        try:
            with step("starting Buildbot"):
                self._start("master", self.run("master", "buildbot.tac"))
                self._start("worker", os.path.join(HERE, "worker.tac"))
                until("the worker is connected", lambda: self._connected(rest))
        except BaseException:
            self.stop()
            raise
        return rest

    def _start(self, name: str, tac: str) -> None:
        twistd = [os.path.join(self.environment, "bin", "twistd")]
        twistd += ["--nodaemon", "--no_save", "--pidfile=", "--rundir", self.run(name)]
        self._processes.start(name, [*twistd, "--python", tac], surroundings(os.environ))

    def _connected(self, rest: Rest) -> bool:
        for name in ("master", "worker"):
            self._processes.check(name)
        return any(worker["connected_to"] for worker in rest.get("workers"))

    def stop(self) -> None:
        """Stop all that was started: builds first, that they may clear up."""
        settings = self.settings()
        if settings is not None and self.is_up():
            self._stop_builds(Rest(settings.url))
        self._processes.stop([n for n in ("worker", "master") if n in self._processes.names()])
        self._end_rest()

    def _end_rest(self) -> None:
        """End what builds started and did not wait for; it may clear up, too."""
        worker = self.run("worker")
        try:
            until("what builds started ends", lambda: not working_in(worker), CLEARING_UP)
        except RigError as error:
            say(str(error))
        for pid in working_in(worker):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def _stop_builds(self, rest: Rest) -> None:
        try:
            rest.cancel_all()
            with step("stopping builds"):
                until("builds stop", rest.idle, CLEARING_UP)
        except (OSError, RigError) as error:
            say(f"builds may have left something behind: {error}")
