"""The services of the rig: the command, the order and the readiness check of each."""

import glob
import os
import socket
from dataclasses import dataclass

from .installation import RABBIT
from .layout import HOST, hosts, write
from .progress import RigError, until

#: The service's log line of a request: enough for the user and the count.
LOG_FORMAT = "%(ltime) request: %(method) %(uri) %(status) %(msecs) ms by %(uagent)"

INSIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inside")


@dataclass(frozen=True)
class Service:
    """
    A service.

    :ivar command: called with the layout; returns the arguments.
    :ivar port: the name of its port, or ``None``.
    :ivar environment: called with the layout; returns variables of its environment.
    """

    name: str
    command: object
    port: str = None
    environment: object = lambda layout: {}


def _wsgi(module, port, *configuration, processes=1):
    def command(layout):
        arguments = [layout.program("uwsgi"), "--module", module + ":application"]
        for host in hosts():
            place = layout.url(port, host=host).partition("//")[2]
            arguments += ["--http-socket", place]
        arguments += ["--master", "--processes", str(processes), "--threads", "4"]
        arguments += ["--enable-threads", "--lazy-apps", "--thunder-lock", "--need-app"]
        arguments += ["--die-on-term", "--worker-reload-mercy", "5", "--buffer-size", "65535"]
        arguments += ["--add-header", "Connection: close", "--log-format", LOG_FORMAT]
        if configuration:
            arguments += ["--pyargv", " ".join(_configured(layout, *configuration))]
        return arguments

    return command


def _configured(layout, name):
    return ["--config-file", layout.configuration(name + ".conf")]


def _program(name, configuration):
    return lambda layout: [layout.program(name), *_configured(layout, configuration)]


def _script(name, *arguments):
    return lambda layout: [
        layout.program("python"),
        os.path.join(INSIDE, name),
        *[argument(layout) if callable(argument) else argument for argument in arguments],
    ]


def _rabbit_command(layout):
    for directory in ("mnesia", "log"):
        os.makedirs(layout.run("rabbit", directory), exist_ok=True)
    write(
        layout.run("rabbit", "rabbitmq.conf"),
        "default_user = rig\ndefault_pass = {}\n".format(layout.passwords["rabbit"]),
    )
    write(layout.run("rabbit", "enabled_plugins"), "[].")
    # not Debian's wrapper, which insists on a system user
    [server] = sorted(glob.glob(RABBIT + "/rabbitmq_server-*/sbin/rabbitmq-server"))[-1:]
    return [server]


def _rabbit_environment(layout):
    return {
        "HOME": layout.run("rabbit"),
        "ERL_EPMD_ADDRESS": HOST,
        "ERL_EPMD_PORT": str(layout.ports["epmd"]),
        "RABBITMQ_NODENAME": "rig@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": HOST,
        "RABBITMQ_NODE_PORT": str(layout.ports["rabbit"]),
        "RABBITMQ_DIST_PORT": str(layout.ports["rabbit-distribution"]),
        "RABBITMQ_MNESIA_BASE": layout.run("rabbit", "mnesia"),
        "RABBITMQ_LOG_BASE": layout.run("rabbit", "log"),
        "RABBITMQ_CONFIG_FILE": layout.run("rabbit", "rabbitmq"),
        "RABBITMQ_PID_FILE": layout.run("rabbit", "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": layout.run("rabbit", "enabled_plugins"),
        "RABBITMQ_FEATURE_FLAGS_FILE": layout.run("rabbit", "feature_flags"),
        # one scheduler that does not spin: the other processes need the cores
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+Q 4096 +S 1:1 +sbwt none +sbwtdcpu none "
        "+sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
    }


#: In the order in which they start; they stop in the reverse order.
SERVICES = {
    service.name: service
    for service in [
        Service(
            "epmd",
            lambda layout: ["epmd", "-address", HOST, "-port", str(layout.ports["epmd"])],
            "epmd",
        ),
        Service("rabbit", _rabbit_command, "rabbit", _rabbit_environment),
        # One process each, whose cache is in memory.
        Service("keystone", _wsgi("keystone.wsgi.api", "keystone", "keystone"), "keystone"),
        Service(
            "keystone-short",
            _wsgi("keystone.wsgi.api", "keystone-short", "keystone-short"),
            "keystone-short",
        ),
        Service(
            "cinder-api",
            _wsgi("cinder.wsgi.api", "cinder-api", "cinder", processes=2),
            "cinder-api",
        ),
        Service(
            "cinder-api-paged",
            _wsgi("cinder.wsgi.api", "cinder-api-paged", "cinder-paged"),
            "cinder-api-paged",
        ),
        Service("cinder-scheduler", _program("cinder-scheduler", "cinder")),
        Service("cinder-volume", _program("cinder-volume", "cinder")),
        Service("placement", _wsgi("placement.wsgi.api", "placement"), "placement"),
        Service(
            "neutron",
            _script("neutron_stub.py", HOST, lambda layout: str(layout.ports["neutron"])),
            "neutron",
        ),
        Service("nova-conductor", _program("nova-conductor", "nova")),
        Service("nova-scheduler", _program("nova-scheduler", "nova")),
        Service(
            "nova-api", _wsgi("nova.wsgi.osapi_compute", "nova-api", processes=2), "nova-api"
        ),
        Service(
            "nova-compute",
            _script(
                "nova_compute.py",
                "--config-file",
                lambda layout: layout.configuration("nova.conf"),
            ),
        ),
    ]
}


def environment(layout):
    """:return: the environment of every program of the services."""
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    return {
        **{key: value for key, value in os.environ.items() if key.lower() not in proxies},
        "PATH": os.pathsep.join([layout.path("venv", "bin"), os.environ["PATH"]]),
        "PYTHONPATH": INSIDE,
        "PYTHONWARNINGS": "ignore",
        "OS_NOVA_CONFIG_DIR": layout.configuration(""),
        "OS_PLACEMENT_CONFIG_DIR": layout.configuration(""),
    }


def start(layout, processes, name):
    """Start a service."""
    service = SERVICES[name]
    if processes.pid(name) is None:
        surroundings = {**environment(layout), **service.environment(layout)}
        processes.start(name, service.command(layout), surroundings)


def listens(layout, processes, name):
    """:return: whether a service listens on its port.  :raises RigError: if it ended."""
    processes.check(name)
    with socket.create_connection((HOST, layout.ports[SERVICES[name].port]), timeout=1):
        return True


def wait_until_listening(layout, processes, *names):
    for name in names:
        until(name + " listens", lambda: listens(layout, processes, name))


def check_all(processes):
    """:raises RigError: one of the services has ended."""
    for name in SERVICES:
        processes.check(name)


def only(names):
    """:return: the names, in the order of starting.  :raises RigError: for an unknown one."""
    unknown = sorted(set(names) - set(SERVICES))
    if unknown:
        raise RigError("no such service: {}; there are {}".format(unknown, list(SERVICES)))
    return [name for name in SERVICES if name in names]
