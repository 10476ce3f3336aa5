"""A guest: a virtual machine of QEMU, without KVM, whose only process is the agent."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess

from ...run import ROOT
from .initramfs import AGENT
from .lines import Lines, LinesError, Mailbox

QEMU = "qemu-system-x86_64"
#: Seconds for the boot, which takes about ten on an idle machine, and for anything else.
BOOT, PATIENCE = 240, 120
#: The lines of the console that an error message has.
CONSOLE = 40
#: Ends QEMU with this process, however that ends.
WITH_PARENT = ["setpriv", "--pdeathsig", "KILL"]
#: No default hardware: an IDE controller, which the machine always has, a SCSI controller, and the
#: two serial ports, for the console and for the agent.
HARDWARE = """\
-machine pc,accel=tcg -cpu max -m 512 -nodefaults -no-user-config -display none -no-reboot
-device virtio-scsi-pci,id=scsi
""".split()


class GuestError(Exception):
    """A guest does not do what it should; the text has the end of its console."""


class RequestRefused(GuestError):
    """QEMU refused a request."""


class SearchFailed(Exception):
    """
    The agent's search failed.

    :ivar name: the name of the exception's class in the guest.
    :ivar message: the exception's text.
    """

    def __init__(self, name, message):
        Exception.__init__(self, f"{name}: {message}")
        self.name = name
        self.message = message


def command_line(python, kernel, initramfs, console, numbers):
    """
    :param python: the path of the guest's interpreter.
    :param kernel: the path of the kernel.
    :param initramfs: the path of the initial file system.
    :param console: the path of the file for the console's output.
    :param numbers: the file descriptors of QEMU's monitor and of the agent's port.
    :return: list, the command that starts QEMU.
    """
    monitor, port = numbers
    # The kernel hands its init the variables and words that it does not know itself.
    surroundings = f"PYTHONPATH={ROOT} PYTHONWARNINGS=ignore LC_ALL=C.UTF-8"
    booted = f"console=ttyS0 quiet panic=-1 rdinit={python} {surroundings} -- -m {AGENT}"
    return [
        *WITH_PARENT,
        QEMU,
        *HARDWARE,
        *("-kernel", kernel, "-initrd", initramfs, "-append", booted),
        *("-chardev", f"file,id=console,path={console}", "-serial", "chardev:console"),
        *("-chardev", f"socket,id=agent,fd={port}", "-serial", "chardev:agent"),
        *("-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control"),
    ]


class Guest:
    """
    A guest that is up.

    :param image: a dict: the paths of the interpreter (``python``), ``kernel`` and ``initramfs``.
    :param directory: an existing directory for the console.
    :param volume: a :class:`~tests.guests.machines.volumes.Volume` to boot with, on an IDE disk, or
        ``None``; no IDE disk can be plugged in later.

    :ivar version: the version of the guest's Python.
    :ivar pid: the process id of QEMU.
    """

    def __init__(self, image, directory, volume=None):
        self._console = os.path.join(directory, "console.log")
        self._requests = 0
        self._plugged = {}
        monitor, monitor_end = socket.socketpair()
        port, port_end = socket.socketpair()
        ends = [monitor_end.fileno(), port_end.fileno()]
        command = command_line(console=self._console, numbers=ends, **image)
        if volume is not None:
            command += [
                "-blockdev",
                f"driver=raw,node-name=ide,file.driver=file,file.filename={volume.path}",
            ]
            command += ["-device", "ide-hd,drive=ide,bus=ide.0"]
        with monitor_end, port_end, open(self._console, "ab") as errors:
            self._process = subprocess.Popen(
                command, pass_fds=ends, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
            )
        self.pid = self._process.pid
        self._sockets = (monitor, port)
        self._lines = (Lines(monitor), Lines(port))
        self._monitor, self._agent = map(Mailbox, self._lines)
        try:
            self._take(self._monitor, lambda message: "QMP" in message, BOOT)
            self._execute("qmp_capabilities")
            self.version = self._take(self._agent, lambda said: "ready" in said, BOOT)["ready"]
        except BaseException:
            self.close()
            raise

    def close(self):
        """End the guest at once."""
        self._process.kill()
        self._process.wait()
        for each in self._sockets:
            each.close()

    def last_words(self):
        """:return: the end of the console, text."""
        with open(self._console, errors="replace") as console:
            return "".join(console.readlines()[-CONSOLE:])

    def _take(self, mailbox, wanted, seconds=PATIENCE):
        try:
            return mailbox.take(wanted, seconds)
        except LinesError as error:
            raise GuestError(f"the guest: {error}; its console:\n{self.last_words()}") from error

    # -- hardware ----------------------------------------------------------

    def _execute(self, command, **arguments):
        """
        Have QEMU do something: the QEMU Machine Protocol.

        :return: the answer.
        :raises RequestRefused: QEMU refused.
        """
        self._requests += 1
        name = self._requests
        self._lines[0].send({"execute": command, "arguments": arguments, "id": name})
        answer = self._take(self._monitor, lambda message: message.get("id") == name)
        if "error" in answer:
            raise RequestRefused(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def plug(self, volume, disk):
        """
        Plug a volume in, as a hypervisor does.

        :param volume: a :class:`~tests.guests.machines.volumes.Volume`.
        :param disk: a :class:`~tests.guests.machines.volumes.Disk`.
        """
        self._requests += 1
        node, name = f"node{self._requests}", f"disk{self._requests}"
        file = {"driver": "file", "filename": volume.path}
        self._execute("blockdev-add", **{"driver": "raw", "node-name": node, "file": file})
        self._execute("device_add", driver=disk.driver, id=name, drive=node, **disk.properties)
        self._plugged[volume.id] = (name, node)

    def begin_unplug(self, volume):
        """Request that the guest release a volume, as a hypervisor does."""
        self._execute("device_del", id=self._plugged[volume.id][0])

    def end_unplug(self, volume):
        """Wait until the guest has released a volume."""
        name, node = self._plugged.pop(volume.id)

        def is_deleted(message):
            data = message.get("data", {})
            return message.get("event") == "DEVICE_DELETED" and data.get("device") == name

        self._take(self._monitor, is_deleted)
        self._execute("blockdev-del", **{"node-name": node})

    def unplug(self, volume):
        """Unplug a volume."""
        self.begin_unplug(volume)
        self.end_unplug(volume)

    def unplug_all(self):
        """Unplug all volumes that are plugged in."""
        for name, node in list(self._plugged.values()):
            with contextlib.suppress(RequestRefused):
                self._execute("device_del", id=name)
            self._take(self._monitor, lambda m, name=name: m.get("data", {}).get("device") == name)
            self._execute("blockdev-del", **{"node-name": node})
        self._plugged.clear()

    def resize(self, volume):
        """Report a volume's new size to the guest, as a hypervisor does."""
        node = self._plugged[volume.id][1]
        self._execute("block_resize", **{"node-name": node, "size": volume.size})

    # -- searches ----------------------------------------------------------

    def begin(self, call, **arguments):
        """
        Begin a search in the guest.

        :param call: the name of a method of the finder, or ``watch``.
        :param arguments: of the request.
        :return: the number of the search.
        """
        self._requests += 1
        self._lines[1].send({"id": self._requests, "call": call, **arguments})
        return self._requests

    def look(self, search):
        """:return: dict: the next outcome of an unfinished search that differs from the last."""
        return self._take(self._agent, lambda said: said["id"] == search and "look" in said)["look"]

    def result(self, search):
        """
        :return: the result of a search.
        :raises SearchFailed: it has none.
        """
        reply = self._take(self._agent, lambda said: said["id"] == search and "look" not in said)
        if "error" in reply:
            raise SearchFailed(reply["error"], reply["message"])
        return reply["result"]

    def call(self, call, **arguments):
        """:return: the result of a search, as :meth:`result` returns it."""
        return self.result(self.begin(call, **arguments))
