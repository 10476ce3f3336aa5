# -*- test-case-name: tests.testing.volume_plugins.test_suite -*-
"""
Tests with a cloud that can't be reached, answers with errors, or does not answer.
"""

from __future__ import annotations

from .base import PluginSuite, read, write
from .client import PluginAnswer
from .interface import CloudTrouble


class Trouble(PluginSuite):
    """The tests, as a base class beside ``TestCase``."""

    async def ask_in_time(self, call: str, *arguments: str, **named: object) -> PluginAnswer:
        """:return: a coroutine of the answer, which must come before the deadline."""
        asked = self.ask(call, *arguments, **named)  # type: ignore[arg-type]
        return await self.within_deadline(asked, call)

    async def _assert_not_denied(self, answer: PluginAnswer, name: str) -> None:
        """Engines take any error of Get for proof that there is no such volume."""
        if answer.status:
            self.assertEqual("", answer.fields.get("Err"), "Get denies a volume for trouble")
            self.assertEqual(name, answer.fields["Volume"]["Name"])

    async def _get(self, trouble: CloudTrouble) -> None:
        await self.create()
        await self.break_cloud(trouble)
        await self._assert_not_denied(await self.ask_in_time("Get"), self.name)
        unknown = await self.ask_in_time("Get", self.new_name())
        self.assertEqual(
            0, unknown.status, f"Get denies a volume of which it can't know: {unknown}"
        )
        listed = await self.ask_in_time("List")
        self.assertEqual("", listed.fields.get("Err"), f"List has no answer: {listed}")
        self.assertIn(self.name, [each["Name"] for each in listed.fields["Volumes"]])

    async def test_get_unreachable(self) -> None:
        """Get and List never deny a volume when the cloud can't be reached."""
        await self._get(CloudTrouble.UNREACHABLE)

    async def test_get_errors(self) -> None:
        """Get and List never deny a volume when the cloud answers with errors."""
        await self._get(CloudTrouble.ERRORS)

    async def test_get_hanging(self) -> None:
        """Get and List never deny a volume when the cloud does not answer."""
        await self._get(CloudTrouble.HANGING)

    async def test_get_after_kill(self) -> None:
        """A plugin that starts without its cloud denies no volume."""
        await self.create()
        await self.kill()
        await self.break_cloud(CloudTrouble.UNREACHABLE)
        await self.restart()
        await self._assert_not_denied(await self.ask_in_time("Get"), self.name)

    async def _calls(self, trouble: CloudTrouble) -> None:
        """Each call fails in time, or succeeds, and can be repeated when the trouble is over."""
        await self.break_cloud(trouble)
        await self._fails_in_time("Create", options=self.plugin.options)
        await self.mend()
        await self.create()
        self.assertIs(False, await self.state())
        await self.break_cloud(trouble)
        await self._fails_in_time("Mount", claim="c1")
        await self.mend()
        path = await self.mount("c1")
        write(path)
        await self.break_cloud(trouble)
        await self.ask_in_time("Unmount", claim="c1")
        await self.mend()
        self.assertEqual("data", read(await self.mount("c2")))
        await self.unmount("c2")
        await self.assert_given_back(path)
        await self.break_cloud(trouble)
        await self._fails_in_time("Remove")
        await self.mend()
        await self.done("Remove")
        await self.eventually(lambda: self._is_removed(), "the volume is not removed")

    async def _fails_in_time(self, call: str, **named: object) -> None:
        answer = await self.ask_in_time(call, **named)
        if answer.status:
            self.assertTrue(answer.fields.get("Err"), f"{call} succeeds without a cloud")

    async def _is_removed(self) -> bool:
        return await self.state() is None

    async def test_calls_unreachable(self) -> None:
        """Each call is answered, and can be repeated, when the cloud can't be reached."""
        await self._calls(CloudTrouble.UNREACHABLE)

    async def test_calls_errors(self) -> None:
        """Each call is answered, and can be repeated, when the cloud answers with errors."""
        await self._calls(CloudTrouble.ERRORS)

    async def test_calls_hanging(self) -> None:
        """Each call is answered in time when the cloud does not answer, and can be repeated."""
        await self._calls(CloudTrouble.HANGING)

    async def test_unmounted_in_trouble(self) -> None:
        """A use that was given back during a trouble is not left: the plugin remembers it."""
        await self.create()
        path = await self.mount("c1")
        await self.break_cloud(CloudTrouble.UNREACHABLE)
        await self.ask_in_time("Unmount", claim="c1")
        await self.mend()
        await self.activate()
        await self.assert_given_back(path)
