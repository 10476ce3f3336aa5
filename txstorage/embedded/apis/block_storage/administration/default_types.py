# -*- test-case-name: tests.embedded.apis.test_types -*-
"""
Block Storage v3's default volume types of projects, which administrators choose.

The refusals have Cinder 29's status codes and messages.
"""

from __future__ import annotations

from typing import Any

from ....accounts.directory import ProjectEntry
from ....store.projects.types import TypeRecord
from ....store.store import Store
from ....wire import account_refusals, refusals, volume_refusals
from ....wire.exchange import APIRequest, APIResponse, endpoint
from ....wire.fields import is_uuid, volume_body
from ....wire.requests.routes import Routes
from ....wire.versions import VOLUME
from ...versioned import ProjectService

#: The first segments of the paths after the project.
PATHS = ("default-types",)
_SINCE = (3, 62)
_NAME = {"type": "string", "minLength": 1, "maxLength": 255}
_BODY = volume_body(
    {
        "type": "object",
        "properties": {
            "default_type": {
                "type": "object",
                "properties": {"volume_type": _NAME},
                "required": ["volume_type"],
                "additionalProperties": False,
            }
        },
    }
)
_ALL = "/v3/<project_id>/default-types"
_ONE = _ALL + "/<of_project>"


class DefaultTypesAPI(ProjectService):
    """The default volume types of projects."""

    app = Routes()
    dialect = VOLUME

    @endpoint(app, _ALL, "GET", since=_SINCE)
    def list_all(self, call: APIRequest) -> APIResponse:
        """List the projects' default types, to an administrator."""
        self._admit(call)
        first = self._directory.ids.project
        every = self._store.types.defaults.every()
        views = [_view(project_id or first, type_id) for project_id, type_id in every.items()]
        return APIResponse(200, {"default_types": views})

    @endpoint(app, _ONE, "GET", since=_SINCE)
    def show(self, call: APIRequest, of_project: str) -> APIResponse:
        """Show a project's default type, to an administrator."""
        project = self._project(call, of_project)
        type_id = self._store.types.defaults.every().get(project.key)
        if type_id is None:
            raise volume_refusals.NO_DEFAULT_TYPE(of_project)
        return APIResponse(200, {"default_type": _view(of_project, type_id)})

    @endpoint(app, _ONE, "PUT", since=_SINCE)
    async def update(self, call: APIRequest, of_project: str) -> APIResponse:
        """Choose a project's default type, as an administrator."""
        body = call.json()
        _BODY.check(body)
        if "default_type" not in body:
            # Cinder's schema admits it, and the rest does not.
            raise refusals.VOLUME_FAULT()
        name = body["default_type"]["volume_type"].strip()
        if not name:
            raise account_refusals.TYPE_NAME_IS_BLANK()
        project = self._project(call, of_project)

        def change(store: Store) -> TypeRecord:
            found = store.types.find(name)
            if found is None and is_uuid(name):
                raise volume_refusals.NO_TYPE_TO_CHOOSE(name)
            if found is None:
                raise volume_refusals.NO_TYPE_OF_NAME(name)
            store.types.defaults.set(project.key, found.type_id)
            return found

        found = await self._store.write(change)
        return APIResponse(200, {"default_type": _view(of_project, found.type_id)})

    @endpoint(app, _ONE, "DELETE", since=_SINCE)
    async def delete(self, call: APIRequest, of_project: str) -> APIResponse:
        """Choose no default type for a project, as an administrator."""
        self._admit(call)
        key = self._directory.key_of_project(of_project)
        await self._store.write(lambda store: store.types.defaults.unset(key))
        return APIResponse(204)

    def _admit(self, call: APIRequest) -> None:
        """:raises WireError: 403, the user is not an administrator."""
        if not call.requester.is_admin:
            raise volume_refusals.NOT_AUTHORIZED_HERE()

    def _project(self, call: APIRequest, project_id: str) -> ProjectEntry:
        """
        :raises WireError: 403, 404.
        """
        self._admit(call)
        found = self._directory.projects.find(project_id)
        if found is None:
            raise volume_refusals.NO_PROJECT_THERE(project_id)
        return found


def _view(project_id: str, type_id: str) -> dict[str, Any]:
    return {"project_id": project_id, "volume_type_id": type_id}


__all__ = ["PATHS", "DefaultTypesAPI"]
