# -*- test-case-name: tests.contract.test_embedded -*-
"""Carries out the actions on a volume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ....machine.engine import Engine
from ....store.store import Store
from ....wire import refusals
from ....wire.exchange import APIRequest, APIResponse
from ...visible import visible_volume
from .absent import ABSENT
from .changes import CHANGES
from .detaching import begin_to_detach
from .requests import check_action
from .resetting import RESET_STATUS, check_reset, reset_status


class VolumeActions:
    """
    Performs actions.

    :param engine: carries out the transitions of volumes.
    :param permit: checks a request against the policy of an action; see
        :meth:`~txstorage.embedded.apis.versioned.VersionedService.permit`.
    """

    def __init__(
        self, store: Store, engine: Engine, permit: Callable[[APIRequest, str], None]
    ) -> None:
        self._store = store
        self._engine = engine
        self._permit = permit

    async def perform(
        self, call: APIRequest, volume_id: str, name: str, body: Mapping[str, Any]
    ) -> APIResponse:
        """
        Perform an action.

        :param body: of the request.
        :raises WireError: see the actions.
        """
        if name == RESET_STATUS:
            check_reset(body)
        else:
            check_action(name, body, call.version)
        value = body[name]
        detach = reset_status if name == RESET_STATUS else begin_to_detach

        def change(store: Store) -> tuple[APIResponse | None, bool]:
            volume = visible_volume(call, store, volume_id)
            self._permit(call, name)
            made = {**CHANGES, **ABSENT}.get(name)
            if made is not None:
                return made(store, volume, value), False
            return None, detach(store, volume, value)

        response, begun = await self._store.write(change)
        if begun:
            await self._detached(volume_id)
        return APIResponse(202) if response is None else response

    async def _detached(self, volume_id: str) -> None:
        """
        Wait until a volume is detached.

        :raises WireError: 500, its device can't be removed.
        """
        self._engine.begin(volume_id)
        await self._engine.idle(volume_id)
        volume = self._store.volume(volume_id)
        if volume is not None and volume.status == "in-use":
            raise refusals.VOLUME_FAULT()


__all__ = ["VolumeActions"]
