"""QEMU, without KVM: the hardware of one guest, which changes while the guest runs."""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass

from ...run import ROOT
from .initramfs import AGENT
from .messages import ConnectionFailed, Messages

#: The environment variable with the path of a JSON object: the guests' Pythons, and the fields of
#: an :class:`Image` for each.
VARIABLE = "TXSTORAGE_GUESTS"
QEMU = "qemu-system-x86_64"
#: Seconds for an answer; QEMU starts in less than one, on an idle machine.
PATIENCE = 120
#: The lines of the console that an error message has.
CONSOLE = 40
#: Ends QEMU with this process, however that ends.
WITH_PARENT = ["setpriv", "--pdeathsig", "KILL"]
#: The machine has an IDE controller of its own.
HARDWARE = """\
-machine pc,accel=tcg -cpu max -m 512 -nodefaults -no-user-config -display none -no-reboot
-device virtio-scsi-pci,id=scsi
""".split()


class GuestError(Exception):
    """A guest does not do what it should; the text has the end of its console."""


class RequestRefused(Exception):
    """QEMU refused a request."""


@dataclass(frozen=True)
class Image:
    """
    The parts that a guest is made of.

    :ivar python: the path of the interpreter, in the guest and here.
    :ivar kernel: the path of the kernel.
    :ivar initramfs: the path of the initial file system.
    """

    python: str
    kernel: str
    initramfs: str


def ide(volume):
    """:return: the options of QEMU for a volume on an IDE disk; none can be plugged in later."""
    node = f"driver=raw,node-name=ide,file.driver=file,file.filename={volume.path}"
    return ["-blockdev", node, "-device", "ide-hd,drive=ide,bus=ide.0"]


def command_line(image, console, monitor, port):
    """
    :param image: the :class:`Image`.
    :param console: the path of the file for the console's output.
    :param monitor: the file descriptor of QEMU's monitor.
    :param port: the file descriptor of the agent's port.
    :return: list, the command that starts QEMU.
    """
    # The kernel hands its init the variables and words that it does not know itself.
    surroundings = f"PYTHONPATH={ROOT} PYTHONWARNINGS=ignore LC_ALL=C.UTF-8"
    booted = f"console=ttyS0 quiet panic=-1 rdinit={image.python} {surroundings} -- -m {AGENT}"
    return [
        *WITH_PARENT,
        QEMU,
        *HARDWARE,
        *("-kernel", image.kernel, "-initrd", image.initramfs, "-append", booted),
        *("-chardev", f"file,id=console,path={console}", "-serial", "chardev:console"),
        *("-chardev", f"socket,id=agent,fd={port}", "-serial", "chardev:agent"),
        *("-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control"),
    ]


class Hypervisor:
    """
    A running QEMU.

    :param image: the :class:`Image`.
    :param directory: an existing directory for the console's output.
    :param options: further options of QEMU.

    :ivar pid: the process id.
    :ivar port: the :class:`~tests.guests.machines.messages.Messages` of the guest's agent.
    """

    def __init__(self, image, directory, options=()):
        self._console = os.path.join(directory, "console.log")
        self._requests = 0
        self._plugged = {}
        monitor, monitor_end = socket.socketpair()
        port, port_end = socket.socketpair()
        ends = [monitor_end.fileno(), port_end.fileno()]
        command = [*command_line(image, self._console, *ends), *options]
        with monitor_end, port_end, open(self._console, "ab") as errors:
            self._process = subprocess.Popen(
                command, pass_fds=ends, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
            )
        self.pid = self._process.pid
        self._monitor, self.port = Messages(monitor), Messages(port)
        try:
            self.take(self._monitor, lambda message: "QMP" in message)
            self._execute("qmp_capabilities")
        except BaseException:
            self.close()
            raise

    def close(self):
        """End the guest at once."""
        self._process.kill()
        self._process.wait()
        self._monitor.close()
        self.port.close()

    def take(self, messages, wanted, seconds=PATIENCE):
        """
        Take a message, as :meth:`~tests.guests.machines.messages.Messages.take` does.

        :raises GuestError: there is none.
        """
        try:
            return messages.take(wanted, seconds)
        except ConnectionFailed as error:
            with open(self._console, errors="replace") as console:
                last = "".join(console.readlines()[-CONSOLE:])
            raise GuestError(f"{error}; the end of the guest's console:\n{last}") from error

    def _execute(self, command, **arguments):
        """
        Send a request to the monitor.  Source: the QEMU Machine Protocol.

        :return: the answer.
        :raises RequestRefused: QEMU refused.
        """
        self._requests += 1
        number = self._requests
        self._monitor.send({"execute": command, "arguments": arguments, "id": number})
        answer = self.take(self._monitor, lambda message: message.get("id") == number)
        if "error" in answer:
            raise RequestRefused(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def plug(self, volume, disk):
        """
        Plug a volume in, as libvirt does.

        :param volume: a :class:`~tests.guests.machines.volumes.Volume`.
        :param disk: a :class:`~tests.guests.machines.volumes.Disk`.
        """
        node, name = f"node{self._requests}", f"disk{self._requests}"
        file = {"driver": "file", "filename": volume.path}
        self._execute("blockdev-add", **{"driver": "raw", "node-name": node, "file": file})
        self._execute("device_add", driver=disk.driver, id=name, drive=node, **disk.properties)
        self._plugged[volume.id] = (name, node)

    def begin_unplug(self, volume):
        """Request that the guest release a volume."""
        self._execute("device_del", id=self._plugged[volume.id][0])

    def end_unplug(self, volume):
        """Wait until the guest has released a volume."""
        name, node = self._plugged.pop(volume.id)

        def is_deleted(message):
            data = message.get("data", {})
            return message.get("event") == "DEVICE_DELETED" and data.get("device") == name

        self.take(self._monitor, is_deleted)
        self._execute("blockdev-del", **{"node-name": node})

    def unplug(self, volume):
        """Unplug a volume, unless it is unplugged."""
        if volume.id in self._plugged:
            self.begin_unplug(volume)
            self.end_unplug(volume)

    def resize(self, volume):
        """Report a volume's new size to the guest."""
        node = self._plugged[volume.id][1]
        self._execute("block_resize", **{"node-name": node, "size": volume.size})


__all__ = ["QEMU", "VARIABLE", "GuestError", "Hypervisor", "Image", "RequestRefused", "ide"]
