"""A guest: a virtual machine whose only process is the agent."""

from __future__ import annotations

from .hypervisor import Hypervisor

#: Seconds for the boot, which takes about ten on an idle machine.
BOOT = 240


class SearchFailed(Exception):
    """
    A search in a guest failed.

    :param name: the name of the exception's class in the guest.
    :param message: the exception's text.
    """

    def __init__(self, name, message):
        Exception.__init__(self, f"{name}: {message}")


class Guest:
    """
    A guest that is up.

    :param image: the :class:`~tests.guests.machines.hypervisor.Image`.
    :param directory: an existing directory for the console's output.
    :param options: further options of QEMU.

    :ivar version: the version of the guest's Python.
    :ivar hardware: the :class:`~tests.guests.machines.hypervisor.Hypervisor`.
    """

    def __init__(self, image, directory, options=()):
        self._searches = 0
        self.hardware = Hypervisor(image, directory, options)
        try:
            self.version = self._take(lambda said: "ready" in said, BOOT)["ready"]
        except BaseException:
            self.close()
            raise

    def close(self):
        """End the guest at once."""
        self.hardware.close()

    def _take(self, wanted, *seconds):
        return self.hardware.take(self.hardware.port, wanted, *seconds)

    def begin(self, call, **arguments):
        """
        Begin a search in the guest.

        :param call: the name of a method of the agent, without ``do_``.
        :param arguments: of the method.
        :return: the number of the search.
        """
        self._searches += 1
        self.hardware.port.send({"id": self._searches, "call": call, **arguments})
        return self._searches

    def look(self, search):
        """
        Wait for the outcome of an unfinished search's next look that differs from the last.

        :return: dict.
        """
        return self._take(lambda said: said["id"] == search and "look" in said)["look"]

    def looks(self, search):
        """:return: list of the outcomes of a finished search's looks that :meth:`look` left."""
        kept = self.hardware.port.take_kept(lambda said: said["id"] == search and "look" in said)
        return [said["look"] for said in kept]

    def result(self, search):
        """
        Wait for the end of a search.

        :return: its result.
        :raises SearchFailed: it has none.
        """
        reply = self._take(lambda said: said["id"] == search and "look" not in said)
        if "error" in reply:
            raise SearchFailed(reply["error"], reply["message"])
        return reply["result"]

    def call(self, call, **arguments):
        """:return: the result of a search, as :meth:`result` returns it."""
        return self.result(self.begin(call, **arguments))


__all__ = ["Guest", "SearchFailed"]
