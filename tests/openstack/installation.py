"""
The software of the rig: RabbitMQ from Debian, and the services from the Python package index, in
the releases that ``requirements.txt`` names, in their own environment.
"""

import os
import shutil
import subprocess

from ..debian import ensure_venv
from ..run import interpreter_of, make_once
from .progress import RigError, step

PYTHON = "3.12"
RABBIT = "/usr/lib/rabbitmq/lib"
REQUIREMENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "requirements.txt")
_DEBIANS_POLICY = "/usr/sbin/policy-rc.d"


def prerequisites():
    """
    :return: the path of the Python for the services.
    :raises RigError: listing everything that is missing.
    """
    interpreter = interpreter_of(PYTHON)
    missing = []
    if os.getuid() != 0:
        missing.append("root, for loop devices")
    if interpreter is None:
        missing.append("Python {} (on the PATH, or under pyenv)".format(PYTHON))
    if not os.path.isdir(RABBIT) and shutil.which("apt-get") is None:
        missing.append("rabbitmq-server, or apt-get to install it")
    for program in ("losetup", "gcc"):
        if shutil.which(program) is None:
            missing.append(program)
    if missing:
        raise RigError("a real OpenStack can't be run here; missing: " + "; ".join(missing))
    return interpreter


def logged(log, command, **options):
    """
    Run a command whose output goes to a file.

    :raises RigError: it fails; with the end of the file.
    """
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "ab") as written:
        process = subprocess.run(command, stdout=written, stderr=subprocess.STDOUT, **options)
    if process.returncode:
        with open(log, errors="replace") as said:
            last = "".join(said.readlines()[-15:])
        raise RigError("{} failed:\n{}(from {})".format(" ".join(command), last, log))


def install_rabbit(log):
    """Install Debian's RabbitMQ, if there is none, without starting it."""
    if os.path.isdir(RABBIT):
        return
    with step("installing rabbitmq-server from Debian"):
        ours = not os.path.exists(_DEBIANS_POLICY)
        if ours:
            # Debian runs this before it starts a service that it installed
            with open(_DEBIANS_POLICY, "w") as policy:
                policy.write("#!/bin/sh\nexit 101\n")
            os.chmod(_DEBIANS_POLICY, 0o755)
        try:
            environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
            apt = ["apt-get", "-q", "-y"]
            logged(log, [*apt, "update"], env=environment)
            logged(
                log,
                [*apt, "install", "--no-install-recommends", "rabbitmq-server"],
                env=environment,
            )
        finally:
            if ours:
                os.unlink(_DEBIANS_POLICY)


def install_services(directory, interpreter, log):
    """
    Make the services' environment, unless it was made from the same requirements.

    :param directory: the environment's path.
    """
    with open(REQUIREMENTS) as requirements:
        wanted = [interpreter, requirements.read()]

    def make():
        ensure_venv(interpreter)
        with step("installing OpenStack from the package index, which takes minutes"):
            logged(log, [interpreter, "-m", "venv", "--clear", directory])
            python = os.path.join(directory, "bin", "python")
            pip = [python, "-m", "pip", "--disable-pip-version-check", "install"]
            logged(log, [*pip, "--requirement", REQUIREMENTS])

    make_once(directory, wanted, make)


def install(directory):
    """Install everything that is missing."""
    interpreter = prerequisites()
    log = os.path.join(directory, "install.log")
    os.makedirs(directory, mode=0o700, exist_ok=True)
    install_rabbit(log)
    install_services(os.path.join(directory, "venv"), interpreter, log)
