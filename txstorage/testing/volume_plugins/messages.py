# -*- test-case-name: tests.testing.volume_plugins.test_suite -*-
"""
Tests of the messages of the protocol, with those that engines send by accident.
"""

from __future__ import annotations

from .base import PluginSuite, is_mounted
from .client import encoded

#: The beginning of the content type that engines ask for.
CONTENT_TYPE = "application/vnd.docker.plugins.v1"
#: The calls whose request has a body that matters.
CALLS = ("Create", "Mount", "Unmount", "Path", "Get", "Remove")


class Messages(PluginSuite):
    """The tests, as a base class beside ``TestCase``."""

    async def test_activate(self) -> None:
        """The plugin is a volume driver, also when it is activated again."""
        for _ in range(2):
            answer = await self.send("Plugin.Activate", b"")
            self.assertEqual(200, answer.status)
            self.assertIn("VolumeDriver", answer.fields["Implements"])

    async def test_capabilities(self) -> None:
        """Volumes are the same on all nodes."""
        answer = await self.send("VolumeDriver.Capabilities", b"{}\n")
        self.assertEqual("global", answer.fields["Capabilities"]["Scope"])

    async def test_content_type(self) -> None:
        """Each answer has the protocol's content type, whether it is an error or not."""
        answers = [
            await self.send("Plugin.Activate", b""),
            await self.send("VolumeDriver.Capabilities", b"{}\n"),
            await self.ask("Get", self.new_name()),
            await self.ask("Mount", self.new_name(), "c1"),
            await self.ask("Create", options=self.plugin.options),
            await self.ask("Get"),
            await self.ask("List"),
            await self.ask("Path"),
        ]
        for answer in answers:
            self.assertTrue(answer.content_type.startswith(CONTENT_TYPE), f"the type of {answer}")

    async def test_no_body(self) -> None:
        """
        A request whose body was lost, as when engines repeat one, is an error and changes nothing.
        Get does not even deny: the connection is closed.
        """
        await self.assert_harmless(b"")

    async def test_malformed(self) -> None:
        """A request that is not a JSON object, or has no name, is an error and changes nothing."""
        for body in (b"\n", b"{", b"[]\n", b"null\n", b"{}\n", b'{"Name": 7, "ID": []}\n'):
            await self.assert_harmless(body)

    async def assert_harmless(self, body: bytes) -> None:
        if not self._used:
            await self.create()
            self.path = await self.mount()
        for call in CALLS:
            answer = await self.send("VolumeDriver." + call, body)
            if answer.status:
                self.assertTrue(answer.fields.get("Err"), f"{call} accepts {body!r}: {answer}")
                self.assertNotEqual("Get", call, f"Get denies {body!r}: {answer}")
        await self.assert_kept(self.path)
        self.assertEqual({self.name}, await self.ours())

    async def ours(self) -> set[str]:
        """:return: a coroutine of the names of the suite's volumes, and of nameless ones."""
        names = {each["Name"] for each in (await self.done("List"))["Volumes"]}
        return {name for name in names if not name or name.startswith("suite-")}

    async def test_unknown_call(self) -> None:
        """A call that does not exist is an error, and the next request is served."""
        answer = await self.send("VolumeDriver.Nonsense", encoded({"Name": self.name}))
        self.assertTrue(answer.status >= 400 or answer.fields.get("Err"), str(answer))
        await self.create()

    async def test_unknown_fields(self) -> None:
        """Fields of a later version are ignored."""
        await self.create()
        body = encoded({"Name": self.name, "ID": "c1", "Later": {"a": [1]}})
        self._used[self.name].add("c1")
        answer = await self.send("VolumeDriver.Mount", body)
        self.assertEqual("", answer.fields["Err"])
        self.assertTrue(is_mounted(answer.fields["Mountpoint"]))
