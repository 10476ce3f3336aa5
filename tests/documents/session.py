"""
The shell in which a document's commands are typed.

The shell has its own namespaces, so that a document's commands meet nothing else on the machine: a
network with only loopback, so that ports are free and nothing outside is reached; mounts, so that
``/var/tmp`` and the home directory are empty; and processes, so that none outlives the shell.

A command in the background has a terminal of its own, as a reader has: it inherits no variables of
the other commands.  Neither do those, which are typed in another terminal once the first such
command runs.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from tests.documents.blocks import ROOT, Block, dialogue
from tests.documents.output import Learned
from tests.run import ENVIRONMENT
from txstorage._support import loop_devices

#: Seconds that commands of most documents may take.
PATIENCE = 180
#: Seconds between two looks at the progress of a command in the background.
_LOOK_AGAIN = 0.05
#: Seconds in which a detached device disappears.
_LETTING_GO = 20
_OPTIONS = ["--noprofile", "--norc"]
#: The directory in which each session makes its own.
PRIVATE = "/var/tmp"

# From linux/if.h and linux/sockios.h.
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1

#: A mount that exists outside while the namespace begins would stay in use inside, and could
#: not be detached outside: the first command releases all of them.
_LET_GO = """awk '$1 ~ "^/dev/loop" { print $2 }' /proc/self/mounts | xargs -r umount --lazy
exec "$@"
"""

#: The prompts of a Python that is not in a terminal; what is typed is not echoed.
_PROMPTS = re.compile(r"^(?:(?:>>>|\.\.\.) )+", re.MULTILINE)

#: The effect of Ctrl-C on a command in another terminal.
_END = "kill -INT -- -{0} 2>/dev/null || kill {0}; wait {0} 2>/dev/null"


class Mistake(Exception):
    """A statement of a document that is not true."""


class Session:
    """
    A shell, which keeps its directory and its variables from block to block.

    :param variables: variables that the reader had set before.
    :param examples: see :class:`~tests.documents.output.Learned`.
    :param outside: whether its network is the machine's.
    :param changed: directories of the machine in which commands make changes: the changes stay in a
        layer above them, which is gone with the session.
    :param patience: seconds after which a command counts as hanging.
    """

    def __init__(
        self,
        variables: dict[str, str] | None = None,
        examples: dict[str, str] | None = None,
        outside: bool = False,
        changed: Sequence[str] = (),
        patience: int = PATIENCE,
    ) -> None:
        self.learned = Learned(examples)
        self._patience = patience
        self.scratch = os.path.realpath(tempfile.mkdtemp(prefix="txstorage-document-"))
        os.makedirs(os.path.join(self.scratch, "private", "home"))
        self._marks = 0
        self._environment = {**environment(), **(variables or {})}
        self._terminals = 1
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        command += [] if outside else ["--net"]
        inside = [sys.executable, "-m", "tests.documents.session"]
        inside += ["outside" if outside else "apart", self.scratch, *changed]
        self._shell = subprocess.Popen(
            [*command, "sh", "-c", _LET_GO, "sh", *inside],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def execute(self, block: Block) -> None:
        """
        Execute a block.

        :raises Mistake: its outcome differs from the document's.
        """
        if block.ctrl_c:
            self._type("job=$(jobs -rp | tail -n 1); " + _END.format("$job"))
        if block.language != "console":
            self._write(block)
            return
        for number, (command, shown) in enumerate(block.commands):
            last = number == len(block.commands) - 1
            if block.background:
                self._start(block, command, shown)
            else:
                self._run(block, command, shown, fails=last and block.fails)

    def close(self) -> None:
        """
        End everything that was started, in the order that a reader would, and remove what it left.
        """
        try:
            if self._shell.poll() is None:
                self._type(f"for job in $(jobs -p); do {_END.format('$job')}; done")
        finally:
            self._remove()

    def _remove(self) -> None:
        self._shell.communicate()
        for directory, _, names in os.walk(self.scratch):
            for path in (os.path.join(directory, name) for name in names):
                if os.path.isfile(path):
                    _detach(path)
        shutil.rmtree(self.scratch)

    def _write(self, block: Block) -> None:
        content = self._file("content", self.learned.typed(block.text))
        # the shell resolves a relative name in its own directory
        self._run(block, f"cp {content} {block.caption}", "", fails=False)

    def _run(self, block: Block, command: str, shown: str, fails: bool) -> None:
        typed, printed = dialogue(shown)
        came, status = self._type(self.learned.typed(command), self.learned.typed(typed))
        if typed:
            came = _PROMPTS.sub("", came)
        if (status != 0) != fails:
            raise _mistake(block, command, f"ended with {status}", came)
        if not self.learned.matches(printed, came):
            raise _mistake(block, command, "printed something else", came)

    def _start(self, block: Block, command: str, shown: str) -> None:
        if self._terminals == 1:
            # the commands that follow are typed in another terminal
            self._send(self._new_terminal(["bash", *_OPTIONS]))
        self._terminals += 1
        log = self._file(f"terminal-{self._terminals}", "")
        terminal = self._new_terminal(["bash", *_OPTIONS, "-c", self.learned.typed(command)])
        # with its own process group, which can be interrupted
        self._type(f"set -m; ( {terminal} ) >{log} 2>&1 &\nset +m")
        deadline = time.monotonic() + self._patience
        while True:
            with open(log, encoding="utf-8") as opened:
                came = opened.read()
            if self.learned.matches(shown, came):
                return
            if time.monotonic() > deadline or self._type("jobs -rp")[0].strip() == "":
                raise _mistake(block, command, "did not get to what is shown", came)
            time.sleep(_LOOK_AGAIN)

    def _new_terminal(self, command: list[str]) -> str:
        """A command for the shell that replaces it by a new one, as it was at the beginning."""
        variables = [f"{name}={value}" for name, value in self._environment.items()]
        return (
            f"cd {ROOT}; exec {shlex.join(['env', '--ignore-environment', *variables, *command])}"
        )

    def _file(self, name: str, content: str) -> str:
        path = os.path.join(self.scratch, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        return path

    def _type(self, command: str, typed: str = "") -> tuple[str, int]:
        """
        :param typed: the input of the command.
        :return: the command's output, and its exit status.
        """
        self._marks += 1
        mark = f"--- end of {self._marks}"
        script, given = self._file("command", command + "\n"), self._file("input", typed)
        # in this shell, and without the shell's own input
        self._send(f". {script} <{given}\nprintf '\\n%s: %d\\n' '{mark}' $?")
        return self._until(mark, command)

    def _send(self, line: str) -> None:
        self._shell.stdin.write(line + "\n")  # type: ignore[union-attr]
        self._shell.stdin.flush()  # type: ignore[union-attr]

    def _until(self, mark: str, command: str) -> tuple[str, int]:
        lines: list[str] = []
        # a hanging command is killed, which ends the output
        signal.signal(signal.SIGALRM, lambda *_: self._shell.kill())
        signal.alarm(self._patience)
        try:
            for line in self._shell.stdout:  # type: ignore[union-attr]
                if line.startswith(mark):
                    return "".join(lines)[:-1], int(line.rsplit(": ")[1])
                lines.append(line)
        finally:
            signal.alarm(0)
        raise Mistake(f"the shell ended at: {command}\n" + "".join(lines))


def _mistake(block: Block, command: str, what: str, came: str) -> Mistake:
    return Mistake(f"{block.page}, line {block.line}: $ {command}\n{what}:\n{came}")


def environment() -> dict[str, str]:
    """The environment of a reader's own shell, in which no virtual environment is activated."""
    fixed = {"PATH": _path(), "HOME": PRIVATE + "/home", "LANG": "C.UTF-8", "COLUMNS": "118"}
    # the interpreter that the person who runs the tests has chosen, if any: make reads it
    chosen = {name: value for name, value in os.environ.items() if name == "PYTHON"}
    return {**fixed, **chosen}


