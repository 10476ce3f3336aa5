# -*- test-case-name: tests.cli.test_app -*-
"""
The common parts of the commands: from the global options to a driver, and from an operation's
outcome to output and an exit code.
"""

from __future__ import annotations

import glob
import os
import signal
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Callable, cast
from uuid import UUID

import attr
import click
from rich.console import Console, RenderableType
from twisted.web.iweb import IAgent

from .._assembly import driver_for, volume_service
from .._configuration.configuration import Configuration, variables
from .._configuration.keys import KEYS
from ..clouds.interface import IVolumeService
from ..driver.operations import BlockDeviceDriver
from ..errors import InvalidConfiguration
from .errors import Explanation, explain
from .observed import Observe, ObservedService, SentRequests
from .running import CommandInterrupted, IReactor, run
from .terminal import SafeConsole, as_json, echo, one_line

#: The files that configure an agent; the first that exists is used.
SEARCH_PATH = ("/etc/flocker/agent.yml", "/etc/txstorage/agent.yml")

# Output that goes to no terminal is not wrapped.
_WIDTH_WITHOUT_TERMINAL = 10_000


@attr.s(frozen=True, auto_attribs=True)
class CommandResult:
    """
    A command's result.

    :ivar document: the result as a JSON value, printed with ``--json``.
    :ivar shown: the result as text or a renderable, printed without ``--json``.
    :ivar ok: whether the process ends with exit code 0, else 1.
    :ivar errors: the failures of a part, printed after ``shown``; ``document`` contains them.
    """

    document: Any
    shown: str | RenderableType
    ok: bool = True
    errors: Sequence[Explanation] = ()


@attr.s(frozen=True, auto_attribs=True)
class ConfiguredCloud:
    """
    A configuration's cloud.

    :ivar service: the :class:`~txstorage.clouds.IVolumeService`.
    :ivar driver: the driver on top of it.
    """

    configuration: Configuration
    service: IVolumeService
    driver: BlockDeviceDriver


def default_state_dir() -> str:
    """The default state directory of the embedded service."""
    if os.geteuid() == 0:
        return "/var/lib/txstorage"
    return os.path.expanduser("~/.local/share/txstorage")


def state_dir_agent(directory: str) -> str | None:
    """
    Find the ``agent.yml`` that an embedded service has written for its first node.

    :param directory: the state directory, which may not exist.
    """
    found = sorted(glob.glob(os.path.join(glob.escape(directory), "agent-*.yml")))
    return found[0] if found else None


