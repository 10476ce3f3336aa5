# -*- test-case-name: tests.embedded.apis.test_types -*-
"""
Block Storage v3's quotas of projects, which administrators change.

The refusals have Cinder 29's status codes and messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...store.projects.quotas import OF_TYPES, quota_name
from ...store.store import Store
from ...wire import account_refusals, refusals
from ...wire.exchange import JSON, APIRequest, APIResponse, endpoint
from ...wire.fields import volume_body, wrapped
from ...wire.requests.routes import Routes
from ...wire.versions import VOLUME
from ..versioned import ProjectService
from ..volume_views import quota_set
from .quota import MAX_INTEGER, RESOURCES, Allowance

_ID = "/v3/<project_id>/os-quota-sets/<quota_project>"
_BODY = volume_body(wrapped("quota_set", {"type": "object", "minProperties": 1}))
#: The quotas that this service has.  The others, of what it does not have, are accepted.
_OWN = frozenset(RESOURCES)
_OTHERS = frozenset(["per_volume_gigabytes", "groups"])
#: The members that are not quotas, which clients send back.
_NO_QUOTAS = frozenset(["id", "tenant_id"])


class QuotasAPI(ProjectService):
    """The quotas of projects."""

    app = Routes()
    dialect = VOLUME

    @endpoint(app, _ID, "GET")
    def show(self, call: APIRequest, quota_project: str) -> APIResponse:
        """Show the quota of the project; an administrator may look up any project's."""
        key = self._key(call, quota_project)
        return self._answer(call, quota_project, Allowance(self._settings, self._store, key))

    @endpoint(app, _ID + "/defaults", "GET")
    def defaults(self, call: APIRequest, quota_project: str) -> APIResponse:
        """Show the quota of a project for which an administrator has set none."""
        key = self._key(call, quota_project)
        return self._answer(
            call, quota_project, Allowance(self._settings, self._store, key, own={})
        )

    def _key(self, call: APIRequest, quota_project: str) -> str | None:
        """
        :return: the project's id in the store.
        :raises WireError: 403.
        """
        if quota_project != call.requester.project_id and not call.requester.is_admin:
            raise refusals.FORBIDDEN("volume_extension:quotas:show")
        return self._directory.key_of_project(quota_project)

    def _answer(self, call: APIRequest, quota_project: str, quota: Allowance) -> APIResponse:
        with_usage = call.query().get("usage", "").lower() in ("1", "true")
        view = quota_set(quota_project, with_usage, quota.figures())
        return APIResponse(200, {"quota_set": view})

    @endpoint(app, _ID, "PUT")
    async def update(self, call: APIRequest, quota_project: str) -> APIResponse:
        """Set the quota of a project, as an administrator."""
        body = call.json()
        _BODY.check(body)
        wanted = _checked(body["quota_set"], self._store.types.ids())
        self.permit(call)
        key = self._directory.key_of_project(quota_project)

        def change(store: Store) -> None:
            figures = Allowance(self._settings, store, key).figures()
            for name, value in wanted.items():
                _, used = figures.get(name, (-1, 0))
                if 0 <= value < used:
                    raise account_refusals.QUOTA_BELOW_USE(name, used, value)
            store.quotas.set(key, wanted)

        await self._store.write(change)
        view = quota_set(
            quota_project, False, Allowance(self._settings, self._store, key).figures()
        )
        del view["id"]
        return APIResponse(200, {"quota_set": view})

    @endpoint(app, _ID, "DELETE")
    async def delete(self, call: APIRequest, quota_project: str) -> APIResponse:
        """Give a project the default quota again, as an administrator."""
        self.permit(call)
        key = self._directory.key_of_project(quota_project)
        await self._store.write(lambda store: store.quotas.reset(key))
        return APIResponse(200, content_type=JSON)


def _checked(wanted: Mapping[str, Any], types: Iterable[str]) -> dict[str, int]:
    """
    :param types: the names of the volume types.
    :return: the quotas that this service has.
    :raises WireError: 400.
    """
    wanted = {name: value for name, value in wanted.items() if name not in _NO_QUOTAS}
    own = _OWN.union(quota_name(resource, kind) for kind in types for resource in OF_TYPES)
    unknown = [name for name in wanted if name not in own | _OTHERS]
    if unknown:
        raise account_refusals.UNKNOWN_QUOTA(",".join(unknown))
    for name, value in wanted.items():
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise account_refusals.QUOTA_IS_NO_NUMBER(name) from None
        if number < -1:
            raise account_refusals.QUOTA_TOO_SMALL(name)
        if number > MAX_INTEGER:
            raise account_refusals.QUOTA_TOO_GREAT(name)
        if not isinstance(value, int):
            raise refusals.INCORRECT()
    return {name: int(value) for name, value in wanted.items() if name in own}


__all__ = ["QuotasAPI"]