def _path() -> str:
    """The search path, without virtual environments and without the checkout's own programs."""
    own = (sys.prefix, ROOT, os.environ.get("VIRTUAL_ENV", ROOT))
    return os.pathsep.join(
        directory
        for directory in os.environ["PATH"].split(os.pathsep)
        if os.path.isabs(directory) and not f"{directory}/".startswith(tuple(f"{o}/" for o in own))
    )


def obstacle() -> str:
    """The reason why documents that use the checkout's environment can't be followed, or none."""
    if os.geteuid() != 0:
        return "only root may make namespaces and loop devices"
    if ROOT.startswith(PRIVATE + "/"):
        return f"the documents need {PRIVATE}, where this checkout is"
    if os.path.realpath(sys.prefix) != os.path.realpath(ENVIRONMENT):
        return "the documents say .venv; this runs in another environment"
    if os.path.islink(ENVIRONMENT):
        return "this checkout's .venv is another's, with the code that is installed there"
    if _chosen_by_make() != os.path.realpath(sys.executable):
        return "make would make .venv again, with another Python: use 'make test'"
    return ""


def _chosen_by_make() -> str:
    """The path of the Python that make chooses for a reader."""
    shown = "import os, sys; print(os.path.realpath(sys.executable))"
    made = subprocess.run(
        ["make", "--no-print-directory", "--eval", f"chosen: ; @$(PYTHON) -c '{shown}'", "chosen"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def devices_on(path: str) -> list[str]:
    """The loop devices of a file, regardless of the path with which they were created."""
    found = subprocess.run(
        ["losetup", "--associated", path, "--noheadings", "--output", "NAME"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return found.stdout.split()


def until_gone(path: str) -> None:
    """
    Wait until a file has no loop device: a device that another process has open is detached only
    when that process closes it.

    :raises Mistake: a device remains.
    """
    deadline = time.monotonic() + _LETTING_GO
    while devices_on(path):
        if time.monotonic() > deadline:
            raise Mistake(f"{devices_on(path)} stays on {path}")
        time.sleep(_LOOK_AGAIN)


def _detach(path: str) -> None:
    for device in devices_on(path):
        loop_devices.detach(device, path)
    until_gone(path)


def _inside(network: str, scratch: str, *changed: str) -> None:
    """The script that begins in the new namespaces."""
    if changed:
        _put_layers(scratch, changed)
    own = os.path.join(scratch, "private")
    subprocess.run(["mount", "--bind", own, PRIVATE], check=True)
    # a document that made it anew would fail without a network, and break it
    if os.path.exists(ENVIRONMENT):
        subprocess.run(["mount", "--bind", ENVIRONMENT, ENVIRONMENT], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", ENVIRONMENT], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)
    if network == "apart":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            up = struct.pack("16sh14x", b"lo", _IFF_UP)
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, up)
    os.execvp("bash", ["bash", *_OPTIONS])


def _put_layers(scratch: str, changed: Sequence[str]) -> None:
    """Put a layer in memory above directories, to receive their changes."""
    layers = os.path.join(scratch, "layers")
    os.mkdir(layers)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", layers], check=True)
    for number, directory in enumerate(changed):
        upper, work, below = (
            os.path.join(layers, f"{part}-{number}") for part in ("upper", "work", "below")
        )
        for path in (upper, work, below):
            os.mkdir(path)
        # a layer hides the mounts below its directory, such as a container's resolv.conf
        covered = [path for path in _mounted() if path.startswith(directory + "/")]
        subprocess.run(["mount", "--rbind", directory, below], check=True)
        options = f"lowerdir={directory},upperdir={upper},workdir={work}"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", directory], check=True)
        for path in covered:
            source = os.path.join(below, os.path.relpath(path, directory))
            subprocess.run(["mount", "--bind", source, path], check=True)
    # the current one may be below a layer
    os.chdir(os.getcwd())


def _mounted() -> list[str]:
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        return [line.split()[1] for line in mounts]


if __name__ == "__main__":
    _inside(*sys.argv[1:])
