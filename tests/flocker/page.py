"""
Execute the steps in ``docs/flocker.rst`` on a node with Flocker::

    python3 -m tests.flocker.page PREFIX JOURNAL

PREFIX is the environment of Flocker's Python, JOURNAL the log of its agent.
All changes to the machine are made in a layer above its file system.
"""

import os
import sys

from tests.documents.blocks import ROOT, Block, of_suite
from tests.documents.session import Mistake, Session, environment

PAGE = os.path.join("docs", "flocker.rst")
#: The environment of Flocker's own packages.
FLOCKER = "/opt/flocker"
STAND_IN = os.path.join(ROOT, "tests", "flocker", "systemd.py")


def prepare(prefix):
    """Yield the commands that turn this machine into a node."""
    if prefix != FLOCKER:
        yield "mkdir -p {0} && mount --bind {1} {0}".format(FLOCKER, prefix)
    # Flocker's pip copies the whole checkout; a new checkout has none of these
    made = ".openstack .packages .nodes .fresh .buildbot .venv*"
    yield "for each in {}; do mount -t tmpfs none $each; done".format(made)
    # txstorage must not be installed yet
    yield FLOCKER + "/bin/pip uninstall --yes txstorage txaio"
    yield "mkdir ~/bin"
    for name in ("systemctl", "journalctl"):
        yield "ln -s {} ~/bin/{}".format(STAND_IN, name)


def follow(prefix, journal):
    """
    Execute the page's commands.

    :raises Mistake: the output of a command differs.
    """
    variables = {
        **os.environ,
        # the page installs the driver
        "PYTHONPATH": os.environ["FLOCKER_PATH"],
        "PATH": os.pathsep.join(["/var/tmp/home/bin", environment()["PATH"]]),
        "HOME": "/var/tmp/home",
        "JOURNAL": journal,
        # Flocker's requirements warn that Python 2.7 is too old
        "PYTHONWARNINGS": "ignore",
    }
    changed = dict.fromkeys([ROOT, "/etc", "/opt", prefix])
    session = Session(variables=variables, outside=True, changed=list(changed))
    try:
        for command in prepare(prefix):
            # errors about missing objects are irrelevant
            quiet = "$ {{ {}\n> }} >/dev/null 2>&1 || true\n".format(command)
            session.execute(Block(__name__, 0, "console", quiet))
        [(page, blocks)] = of_suite("flocker").items()
        for block in blocks:
            session.execute(block)
    finally:
        session.close()
    return page


def main(prefix, journal):
    try:
        page = follow(prefix, journal)
    except Mistake as mistake:
        return str(mistake)
    return None if page == PAGE else "this is for {}, not for {}".format(PAGE, page)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
