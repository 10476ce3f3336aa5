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
    made = ".openstack .packages .nodes .fresh .aws .clients .buildbot .venv*"
    yield "for each in {}; do mount -t tmpfs none $each; done".format(made)
    # txstorage must not be installed yet
    yield FLOCKER + "/bin/pip uninstall --yes txstorage txaio"
    yield "mkdir ~/bin"
    for name in ("systemctl", "journalctl"):
        yield "ln -s {} ~/bin/{}".format(STAND_IN, name)


def variables_of(environ, journal):
    """
    :param environ: this program's environment, whose ``FLOCKER_PATH`` is the path of a Flocker
        outside its Python's own environment; empty for a Flocker inside.
    :param journal: the path of the log of Flocker's agent.
    :return: the variables of the page's commands.
    """
    variables = {name: value for name, value in environ.items() if name != "PYTHONPATH"}
    # The page installs the driver, so its path is left out.  Python takes an empty variable for
    # the current directory: then pip would find the checkout, and install nothing.
    if environ["FLOCKER_PATH"]:
        variables["PYTHONPATH"] = environ["FLOCKER_PATH"]
    return dict(
        variables,
        PATH=os.pathsep.join(["/var/tmp/home/bin", environment()["PATH"]]),
        HOME="/var/tmp/home",
        JOURNAL=journal,
        # Flocker's requirements warn that Python 2.7 is too old
        PYTHONWARNINGS="ignore",
    )


def follow(prefix, journal):
    """
    Execute the page's commands.

    :raises Mistake: the output of a command differs.
    """
    variables = variables_of(os.environ, journal)
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
