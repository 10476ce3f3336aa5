"""Block Storage: its processes, which administrators disable and enable."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals, volume_refusals

from .case import WireTests
from .exchanges import Answer
from .record import compares
from .shapes import Is

_LIST = "volume GET /v3/<project_id>/os-services"
_ENABLE, _DISABLE, _WITH_REASON = (
    f"volume PUT /v3/<project_id>/os-services/{name}"
    for name in ("enable", "disable", "disable-log-reason")
)
_POLICY = "volume_extension:services:update"


class ProcessTests(WireTests):
    """
    Block Storage's processes.

    A process that is disabled for a reason would stay so in Cinder 29, which only confirms the
    other requests to disable and to enable one: what they change is not compared.
    """

    async def put(self, action: str, body: Any, who: str = "admin") -> Answer:
        """Change a process."""
        return await self.cinder_as(who, "PUT", "/os-services/" + action, body)

    @compares(_LIST, _ENABLE, _DISABLE)
    async def test_change(self) -> None:
        """The response names the process as the request does, and its new status."""
        got = await self.cinder_as("admin", "GET", "/os-services?binary=cinder-scheduler")
        host = got.body["services"][0]["host"]
        named = {"host": Is(host), "service": Is(""), "binary": Is("cinder-scheduler")}
        process = {"binary": "cinder-scheduler", "host": host}
        for action, status, disabled in (
            ("disable", "disabled", True),
            ("enable", "enabled", False),
        ):
            got = await self.put(action, process)
            self.answered(got, 200, {**named, "status": Is(status), "disabled": Is(disabled)})
        got = await self.put("enable", {"service": "cinder-scheduler", "host": host})
        self.assertEqual((got.body["service"], got.body["binary"]), ("cinder-scheduler", ""))
        got = await self.cinder_as("admin", "GET", "/os-services?host=" + host)
        self.assertLessEqual(
            {"cinder-scheduler", "cinder-volume"}, {each["binary"] for each in got.body["services"]}
        )

    @compares(
        *(_ENABLE, _WITH_REASON, "NO_PROCESS", "HOST_OR_CLUSTER", "NO_ALTERNATIVE", "BAD_HOST"),
        *("BLANK_REASON", "IS_EMPTY", "NOT_OF_TYPE[volume]", "ADDITIONAL_MEMBER"),
        *("LABEL_TOO_LONG", "VOLUME_FAULT"),
    )
    async def test_malformed(self) -> None:
        """A process has a binary and a host, and a reason, if there is one, has a text."""
        there = {"binary": "nosuch", "host": "h"}
        long = "x" * 256
        for body, refusal, values in (
            (there, volume_refusals.NO_PROCESS, ("nosuch", "h")),
            ({"binary": "b"}, volume_refusals.HOST_OR_CLUSTER, ("Host field is missing.",)),
            ({"host": "h"}, volume_refusals.NO_ALTERNATIVE, ({"host": "h"},)),
            ({**there, "host": "h h"}, volume_refusals.BAD_HOST, ("host", "h h", "h h")),
            ({**there, "binary": ""}, refusals.IS_EMPTY, ("binary", "", "")),
            (
                {**there, "more": 1},
                refusals.ADDITIONAL_MEMBER,
                ("'more' was unexpected",),
            ),
            (
                {**there, "binary": 3},
                refusals.NOT_OF_TYPE.by_service["volume"],
                ("binary", 3, 3, "'string'"),
            ),
        ):
            self.refused(await self.put("enable", body), refusal, *values)
        for reason, refusal, values in (
            ("r", volume_refusals.NO_PROCESS, ("nosuch", "h")),
            ("", refusals.IS_EMPTY, ("disabled_reason", "", "")),
            ("  ", volume_refusals.BLANK_REASON, ("  ", "  ")),
            (long, refusals.LABEL_TOO_LONG, ("disabled_reason", long, long)),
        ):
            got = await self.put("disable-log-reason", {**there, "disabled_reason": reason})
            self.refused(got, refusal, *values)
        self.refused(await self.put("enable", None), refusals.VOLUME_FAULT)

    @compares(_ENABLE, _DISABLE, _WITH_REASON, "FORBIDDEN")
    async def test_forbidden(self) -> None:
        """Only an administrator changes processes."""
        for action in ("enable", "disable", "disable-log-reason"):
            for who in ("other", "reader"):
                got = await self.put(action, {"binary": "b", "host": "h"}, who)
                self.refused(got, refusals.FORBIDDEN, _POLICY)
