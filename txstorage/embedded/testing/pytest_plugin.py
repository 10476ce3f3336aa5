# -*- test-case-name: tests.embedded.testing.test_pytest_plugin -*-
"""
Fixtures for pytest, which ``txstorage[pytest]`` registers.

The module imports no more than pytest: pytest loads it in every run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .threaded import ThreadedOpenStack

#: The name of the cloud in ``clouds.yaml``.
_CLOUD = "txstorage"


@pytest.fixture(scope="session")
def openstack_storage_server() -> Iterator[ThreadedOpenStack]:
    """An OpenStack for the whole session, which the tests share."""
    from .threaded import ThreadedOpenStack

    with ThreadedOpenStack() as double:
        yield double


@pytest.fixture
def openstack_storage(
    openstack_storage_server: ThreadedOpenStack,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> ThreadedOpenStack:
    """
    An OpenStack without volumes, faults and recorded requests.

    The variables that clients read name it, and ``clouds.yaml`` in the test's directory, which they
    name, too, has it under the name ``txstorage``.
    """
    double = openstack_storage_server
    double.reset()
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "clouds.yaml"
    path.write_text(double.clouds_yaml, encoding="utf-8")
    path.chmod(0o600)
    for name, value in double.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    monkeypatch.setenv("OS_CLOUD", _CLOUD)
    return double
