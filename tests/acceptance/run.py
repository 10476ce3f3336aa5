"""
Run Flocker's own acceptance tests on a cluster of two nodes: ``make test-acceptance``, as root, on
Debian.

``FLOCKER_PYTHON`` is a Python 2.7 with Flocker in its own environment, which the nodes get a copy
of.  The tests run on the set-ups of agents that ``--agents`` names: ``stock`` (Flocker's own on
both nodes), ``native`` (txstorage's on both), and ``mixed`` (one of each).  ``--mongodb`` is a file
of ``docker save`` with an image for Flocker's tests of MongoDB.  Ends with::

    N passed, N failed, N skipped
"""

import argparse
import json
import os
import select
import subprocess
import sys

from ..nodes.machines.node import NodeError
from ..nodes.machines.nodes import LOGS
from ..progress import say
from ..run import ROOT, concluded, counted
from ..side_by_side import summed
from .cluster import SETUPS
from .images import SavedImage, database, python
from .making import cluster_with, flocker_for, nodes_for
from .runner import MONGODB

HERE = os.path.dirname(os.path.abspath(__file__))
#: The modules of tests, below ``flocker.acceptance``.  Those that need Flocker's container agent
#: come last, because Flocker's tests reboot a node to get rid of that.
MODULES = """\
endtoend.test_dataset endtoend.test_leases endtoend.test_benchmark endtoend.test_dockerplugin
integration.test_platform endtoend.test_diagnostics integration.test_mongodb
integration.test_postgres obsolete.test_containers
""".split()
#: The variables that requests prefers to the cluster's certificates, and those of proxies.
LEFT_OUT = """\
REQUESTS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR http_proxy https_proxy HTTP_PROXY
HTTPS_PROXY ALL_PROXY all_proxy
""".split()
VOLUME_SIZE = 2**30
#: The image that Flocker's tests of MongoDB run.
MONGODB_IMAGE = "clusterhq/mongodb:latest"
#: ssh and scp with a key of their own, and no file of this machine's root changed.
SSH = """\
#!/bin/sh
exec /usr/bin/{name} -i {key} -o UserKnownHostsFile=/dev/null "$@"
"""


def make_ssh(directory):
    """
    Make a directory with a key, and the programs that use it.

    :return: the public key, bytes.
    """
    os.mkdir(directory)
    key = os.path.join(directory, "key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    for name in ("ssh", "scp"):
        path = os.path.join(directory, name)
        with open(path, "w", encoding="utf-8") as program:
            program.write(SSH.format(name=name, key=key))
        os.chmod(path, 0o755)
    with open(key + ".pub", "rb") as public:
        return public.read()


def variables(cluster, ssh, path):
    """
    :param ssh: the directory of :func:`make_ssh`.
    :param path: list, the path for Python's modules.
    :return: the variables of Flocker's tests.
    """
    backend = cluster.nodes.within("backend.yml")
    with open(backend, "w", encoding="utf-8") as opened:
        json.dump({"txstorage": cluster.dataset(cluster.nodes[1])}, opened)
    given = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    return {
        **given,
        "PATH": os.pathsep.join([ssh, given["PATH"]]),
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONWARNINGS": "ignore",
        "FLOCKER_ACCEPTANCE_CONTROL_NODE": cluster.control.address,
        "FLOCKER_ACCEPTANCE_NUM_AGENT_NODES": "2",
        "FLOCKER_ACCEPTANCE_API_CERTIFICATES_PATH": cluster.certificates,
        "FLOCKER_ACCEPTANCE_VOLUME_BACKEND": "txstorage",
        "FLOCKER_ACCEPTANCE_DEFAULT_VOLUME_SIZE": str(VOLUME_SIZE),
        "FLOCKER_ACCEPTANCE_TEST_VOLUME_BACKEND_CONFIG": backend,
        "FLOCKER_ACCEPTANCE_HOSTNAME_TO_PUBLIC_ADDRESS": "{}",
    }


def follow(process, look):
    """
    Show the output of a process.

    :param look: called about every second, as long as the process runs.
    :return: the output.
    """
    said = b""
    while True:
        if select.select([process.stdout], [], [], 1)[0]:
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                break
            said += data
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        look()
    process.wait()
    return said.decode("utf-8", "replace")


def tested(cluster, setup, tests, given):
    """
    Run tests on a set-up of agents.

    :return: the counts.
    """
    cluster.use(setup)
    say(f"Flocker's acceptance tests, agents: {setup}")
    words = [cluster.flocker.python, "-W", "ignore", os.path.join(HERE, "runner.py")]
    words += ["--reporter=verbose", "--temp-directory"]
    words += [os.path.join(ROOT, "_trial_temp-acceptance-" + setup), *tests]
    process = cluster.nodes.operator.spawn(
        words,
        env=given,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return counted(follow(process, cluster.look))


def run_all(flocker, setups, tests, mongodb):
    """
    :param mongodb: the path of an image of MongoDB, or ``None``.
    :return: the counts of all set-ups.
    """

    def chosen(images):
        saved = [SavedImage(MONGODB_IMAGE, mongodb)] if mongodb else []
        return [database(images["postgres"]), python(flocker, images["busybox"].path), *saved]

    with cluster_with(flocker, chosen) as (cluster, beside):
        ssh = cluster.nodes.within("ssh")
        cluster.admit(make_ssh(ssh))
        given = variables(cluster, ssh, [ROOT, *beside])
        given.update({MONGODB: mongodb} if mongodb else {})
        return summed([tested(cluster, setup, tests, given) for setup in setups])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", action="append", choices=SETUPS, help="all by default")
    parser.add_argument("--mongodb", help="an image of MongoDB, a file of docker save")
    parser.add_argument("tests", nargs="*", help="some tests, as trial takes them")
    options = parser.parse_args()
    flocker = flocker_for("test-acceptance")
    tests = options.tests or ["flocker.acceptance." + name for name in MODULES]
    try:
        with nodes_for("test-acceptance"):
            counts = run_all(flocker, options.agents or list(SETUPS), tests, options.mongodb)
    except (subprocess.CalledProcessError, OSError, NodeError) as error:
        say(str(error))
        counts = {"passed": 0, "failed": 1, "skipped": 0}
    if counts["failed"]:
        say("the nodes' consoles and journals are in " + LOGS)
    return concluded(counts)


if __name__ == "__main__":
    sys.exit(main())
