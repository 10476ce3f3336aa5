"""
Commands of a client, each in a fork of a process that has imported the client already, which takes
a second: the program that :mod:`tests.clients.commands` starts, in the clients' environment.

    python forked.py PROGRAM

A line of its input is an array of a command's words.  A line of its output is an object with the
command's exit ``code``, its ``output`` and its ``errors``.
"""

import functools
import importlib
import importlib.metadata
import json
import os
import pkgutil
import signal
import sys
import tempfile
import traceback

#: The packages whose modules hold a program's commands, by the program.
PACKAGES = {
    "openstack": ["openstackclient.common", "openstackclient.compute", "openstackclient.identity"]
    + ["openstackclient.volume"]
}
#: Seconds that a command may take.
PATIENCE = 60


def entry_point(program):
    """:return: the function that a program runs, with its modules imported."""
    # Each command looks up the distribution that it belongs to, among all files of all of them,
    # which takes as long as everything else that it does.
    remembered = functools.lru_cache(importlib.metadata.packages_distributions)
    remembered()
    importlib.metadata.packages_distributions = remembered
    for package in PACKAGES.get(program, []):
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, package + "."):
            importlib.import_module(module.name)
    [found] = importlib.metadata.entry_points(group="console_scripts", name=program)
    return found.load()


def child(main, words, streams):
    """Run a command in this process, and end."""
    signal.alarm(PATIENCE)
    code = 1
    try:
        for number, stream in zip((0, 1, 2), (os.open(os.devnull, os.O_RDONLY), *streams)):
            os.dup2(stream, number)
        sys.argv = words
        sys.stdout, sys.stderr = (os.fdopen(number, "w") for number in (1, 2))
        code = main() or 0
    except SystemExit as ended:
        code = ended.code
        if not isinstance(code, int):
            if code is not None:
                print(code, file=sys.stderr)
            code = int(code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def execute(main, words):
    """:return: the end of a command, for JSON."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = os.fork()
        if not process:
            child(main, words, (output.fileno(), errors.fileno()))
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        printed = []
        for stream in (output, errors):
            stream.seek(0)
            printed.append(stream.read().decode("utf-8", "replace"))
        return {"code": status, "output": printed[0], "errors": printed[1]}


if __name__ == "__main__":
    MAIN = entry_point(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(execute(MAIN, [sys.argv[1], *json.loads(line)])), flush=True)