@attr.s(frozen=True, auto_attribs=True)
class App:
    """
    The global options, and what a command needs from its surroundings.

    :ivar config: the path of an ``agent.yml``, or ``None``.
    :ivar cluster_id: replaces the configuration's.
    :ivar json: whether to answer machines.
    :ivar environ: the environment.
    :ivar run: calls an operation with the reactor; returns its result.
    :ivar agent: an ``IAgent`` to use instead of a verifying one.
    :ivar search_path: the files to use when none is named; the first that exists.
    :ivar state_dir: the state directory of the embedded service to use when neither a file nor a
        variable configures another.
    :ivar sent: the requests for changes that the command has sent.
    :ivar verbose: whether standard error shows the requests, which leaves no room for a spinner.
    :ivar outcomes: the outcomes so far, printed with the error of a command that ends early.
    """

    config: str | None = None
    cluster_id: UUID | None = None
    json: bool = False
    environ: Mapping[str, str] = attr.ib(default=os.environ, repr=False)
    run: Callable[[Callable[[IReactor], Coroutine[Any, Any, Any]]], Any] = run
    agent: IAgent | None = None
    search_path: tuple[str, ...] = SEARCH_PATH
    state_dir: str = attr.ib(factory=default_state_dir)
    sent: SentRequests = attr.ib(factory=SentRequests, repr=False)
    verbose: bool = False
    outcomes: dict[str, Any] = attr.ib(factory=dict)

    # -- configuration -----------------------------------------------------

    def source(self) -> str | None:
        """
        :return: the path of the ``agent.yml`` to use; ``None`` for the environment.
        """
        named = self.config or self.environ.get("TXSTORAGE_CONFIG")
        if named:
            return named
        for path in self.search_path:
            if os.path.exists(path):
                return path
        return None if self._given() else state_dir_agent(self.state_dir)

    def _given(self) -> list[str]:
        known = {name for key in KEYS for name in variables(key.name)}
        return sorted(name for name in known if self.environ.get(name))

    def variables(self) -> list[str]:
        """
        :return: the names of the environment's variables that configure the driver.
        :raises InvalidConfiguration: no such variable is set.
        """
        given = self._given()
        if not given:
            places = ", ".join([*self.search_path, self.state_dir + "/agent-*.yml"])
            raise InvalidConfiguration(
                "config",
                f"no file is named, none of {places} exists, and no variable is set",
                "name an agent.yml with --config or TXSTORAGE_CONFIG ('txstorage serve' makes "
                "one), or set OS_AUTH_URL and the like, or for EC2 TXSTORAGE_AUTH_PLUGIN=ec2 and "
                "the like",
            )
        return given

    def configuration(self) -> Configuration:
        """
        :raises InvalidConfiguration: the error names the key and its file or variable.
        """
        overrides: dict[str, Any] = {}
        if self.cluster_id is not None:
            overrides["cluster_id"] = self.cluster_id
        path = self.source()
        if path is None:
            self.variables()
            return Configuration.from_environment(self.environ, **overrides)
        return Configuration.from_file(path, **overrides)

    def service(self, reactor: IReactor) -> IVolumeService:
        """
        :raises InvalidConfiguration: the error names the key and its file or variable.
        """
        return volume_service(reactor, self.configuration(), self.agent)

    def cloud(self, reactor: IReactor, observe: Observe | None = None) -> ConfiguredCloud:
        """
        :param reactor: the reactor.
        :param observe: called with the status of each volume that the service returns.
        :raises InvalidConfiguration: the error names the key and its file or variable.
        """
        configuration = self.configuration()
        service: IVolumeService = volume_service(reactor, configuration, self.agent)
        if observe is not None:
            service = cast(IVolumeService, ObservedService(service, observe, self.sent))
        return ConfiguredCloud(configuration, service, driver_for(reactor, configuration, service))

    # -- output ------------------------------------------------------------

    def perform(
        self,
        operation: Callable[[IReactor], Coroutine[Any, Any, CommandResult]],
        endless: bool = False,
    ) -> None:
        """
        Run an operation, and print its result or its error.

        :param operation: called with the reactor.
        :param endless: whether Ctrl-C is its ordinary end, and not an error.
        :raises SystemExit: the operation failed.
        """
        try:
            self.say(self.run(operation))
        except (BrokenPipeError, click.ClickException, click.Abort):
            # For click.  When the reader has closed the pipe, click ends silently.
            raise
        except Exception as error:
            if endless and isinstance(error, CommandInterrupted) and error.number == signal.SIGINT:
                return
            explanation = attr.evolve(explain(error, str(self.sent)), details=self.outcomes)
            explanation.report(self.json)
            raise SystemExit(explanation.exit_code)

    def say(self, answer: CommandResult) -> None:
        """
        :raises SystemExit: the result is not ok.
        """
        if self.json:
            click.echo(as_json(answer.document))
        elif isinstance(answer.shown, str):
            echo(answer.shown, nl=bool(answer.shown))
        else:
            self._show(answer.shown)
        if not self.json:
            for each in answer.errors:
                each.report(as_json=False)
        if not answer.ok:
            raise SystemExit(1)

    def _show(self, shown: RenderableType) -> None:
        console = self.console()
        if console.is_terminal:
            # The words that are longer than the line, such as ids, are not cut.
            console.print(shown, crop=False)
            return
        with console.capture() as captured:
            console.print(shown)
        # A table's last column is padded with blanks, which are removed.
        click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))

    def warn(self, message: str) -> None:
        """Print a warning on standard error, unless the output is JSON."""
        self.note("Warning: " + message)

    def note(self, message: str) -> None:
        """Print a remark on standard error, unless the output is JSON."""
        if not self.json:
            echo(one_line(message), err=True)

    def console(self) -> Console:
        """Return the console of standard output."""
        console = SafeConsole(highlight=False, markup=False, emoji=False)
        if not console.is_terminal:
            console.width = _WIDTH_WITHOUT_TERMINAL
        return console

    def progress_console(self) -> Console:
        """Return the console of standard error, which is not a terminal if it shows no progress."""
        quiet = self.json or self.verbose
        return SafeConsole(stderr=True, quiet=quiet, force_terminal=False if quiet else None)


__all__: tuple[str, ...] = ("CommandResult", "App", "ConfiguredCloud", "default_state_dir")
