# -*- test-case-name: tests.docker.diagnosis.test_examination -*-
"""
The outcome of a check.
"""

from __future__ import annotations

from collections.abc import Iterable

import attr


@attr.s(auto_attribs=True, frozen=True)
class CheckResult:
    """
    The outcome of a check.

    :ivar outcome: ``ok``, ``warning``, ``fail`` or ``skipped``.
    :ivar detail: the finding.
    :ivar remedy: the remedy; empty when there is nothing to do.
    """

    outcome: str
    detail: str
    remedy: str = ""


def together(problems: Iterable[CheckResult], well: str) -> CheckResult:
    """
    :param problems: the findings of one check.
    :param well: the detail when there is no problem.
    :return: one finding, as bad as the worst of them.
    """
    found = list(problems)
    if not found:
        return CheckResult("ok", well)
    outcome = "fail" if any(each.outcome == "fail" for each in found) else "warning"
    remedies = dict.fromkeys(each.remedy for each in found if each.remedy)
    return CheckResult(outcome, "; ".join(each.detail for each in found), "; ".join(remedies))


__all__ = ["CheckResult", "together"]
