"""A suite's run: on a service of its own, in the clients' environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from txstorage.embedded.apis.servers.flavor_views import FLAVOR_NAME
from txstorage.embedded.machine.image import IMAGE_NAME

from . import accounts
from .between import Between
from .commands import Commands, perform, runner
from .environment import PROGRAMS, PYTHON
from .service import Service
from .suites import Suite

INSIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inside.py")
#: Seconds that a suite may take.
PATIENCE = 1200
#: Seconds that openstacksdk waits for a status.
SDK_PATIENCE = 30
#: Seconds that one test may take: openstacksdk's own five are few on a busy machine.
TEST_PATIENCE = 120


@dataclass(frozen=True)
class Outcome:
    """
    The end of a test or a command.

    :ivar name: the test's id, or the command's words.
    :ivar whole: the test's id with tempest's attributes.
    :ivar result: ``passed``, ``failed`` or ``skipped``.
    :ivar reason: of a failure.
    :ivar refusals: the errors that the service answered meanwhile, oldest first.
    """

    name: str
    whole: str
    result: str
    reason: str
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """
    The clients' home, with a service.

    :ivar path: the home.
    :ivar known: the accounts.
    :ivar environment: variables for the clients.
    :ivar between: the proxy before the service.
    """

    path: str
    known: accounts.Accounts
    environment: dict[str, str]
    between: Between


@contextmanager
def place(empty: bool) -> Iterator[Place]:
    """
    Make a home and a service, and remove both at the end.

    :param empty: whether the service answers 404 to almost all.
    """
    path = tempfile.mkdtemp(prefix="txstorage-clients-")
    try:
        with Service(os.path.join(path, "state")) as service:
            with Between(service.port, empty) as between:
                url = f"http://127.0.0.1:{between.port}/identity/v3"
                known = service.accounts.moved(url)
                accounts.write(known, path)
                yield Place(path, known, environment(path), between)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def environment(home: str) -> dict[str, str]:
    """:return: the variables of the clients, with none of this machine's clouds, and no account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    for name in ("PYTHONPATH", "PYTHONWARNINGS", "HTTP_PROXY", "http_proxy"):
        kept.pop(name, None)
    return {
        **kept,
        "HOME": home,
        "PATH": os.pathsep.join([PROGRAMS, kept.get("PATH", "")]),
        "TEMPEST_CONFIG_DIR": home,
        "OS_CINDERCLIENT_EXEC_DIR": PROGRAMS,
        "OPENSTACKSDK_FUNC_TEST_TIMEOUT": str(SDK_PATIENCE),
        "OS_TEST_TIMEOUT": str(TEST_PATIENCE),
        # Neither would be chosen: the flavor has no disk, and the image is none that clouds have.
        "OPENSTACKSDK_FLAVOR": FLAVOR_NAME,
        "OPENSTACKSDK_IMAGE": IMAGE_NAME,
        "PYTHONWARNINGS": "ignore",
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }


def run(suite: Suite | Commands, empty: bool = False) -> list[Outcome]:
    """
    Run a suite.

    :param empty: whether almost all routes are 404.
    :raises OSError: it could not run, with the end of its output.
    """
    with place(empty) as at:
        if isinstance(suite, Commands):
            rows = _run_by_hand(suite, at)
        else:
            rows = _run_inside(suite, at)
        return [_outcome(row, at.between) for row in rows]


def _run_by_hand(commands: Commands, at: Place) -> list[dict[str, object]]:
    user = at.known.user
    ids = {"project": user.project_id, "user": user.user_id, "type": "gold"}
    variables = {**at.environment, **at.known.variables(user)}
    with runner(PYTHON, commands.program, at.path, variables) as client:
        return perform(commands, ids, client)


def _run_inside(suite: Suite, at: Place) -> list[dict[str, object]]:
    written = os.path.join(at.path, "outcomes")
    order = {"packages": suite.packages, "only": suite.only, "without": suite.without}
    done = subprocess.run(
        [PYTHON, INSIDE, written],
        input=json.dumps(order),
        text=True,
        # The suites of the clients are an administrator's.
        env={**at.environment, **at.known.variables(at.known.admin)},
        cwd=at.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE,
    )
    if done.returncode or not os.path.exists(written):
        raise OSError(f"{suite.name} did not run: {done.stdout[-2000:]}")
    with open(written, encoding="utf-8") as opened:
        return [json.loads(line) for line in opened]


def _outcome(row: dict[str, object], between: Between) -> Outcome:
    refused = [
        "{method} {path} {status} {message}".format(**each)
        for each in between.exchanges
        if row["begun"] <= each["at"] <= row["ended"] and each["status"] >= 400
    ]
    texts = (str(row[name]) for name in ("id", "whole", "outcome", "reason"))
    return Outcome(*texts, tuple(refused) if row["outcome"] != "passed" else ())
