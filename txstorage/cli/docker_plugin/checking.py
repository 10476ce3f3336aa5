# -*- test-case-name: tests.cli.docker_plugin.test_checking -*-
"""The checks of the plugin's machine, for ``docker-plugin --check`` and the doctor."""

from __future__ import annotations

import os
from typing import Any, Callable, TypeVar

import attr
from twisted.internet.interfaces import IReactorThreads
from twisted.internet.threads import deferToThreadPool

from ...docker import PluginSettings
from ...docker.diagnosis import (
    CheckResult,
    Surroundings,
    concerns,
    examine,
    filesystems_of,
    known_volumes,
    together,
)
from ...errors import InvalidConfiguration, StorageError
from .. import settings_file
from ..app import App
from ..errors import explain
from ..running import IReactor

T = TypeVar("T")


def surroundings_of(settings: PluginSettings) -> Surroundings:
    """:return: the places that a plugin with some settings depends on."""
    return Surroundings(
        journal=settings.journal_path,
        mounts=settings.mounts_directory,
        kind=settings.defaults.kind,
        key_file=settings.luks_key_file,
    )


def usual_settings() -> PluginSettings:
    """
    :return: the settings of this machine's plugin, from its file.
    :raises InvalidConfiguration: the file can't be read.
    """
    path = os.path.join(settings_file.DIRECTORY, "docker-plugin.yml")
    if not os.path.exists(path):
        return PluginSettings()
    found = settings_file.read_settings(path)
    given = {str(key).replace("-", "_"): value for key, value in found.items()}
    settings = PluginSettings()
    kind = str(given.get("fs", settings.defaults.kind))
    return attr.evolve(
        settings,
        state_dir=str(given.get("state_dir", settings.state_dir)),
        mounts=given.get("mounts"),
        luks_key_file=given.get("luks_key_file"),
        defaults=attr.evolve(settings.defaults, kind=kind),
    )


async def _in_thread(reactor: IReactor, work: Callable[[], T]) -> T:
    """Carry out work that blocks, in a thread where the reactor has threads."""
    if not IReactorThreads.providedBy(reactor):
        return work()
    threads: Any = reactor
    found: T = await deferToThreadPool(threads, threads.getThreadPool(), work)
    return found


async def check_all(
    reactor: IReactor, driver: Any, surroundings: Surroundings
) -> dict[str, CheckResult]:
    """
    Carry out all checks.

    :param driver: the driver, or ``None`` when there is none; the volumes are the journal's then.
    :return: a coroutine of the findings by the names of the checks.
    """
    volumes, cloud = known_volumes(surroundings.journal), None
    if driver is not None:
        try:
            volumes = filesystems_of(await driver.list_labelled_volumes())
            cloud = CheckResult("ok", f"{len(volumes)} volumes of the cluster have a Docker name")
        except StorageError as error:
            explanation = explain(error)
            cloud = CheckResult("fail", explanation.message, explanation.remedy)
    at = attr.evolve(surroundings, volumes=volumes)
    findings = await _in_thread(reactor, lambda: examine(at))
    return findings if cloud is None else {"cloud": cloud, **findings}


async def check_docker(reactor: IReactor, driver: Any) -> CheckResult | None:
    """
    Carry out the checks of this machine's plugin, for the doctor.

    :param driver: the driver, or ``None`` when there is none.
    :return: a coroutine of one finding; of ``None`` when this machine has neither an engine nor the
        plugin.
    """
    surroundings = surroundings_of(usual_settings())
    if not concerns(surroundings):
        return None
    findings = await check_all(reactor, driver, surroundings)
    # The doctor has a step of its own for the cloud.
    findings.pop("cloud", None)
    problems = [each for each in findings.values() if each.outcome in ("fail", "warning")]
    return together(problems, "; ".join(each.detail for each in findings.values()))


def checked_app(app: App, reactor: IReactor) -> tuple[Any, CheckResult | None]:
    """:return: the driver, or ``None`` and the finding about the configuration."""
    try:
        return app.cloud(reactor).driver, None
    except (InvalidConfiguration, StorageError) as error:
        explanation = explain(error)
        return None, CheckResult("fail", explanation.message, explanation.remedy)


__all__ = ["check_all", "check_docker", "checked_app", "surroundings_of", "usual_settings"]
