"""
A stand-in for systemctl on a machine without systemd. It carries out the requests of the packages'
scripts with the unit's command and capabilities, and logs the calls.
"""

import configparser
import os
import select
import signal
import subprocess
import sys

UNIT = "/usr/lib/systemd/system/txstorage.service"
WANTED = "/etc/systemd/system/multi-user.target.wants/txstorage.service"
PID = "/run/txstorage.pid"
OUTPUT = "/run/txstorage.output"


def service():
    """:return: the unit's section, in which the last value of each setting counts."""
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(UNIT)
    return unit["Service"]


def running():
    """:return: the id of the service's process, or ``None``."""
    try:
        with open(PID) as opened:
            pid = int(opened.read())
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return pid


def start():
    if running():
        return 0
    said = service()
    capabilities = "-all,+" + said["CapabilityBoundingSet"].lower().replace("cap_", "")
    limited = ["setpriv", "--bounding-set", capabilities, "--inh-caps=-all"]
    if said["NoNewPrivileges"] == "yes":
        limited.append("--no-new-privs")
    state = os.path.join("/var/lib", said["StateDirectory"])
    os.makedirs(state, exist_ok=True)
    os.chmod(state, int(said["StateDirectoryMode"], 8))
    with open(OUTPUT, "w") as output:
        process = subprocess.Popen(
            [*limited, *said["ExecStart"].split()],
            cwd="/",
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: os.umask(int(said["UMask"], 8)),
        )
    with open(PID, "w") as opened:
        opened.write(str(process.pid))
    return 0 if ready(process) else 1


def ready(process):
    """Wait until the service reports that it is ready, or ends."""
    follow = ["tail", "--follow", "--lines=+1", "--pid", str(process.pid), OUTPUT]
    with subprocess.Popen(follow, stdout=subprocess.PIPE, universal_newlines=True) as tail:
        for line in tail.stdout:
            if line.startswith("txstorage ready"):
                tail.kill()
                return True
    return False


def stop():
    pid = running()
    if pid is not None:
        process = os.pidfd_open(pid)
        signal.pidfd_send_signal(process, signal.SIGTERM)
        select.select([process], [], [])
        os.unlink(PID)
    return 0


def main(arguments):
    with open("/run/systemctl.log", "a") as log:
        log.write(" ".join(arguments) + "\n")
    command, now = arguments[0], "--now" in arguments
    if command == "is-active":
        print("active" if running() else "inactive")
        return 0 if running() else 3
    if command == "enable" and not os.path.lexists(WANTED):
        os.makedirs(os.path.dirname(WANTED), exist_ok=True)
        os.symlink(UNIT, WANTED)
        print(f"Created symlink {WANTED} \u2192 {UNIT}.", file=sys.stderr)
    elif command == "disable" and os.path.lexists(WANTED):
        os.unlink(WANTED)
        print(f'Removed "{WANTED}".', file=sys.stderr)
    if command in ("try-restart", "restart"):
        if command == "try-restart" and not running():
            return 0
        return stop() or start()
    if command == "start" or (command == "enable" and now):
        return start()
    if command == "stop" or (command == "disable" and now):
        return stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
