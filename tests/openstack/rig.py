"""
A real OpenStack on this machine: Keystone, Cinder, Placement and Nova, on loopback, with sparse
files
for volumes and loop devices for disks.

    python -m tests.openstack.rig up        bring it up; the first time takes minutes
    python -m tests.openstack.rig status    list the running services and their addresses
    python -m tests.openstack.rig stop NAME ...    stop some services
    python -m tests.openstack.rig start NAME ...   start them again, and wait for them
    python -m tests.openstack.rig down      stop all of it, and remove all but the logs

Use it for tests that break services, and for trying the driver by hand; ``make test-openstack``
runs all of it by itself.  Its files are in ``.openstack``; remove that directory, when the rig is
down, and only Debian's RabbitMQ is left.
"""

import argparse
import fcntl
import json
import os
import shutil
import sys
from contextlib import contextmanager, nullcontext

from ..helpers.loops import detach_below
from ..run import ROOT
from . import bootstrap, services
from .configuration import write_all
from .installation import install
from .layout import Layout, write
from .processes import Processes
from .progress import RigError, say, step
from .schemas import make_databases, make_keys

DIRECTORY = os.path.join(ROOT, ".openstack")
DESCRIPTION = "cloud.json"


class Rig:
    """:param directory: the rig's directory; an absolute path."""

    def __init__(self, directory=DIRECTORY):
        self.directory = os.path.abspath(directory)
        self._layout = Layout.load(self.directory)

    @property
    def description(self):
        """The path of the description for tests; see :func:`bootstrap.describe`."""
        return os.path.join(self.directory, "run", DESCRIPTION)

    @property
    def logs(self):
        return os.path.join(self.directory, "run", "log")

    @contextmanager
    def held(self):
        """
        A context for bringing the rig up or taking it down.

        :raises RigError: another process does so now.
        """
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        with open(os.path.join(self.directory, "lock"), "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RigError("somebody else works with " + self.directory) from None
            self._layout = Layout.load(self.directory)
            yield

    def up(self):
        """
        Bring the rig up, unless it is.

        :raises RigError: it can't be brought up; only the logs are left then.
        """
        install(self.directory)
        if self.is_up():
            return say("OpenStack is up already")
        self.down()
        shutil.rmtree(self.logs, ignore_errors=True)
        self._layout = Layout(self.directory)
        try:
            self._layout.save()
            self._bring_up()
        except BaseException:
            say("failed; the services' logs are in " + self.logs)
            self.down()
            raise

    def _bring_up(self):
        layout, processes = self._layout, Processes(self._layout)
        write_all(layout)
        # programs that are slow without it
        self._start("epmd", "rabbit")
        make_databases(layout)
        with step("starting Keystone"):
            make_keys(layout)
            self._start("keystone")
            services.wait_until_listening(layout, processes, "rabbit", "keystone")
            bootstrap.register(layout)
        with step("starting Cinder and Nova"):
            self._start(*[name for name in services.SERVICES if name != "nova-compute"])
            services.wait_until_listening(layout, processes, "placement", "nova-api", "cinder-api")
            self._start("nova-compute")
            listening = [s.name for s in services.SERVICES.values() if s.port]
            services.wait_until_listening(layout, processes, *listening)
            self._wait_until_healthy()
        with step("making servers"):
            servers = bootstrap.furnish(layout)
        control = [sys.executable, "-m", "tests.openstack.rig", "--directory", self.directory]
        description = bootstrap.describe(layout, servers, control)
        write(self.description, json.dumps(description, indent=2) + "\n")
        say("OpenStack is up")

    def _start(self, *names):
        for name in services.only(names):
            services.start(self._layout, Processes(self._layout), name)

    def _wait_until_healthy(self):
        processes = Processes(self._layout)
        bootstrap.wait_until_healthy(self._layout, lambda: services.check_all(processes))

    def is_up(self):
        """:return: whether every service runs."""
        if self._layout is None or not os.path.exists(self.description):
            return False
        processes = Processes(self._layout)
        return all(processes.pid(name) is not None for name in services.SERVICES)

    def _check_up(self):
        if self._layout is None:
            raise RigError("OpenStack is not up")

    def start(self, names):
        """Start services that were stopped; returns when everything works again."""
        self._check_up()
        self._start(*names)
        processes = Processes(self._layout)
        listening = [name for name in services.only(names) if services.SERVICES[name].port]
        services.wait_until_listening(self._layout, processes, *listening)
        self._wait_until_healthy()

    def stop(self, names):
        """Stop services."""
        self._check_up()
        Processes(self._layout).stop(services.only(names)[::-1])

    def status(self):
        """Print the running services."""
        self._check_up()
        processes = Processes(self._layout)
        for name, service in services.SERVICES.items():
            pid = processes.pid(name)
            port = self._layout.ports.get(service.port, "")
            print("{:<18} {:>8} {:>6}".format(name, pid or "-", port))

    def down(self):
        """Stop everything that was started, and remove everything that was made but the logs."""
        run = os.path.join(self.directory, "run")
        if self._layout is not None:
            processes = Processes(self._layout)
            remembered = processes.names()
            # the message bus last, and epmd after that
            for names in (set(remembered) - {"rabbit", "epmd"}, {"rabbit"}, {"epmd"}):
                processes.stop([name for name in names if name in remembered])
        detach_below(os.path.join(run, "volumes"))
        for name in os.listdir(run) if os.path.isdir(run) else ():
            path = os.path.join(run, name)
            if os.path.isfile(path):
                os.unlink(path)
            elif path != self.logs:
                shutil.rmtree(path)
        self._layout = None


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--directory", default=DIRECTORY, help="where it is (%(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "status", "down"):
        commands.add_parser(name)
    for name in ("start", "stop"):
        commands.add_parser(name).add_argument("names", nargs="+", metavar="NAME")
    options = parser.parse_args()
    rig = Rig(options.directory)
    arguments = [options.names] if options.command in ("start", "stop") else []
    try:
        with rig.held() if options.command in ("up", "down") else nullcontext():
            getattr(rig, options.command)(*arguments)
    except RigError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
