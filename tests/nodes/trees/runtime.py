#!/usr/bin/python3
"""
runc on a node: without the capabilities that this machine lacks.

runc refuses to start a container that is to have such a capability, which privileged containers and
managed plugins have.  The tree of the nodes has this program where engines find it first.
"""

import json
import os
import sys

RUNC = "/usr/sbin/runc"
#: The options whose value is a bundle, or a file with a process: runc-create(8), runc-exec(8).
FILES = {"--bundle": "config.json", "-b": "config.json", "--process": "", "-p": ""}
#: The capabilities by their numbers: linux/capability.h.
NAMES = """\
CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT
SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE
AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ
PERFMON BPF CHECKPOINT_RESTORE
""".split()


def present(bounding):
    """
    :param int bounding: a mask of capabilities.
    :return: the set of their names.
    """
    return {"CAP_" + name for number, name in enumerate(NAMES) if bounding & 1 << number}


def limited(description, names):
    """
    :param description: a bundle's configuration, or a process: config.md of the OCI runtime.
    :param names: the capabilities that the machine has.
    :return: the same, with no others.
    """
    process = description.get("process", description)
    sets = process.get("capabilities", {})
    kept = {each: [name for name in sets[each] if name in names] for each in sets}
    changed = dict(process, capabilities=kept)
    return dict(description, process=changed) if "process" in description else changed


def main(arguments):
    with open("/proc/self/status", encoding="ascii") as status:
        [line] = [line for line in status if line.startswith("CapBnd:")]
    for option, value in zip(arguments, arguments[1:]):
        if option in FILES:
            path = os.path.join(value, FILES[option]).rstrip("/")
            with open(path, encoding="utf-8") as opened:
                description = limited(json.load(opened), present(int(line.split()[1], 16)))
            with open(path, "w", encoding="utf-8") as opened:
                json.dump(description, opened)
    os.execv(RUNC, ["runc", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
