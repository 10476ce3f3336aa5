# -*- test-case-name: tests.cli.docker_plugin.test_checking -*-
"""The check of ``txstorage doctor`` for machines with a container engine."""

from __future__ import annotations

from ..docker_plugin.checking import check_docker
from .state import CheckFailed, CheckWarning, DoctorRun, Skipped


async def check_engine(state: DoctorRun) -> str:
    """Check this machine's engine, and the Docker volume plugin's parts of the machine."""
    finding = await check_docker(state.reactor, getattr(state, "driver", None))
    if finding is None:
        raise Skipped("this machine has neither an engine nor the plugin")
    if finding.outcome != "ok":
        error = CheckFailed if finding.outcome == "fail" else CheckWarning
        raise error(finding.detail, finding.remedy)
    return finding.detail


__all__ = ["check_engine"]
