"""
Run the contract suites against a cloud that others run, on a server of theirs.

    python3 buildbot/worker/cloud.py 3.11 [TEST ...]

The cloud is in the environment: ``CLOUD_AUTH_URL``, ``CLOUD_REGION``,
``CLOUD_PROJECT_NAME``, ``CLOUD_USERNAME``, ``CLOUD_PASSWORD``,
``CLOUD_INSTANCE_ID`` (the server that this runs on; found out when empty) and
``CLOUD_VOLUME_TYPES`` (three, for gold, silver and bronze; without them profiles
are not tested).  The password is in no command line, and in a file only while
the tests run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

_SUITES = "tests.openstack.check_conformance."
#: What needs nothing of the cloud but a project.
TESTS = [
    _SUITES + name
    for name in ("AsynchronousTests", "WorkerThreadsTests", "ReactorThreadTests", "CloudTests")
]
PROFILES = [_SUITES + name for name in ("ProfilesTests", "BlockingProfilesTests")]


def described(environment: Mapping[str, str]) -> dict:
    """
    :return: a description of the cloud, as :func:`tests.openstack.bootstrap.describe` makes it.
    :raises KeyError: the name of the missing variable.
    """
    instance_id = environment.get("CLOUD_INSTANCE_ID")
    return {
        "auth_url": environment["CLOUD_AUTH_URL"],
        "region": environment["CLOUD_REGION"],
        "volume_types": environment.get("CLOUD_VOLUME_TYPES", "").split(),
        "users": {
            "demo": {
                "username": environment["CLOUD_USERNAME"],
                "password": environment["CLOUD_PASSWORD"],
                "project_name": environment["CLOUD_PROJECT_NAME"],
            }
        },
        "servers": {"demo": [instance_id] if instance_id else []},
    }


def tests_for(description: dict, tests: list[str]) -> list[str]:
    """:return: the requested tests, or all tests that this cloud allows."""
    return tests or TESTS + (PROFILES if len(description["volume_types"]) == 3 else [])


def main() -> int:
    version, *tests = sys.argv[1:]
    description = described(os.environ)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:  # 0600
        json.dump(description, file)
        file.flush()
        environment = {n: v for n, v in os.environ.items() if n != "CLOUD_PASSWORD"}
        environment["TXSTORAGE_OPENSTACK"] = file.name
        command = [sys.executable, os.path.join("tests", "run.py"), "--only", version]
        return subprocess.run(
            command + tests_for(description, tests), cwd=ROOT, env=environment
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
