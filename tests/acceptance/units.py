"""The units and settings of a node with Flocker."""

from __future__ import annotations

#: The directory of Flocker's configuration on a node.
CONFIGURATION = "/etc/flocker"
CONTROL, DATASETS = "flocker-control", "flocker-dataset-agent"
CONTAINERS, PLUGIN = "flocker-container-agent", "flocker-docker-plugin"
SYSLOG = "rsyslog"
#: The ports of Flocker's control service, for its API and for agents, and of the engines.
API, AGENTS, DOCKER = 4523, 4524, 2376
#: The containers' network is the engine's own; the engine's proxies connect its ports.
ENGINE = {"iptables": False, "ip6tables": False, "storage-driver": "overlay2"}

_UNIT = """\
[Unit]
Description={description}
{order}
[Service]
ExecStart=/usr/sbin/{command} --journald
Restart=always

[Install]
WantedBy=multi-user.target
"""
_AFTER_DOCKER = "After=docker.service\nWants=docker.service\n"


def _unit(description, command, order=""):
    return _UNIT.format(description=description, command=command, order=order)


SYSLOG_CONFIGURATION = "/etc/rsyslog-node.conf"
#: Files in ``/etc/systemd/system``.  Flocker's own units hide ``/tmp`` and ``/root`` from the
#: control service, where the environment may be.
UNITS = {
    CONTROL + ".service": _unit(
        "Flocker Control Service", f"{CONTROL} --port tcp:{API} --agent-port tcp:{AGENTS}"
    ),
    DATASETS + ".service": _unit("Flocker Dataset Agent", DATASETS),
    CONTAINERS + ".service": _unit("Flocker Container Agent", CONTAINERS, _AFTER_DOCKER),
    PLUGIN + ".service": _unit(
        "Flocker Docker Plugin", PLUGIN, "Before=docker.service\nWants=network.target\n"
    ),
    SYSLOG + ".service": f"""\
[Unit]
Description=System Logging Service
[Service]
Type=notify
ExecStart=/usr/sbin/rsyslogd -n -iNONE -f {SYSLOG_CONFIGURATION}
[Install]
WantedBy=multi-user.target
""",
    # as Flocker's installation does it, with the node's certificate
    "docker.service.d/flocker.conf": f"""\
[Unit]
ConditionPathExists={CONFIGURATION}/node.crt
[Service]
ExecStart=
ExecStart=/usr/sbin/dockerd -H fd:// -H tcp://0.0.0.0:{DOCKER} --tlsverify \\
  --tlscacert={CONFIGURATION}/cluster.crt --tlscert={CONFIGURATION}/node.crt \\
  --tlskey={CONFIGURATION}/node.key
""",
}
#: The system log of the journal's messages, with the filter that Flocker's packages install: the
#: programs are known by the names of their processes.
_SYSLOG = f"""\
module(load="imuxsock" SysSock.Name="/run/systemd/journal/syslog")
if ($programname == ["{CONTROL}", "{DATASETS}", "{CONTAINERS}"]) then stop
*.* /var/log/messages
"""
#: Other files of the root, with their modes.  Flocker's diagnostics know CentOS 7 by its release
#: file, and that release's ``systemctl``, which prints a unit's name and its state only.
FILES = {
    SYSLOG_CONFIGURATION[1:]: (0o644, _SYSLOG),
    "etc/centos-release": (0o644, "CentOS Linux release 7.9.2009 (Core)\n"),
    "usr/local/bin/systemctl": (
        0o755,
        """\
#!/bin/sh
[ "$1" = list-unit-files ] || exec /bin/systemctl "$@"
/bin/systemctl "$@" | while read -r name state rest; do echo "$name $state"; done
""",
    ),
}
#: The Debian packages of programs that Flocker's tools and tests use, and of their libraries that a
#: node does not have.
PACKAGES = ("lshw", "rsyslog", "libestr0", "libfastjson4", "liblognorm5")
#: The drop-in for the asynchronous agent, of :doc:`flocker`.
NATIVE = """\
[Service]
ExecStart=
ExecStart={program} --journald
"""
