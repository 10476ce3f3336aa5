"""
Do what ``docs/flocker.rst`` says, on a node that has a Flocker::

    python3 -m tests.flocker.page PREFIX JOURNAL

PREFIX is the environment of Flocker's Python, JOURNAL what its agent logged.
All that this changes of the machine's is changed in a layer above it.
"""

import os
import sys

from tests.documents.blocks import ROOT, Block, of_suite
from tests.documents.session import Mistake, Session

PAGE = os.path.join("docs", "flocker.rst")
#: Where Flocker's own packages have it.
FLOCKER = "/opt/flocker"
STAND_IN = os.path.join(ROOT, "tests", "flocker", "systemd.py")


def prepare(prefix):
    """Yield what is typed before, so that this is a node."""
    if prefix != FLOCKER:
        yield "mkdir -p {0} && mount --bind {1} {0}".format(FLOCKER, prefix)
    # Flocker's pip copies a checkout before it looks; a new one has none of these
    yield "for each in .openstack .packages .buildbot .venv*; do mount -t tmpfs none $each; done"
    # where txstorage is not installed yet
    yield FLOCKER + "/bin/pip uninstall --yes txstorage txaio"
    yield "mkdir ~/bin"
    for name in ("systemctl", "journalctl"):
        yield "ln -s {} ~/bin/{}".format(STAND_IN, name)


def follow(prefix, journal):
    """
    :raises Mistake: when something else comes of a command.
    """
    environment = {
        **os.environ,
        # the driver is where the page installs it
        "PYTHONPATH": os.environ["FLOCKER_PATH"],
        "PATH": os.pathsep.join(["/var/tmp/home/bin", os.environ["PATH"], FLOCKER + "/bin"]),
        "HOME": "/var/tmp/home",
        "JOURNAL": journal,
        # Python 2.7 is too old for some of what Flocker uses, which says so
        "PYTHONWARNINGS": "ignore",
    }
    changed = dict.fromkeys([ROOT, "/etc", "/opt", prefix])
    session = Session(environment=environment, outside=True, changed=list(changed))
    try:
        for command in prepare(prefix):
            # of those that are not there nothing has to be said
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
