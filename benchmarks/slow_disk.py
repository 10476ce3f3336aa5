"""
The latency of ``txstorage serve`` on a slow disk: every fsync takes DELAY seconds.

    python benchmarks/slow_disk.py [--delay 0.5] [--clients 8] [--seconds 20]

Clients create volumes as fast as they can, while one client reads a list of one entry.  The reads
need no disk, so their latency shows how long the service's reactor stands still.  A library that is
preloaded slows fsync and fdatasync; it takes ``cc``.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SLOW = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
static void wait_for_disk(void) {
    double seconds = atof(getenv("FSYNC_DELAY"));
    struct timespec span = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
    nanosleep(&span, 0);
}
int fsync(int fd) {
    wait_for_disk();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
int fdatasync(int fd) {
    wait_for_disk();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
"""
SERVE = "from txstorage.cli.serve import serve; serve()"


def ask(method, url, token=None, body=None):
    """:return: the response's body, decoded, and its headers."""
    request = urllib.request.Request(url, method=method)
    request.add_header("Content-Type", "application/json")
    if token is not None:
        request.add_header("X-Auth-Token", token)
    data = None if body is None else json.dumps(body).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, data, timeout=600) as response:
        return json.loads(response.read() or b"null"), response.headers


class Service:
    """The service on a disk whose fsync takes some seconds."""

    def __init__(self, directory, delay):
        library = os.path.join(directory, "slow.so")
        compile_it = ["cc", "-shared", "-fPIC", "-o", library, "-x", "c", "-", "-ldl"]
        subprocess.run(compile_it, input=SLOW.encode(), check=True)
        state = os.path.join(directory, "state")
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, "--state-dir", state, "--devices", "file"],
            env=dict(os.environ, LD_PRELOAD=library, FSYNC_DELAY=str(delay)),
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stdout:
            if line.startswith("txstorage ready: "):
                self.auth_url = line.split()[-1]
                break
        with open(os.path.join(state, "password")) as opened:
            user = {"name": "txstorage", "domain": {"id": "default"}}
            user["password"] = opened.read().strip()
        identity = {"methods": ["password"], "password": {"user": user}}
        auth = {"auth": {"identity": identity}}
        _, headers = ask("POST", self.auth_url + "/auth/tokens", None, auth)
        self.token = headers["X-Subject-Token"]
        self.volumes = self.auth_url.replace("identity/v3", "volume/v3/volumes")

    def ask(self, method, path="", body=None):
        """:return: the seconds that an exchange takes."""
        begin = time.monotonic()
        ask(method, self.volumes + path, self.token, body)
        return time.monotonic() - begin

    def end(self):
        self.process.terminate()
        self.process.stdout.close()
        self.process.wait()


def repeat(until, function, *arguments):
    """Call a function until a moment; :return: a thread, and the list of its results."""
    results = []

    def run():
        while time.monotonic() < until:
            results.append(function(*arguments))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def line(name, latencies, seconds):
    ordered = sorted(latencies)
    return (
        f"{name:8} {len(ordered):6} answered {len(ordered) / seconds:8.1f}/s"
        f"   median {statistics.median(ordered):6.3f} s"
        f"   p99 {ordered[int(len(ordered) * 0.99)]:6.3f} s   longest {ordered[-1]:6.3f} s"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--delay", type=float, default=0.5, help="seconds of one fsync")
    parser.add_argument("--clients", type=int, default=8, help="clients that create volumes")
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        service = Service(directory, options.delay)
        try:
            until = time.monotonic() + options.seconds
            new = {"volume": {"size": 1}}
            creates = [repeat(until, service.ask, "POST", "", new) for _ in range(options.clients)]
            reads = repeat(until, service.ask, "GET", "?limit=1")
            for thread, _ in [*creates, reads]:
                thread.join()
        finally:
            service.end()
    print(line("creates", [each for _, some in creates for each in some], options.seconds))
    print(line("reads", reads[1], options.seconds))


if __name__ == "__main__":
    main()
