# -*- test-case-name: tests.docker.engine.test_application -*-
"""
The routes of Docker's volume plugin protocol.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Callable

import attr
from klein import Klein
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.web.iweb import IRequest

from ..._log import DOCKER_REQUEST
from ..._support.eliot_context import in_action
from ...errors import MalformedRequest, MountInvisible, NoSuchVolume, StorageError
from ...filesystem import Mount
from ...interfaces import VolumeException
from ..plugin import VolumePlugin
from .callers import Caller, caller_of, sees
from .protocol import CONTENT_TYPE, encoded, fields_of, options_in, text_in

_log = Logger()

Answer = dict[str, Any]
Fields = dict[str, Any]


@attr.s(auto_attribs=True, frozen=True)
class Call:
    """
    A call of the protocol.

    :ivar handle: answers it.
    :ivar has_fields: whether its request has a body that matters.
    :ivar errors_deny: whether engines take any error for proof that there is no such volume.
    """

    handle: Callable[[EngineAPI, Fields, Caller], Awaitable[Answer]]
    has_fields: bool = True
    errors_deny: bool = False


class EngineAPI:
    """
    The plugin as engines see it.

    :param plugin: the :class:`~txstorage.docker.plugin.VolumePlugin`.
    :param mounted: returns the plugin's own mount of a volume, by its name.
    :param activated: called when an engine begins to use the plugin.
    :param asked: called when an engine has got an answer from the journal.
    """

    app = Klein()

    def __init__(
        self,
        plugin: VolumePlugin,
        mounted: Callable[[str], Mount | None],
        activated: Callable[[], object] = lambda: None,
        asked: Callable[[], object] = lambda: None,
    ) -> None:
        self._plugin = plugin
        self._mounted = mounted
        self._activated = activated
        self._asked = asked

    @app.route("/<name>", methods=["POST"])
    def call(self, request: IRequest, name: str) -> Any:
        """Answer a request."""
        call = CALLS.get(name)
        if call is None:
            request.setResponseCode(404)
            return self._send(request, {"Err": f"There is no call {name}"})
        try:
            body = request.content.read()
            fields = fields_of(body) if call.has_fields else {}
        except MalformedRequest as error:
            if call.errors_deny:
                return self._drop(request, error)
            request.setResponseCode(400)
            return self._send(request, {"Err": str(error)})
        action = DOCKER_REQUEST(
            call=name, name=str(fields.get("Name", "")), claim=str(fields.get("ID", ""))
        )
        caller = caller_of(request.channel.transport.socket)  # type: ignore[attr-defined]
        d = in_action(
            action, lambda: Deferred.fromCoroutine(_coroutine(call, self, fields, caller))
        )
        d.addCallbacks(
            lambda answer: self._send(request, answer), lambda f: self._failed(request, call, f)
        )
        return d

    def _failed(self, request: IRequest, call: Call, failure: Any) -> Any:
        error = failure.value
        if not isinstance(error, (StorageError, VolumeException, OSError)):
            _log.failure("A request failed", failure)
        if call.errors_deny and not isinstance(error, NoSuchVolume):
            return self._drop(request, error)
        return self._send(request, {"Err": str(error) or type(error).__name__})

    def _send(self, request: IRequest, answer: Answer) -> bytes:
        request.setHeader("Content-Type", CONTENT_TYPE)
        return encoded(answer)

    def _drop(self, request: IRequest, error: Exception) -> Any:
        """Close the connection: engines take that for trouble, and not for an answer."""
        _log.warn("No answer is possible: {error}", error=error)
        request.transport.abortConnection()  # type: ignore[attr-defined]
        return Deferred()

    # -- the calls -----------------------------------------------------------------

    async def activate(self, fields: Fields, caller: Caller) -> Answer:
        """Begin to serve an engine, which may have been killed before."""
        self._activated()
        return {"Implements": ["VolumeDriver"]}

    async def capabilities(self, fields: Fields, caller: Caller) -> Answer:
        """Describe the plugin: a volume is the same on all nodes."""
        return {"Capabilities": {"Scope": "global"}}

    async def create(self, fields: Fields, caller: Caller) -> Answer:
        """Create a volume, or find it."""
        await self._plugin.create(text_in(fields, "Name"), options_in(fields))
        return {"Err": ""}

    async def remove(self, fields: Fields, caller: Caller) -> Answer:
        """Destroy a volume."""
        await self._plugin.remove(text_in(fields, "Name"))
        return {"Err": ""}

    async def mount(self, fields: Fields, caller: Caller) -> Answer:
        """Mount a volume where the caller sees it."""
        name, claim = text_in(fields, "Name"), text_in(fields, "ID")
        path = await self._plugin.mount(name, claim)
        mounted = self._mounted(name)
        if mounted is None or not sees(caller, mounted):
            await self._plugin.unmount(name, claim)
            raise MountInvisible(name, path, str(caller))
        return {"Mountpoint": path, "Err": ""}

    async def unmount(self, fields: Fields, caller: Caller) -> Answer:
        """Give a use back."""
        await self._plugin.unmount(text_in(fields, "Name"), text_in(fields, "ID"))
        return {"Err": ""}

    async def path(self, fields: Fields, caller: Caller) -> Answer:
        """Answer with the path of a mounted volume."""
        return {"Mountpoint": self._plugin.path(text_in(fields, "Name")), "Err": ""}

    async def get(self, fields: Fields, caller: Caller) -> Answer:
        """Describe a volume."""
        described = await self._plugin.get(text_in(fields, "Name"))
        self._asked()
        return {"Volume": described, "Err": ""}

    async def list(self, fields: Fields, caller: Caller) -> Answer:
        """Describe all known volumes; the next answer has those that other nodes have made."""
        self._asked()
        return {"Volumes": self._plugin.list(), "Err": ""}


async def _coroutine(call: Call, api: EngineAPI, fields: Fields, caller: Caller) -> Answer:
    return await call.handle(api, fields, caller)


#: The calls by their paths.
CALLS = {
    "Plugin.Activate": Call(EngineAPI.activate, has_fields=False),
    "VolumeDriver.Capabilities": Call(EngineAPI.capabilities, has_fields=False),
    "VolumeDriver.Create": Call(EngineAPI.create),
    "VolumeDriver.Remove": Call(EngineAPI.remove),
    "VolumeDriver.Mount": Call(EngineAPI.mount),
    "VolumeDriver.Unmount": Call(EngineAPI.unmount),
    "VolumeDriver.Path": Call(EngineAPI.path),
    "VolumeDriver.Get": Call(EngineAPI.get, errors_deny=True),
    "VolumeDriver.List": Call(EngineAPI.list, has_fields=False),
}


__all__ = ["CALLS", "Call", "EngineAPI"]
