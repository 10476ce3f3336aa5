# The local worker: `twistd --python worker.tac`, run in the installation's directory.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from buildbot_worker.bot import Worker  # noqa: E402
from twisted.application.service import Application  # noqa: E402

from certification.settings import HOST, WORKER, WORKER_PASSWORD, Settings  # noqa: E402

settings = Settings.load(os.getcwd())
application = Application("txstorage's worker")
Worker(
    HOST,
    settings.worker_port,
    WORKER,
    settings.secret(WORKER_PASSWORD),
    settings.path("worker"),
    keepalive=60,
    umask=None,
).setServiceParent(application)
