# -*- test-case-name: tests.embedded.apis.test_types -*-
"""
Block Storage v3's volume types and their extra specs, which administrators change.

All types mean a sparse file; extra specs are kept and change nothing.  The refusals have Cinder
29's status codes and messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ...settings import DEFAULT_TYPE
from ...store.projects.types import TypeRecord
from ...store.store import Store
from ...wire import account_refusals, refusals
from ...wire.exchange import EMPTY, APIRequest, APIResponse, endpoint
from ...wire.fields import OPTIONAL_TEXT, only_member, volume_body, wrapped
from ...wire.pagination import next_links, volume_page
from ...wire.requests.routes import Routes
from ...wire.versions import VOLUME
from ..versioned import ProjectService
from ..visible import default_type, visible_type
from .kinds.filters import chosen, visible_specs
from .queries import order, truth

_ALL = "/v3/<project_id>/types"
_ID = _ALL + "/<type_id>"
_SPECS = _ID + "/extra_specs"
_IS_PUBLIC = "os-volume-type-access:is_public"
_KEYS = "^[a-zA-Z0-9-_:.]{1,255}$"
_SPEC = {"type": ["string", "null"], "maxLength": 255}
_SPEC_OBJECT = {
    "type": "object",
    "patternProperties": {_KEYS: _SPEC},
    "additionalProperties": False,
}
_NAME = {"type": "string", "minLength": 1, "maxLength": 255}
_NEW = volume_body(
    wrapped(
        "volume_type",
        {
            "type": "object",
            "properties": {
                "name": _NAME,
                "description": OPTIONAL_TEXT,
                "extra_specs": {**_SPEC_OBJECT, "type": ["object", "null"]},
                _IS_PUBLIC: {"type": ["boolean", "string"]},
            },
            "required": ["name"],
            "additionalProperties": False,
        },
    )
)
_CHANGE = volume_body(
    wrapped(
        "volume_type",
        {
            "type": "object",
            "properties": {
                "name": {"type": ["string", "null"], "maxLength": 255},
                "description": OPTIONAL_TEXT,
                "is_public": {"type": ["boolean", "string"]},
            },
            "additionalProperties": False,
        },
    )
)
_NEW_SPECS = volume_body(wrapped("extra_specs", _SPEC_OBJECT))
_ONE_SPEC = volume_body(
    {"type": "object", "properties": {}, "minProperties": 1, "maxProperties": 1}
)
_PROJECT = {
    "type": "object",
    "properties": {"project": _NAME},
    "required": ["project"],
    "additionalProperties": False,
}
#: The bodies of the actions that change the access to a private type.
_ACCESS = {
    name: volume_body(wrapped(name, _PROJECT))
    for name in ("addProjectAccess", "removeProjectAccess")
}
#: The orders of a list, by functions of the types' ages, of which the first in the table has the
#: greatest.
_KEYS_OF_ORDER: Mapping[str, Callable[[Mapping[str, int]], Callable[[TypeRecord], Any]]] = {
    "created_at": lambda places: lambda each: places[each.type_id],
    "id": lambda places: lambda each: each.type_id,
    "name": lambda places: lambda each: each.name,
}


class TypesAPI(ProjectService):
    """The volume types."""

    app = Routes()
    dialect = VOLUME

    def _found(self, call: APIRequest, type_id: str, store: Store | None = None) -> TypeRecord:
        """
        Find a type, by its id alone.

        :param store: of the change that finds the type; without one, that of reading.
        :raises WireError: 404.
        """
        found = visible_type(call, store or self._store, type_id)
        if found is None or found.type_id != type_id:
            raise refusals.NO_VOLUME_TYPE(type_id)
        return found

    # -- types ---------------------------------------------------------------

    @endpoint(app, _ALL, "GET")
    def list_all(self, call: APIRequest) -> APIResponse:
        """List the volume types."""
        self.permit(call)
        query = call.query()
        page = volume_page(query, self._settings.page_size)
        by = order(query, _KEYS_OF_ORDER)
        every = chosen(call, self._store, query)
        places = {each.type_id: -place for place, each in enumerate(every)}
        for key, descending in reversed(by):
            every.sort(key=_KEYS_OF_ORDER[key](places), reverse=descending)
        ids = [each.type_id for each in every]
        # Unlike elsewhere, an unknown marker is ignored.
        begin = ids.index(page.marker) + 1 if page.marker in ids else 0
        part = every[begin:][page.offset : page.offset + page.limit]
        url = f"{call.base}/volume/v3/{self.project_path(call)}types"
        shown = [each.type_id for each in part]
        # The links' name differs from the list's.
        links = next_links("volume_type", url, query, page, shown)
        views = [_shown(call, each) for each in part]
        return APIResponse(200, dict({"volume_types": views}, **links))

    @endpoint(app, _ID, "GET")
    def show(self, call: APIRequest, type_id: str) -> APIResponse:
        """Show one volume type, or the default one (``default``)."""
        self.permit(call)
        if type_id == "default":
            view = _shown(call, default_type(call, self._store))
            view.pop(_IS_PUBLIC, None)
            return APIResponse(200, {"volume_type": view})
        return APIResponse(200, {"volume_type": _shown(call, self._found(call, type_id))})

    @endpoint(app, _ALL, "POST")
    async def create(self, call: APIRequest) -> APIResponse:
        """Make a volume type, as an administrator."""
        body = call.json()
        _NEW.check(body)
        self.permit(call)
        wanted = body["volume_type"]
        name = wanted["name"].strip()
        if not name:
            raise account_refusals.TYPE_NAME_IS_BLANK()
        description, specs = wanted.get("description"), wanted.get("extra_specs")
        is_public = bool(truth(str(wanted.get(_IS_PUBLIC, True))))

        def change(store: Store) -> TypeRecord:
            _refuse_taken(store, name)
            return store.types.add(name, description, is_public, specs)

        made = await self._store.write(change)
        view = {**_changed(made), _IS_PUBLIC: made.is_public}
        return APIResponse(200, {"volume_type": view})

    @endpoint(app, _ID, "PUT")
    async def update(self, call: APIRequest, type_id: str) -> APIResponse:
        """Change a volume type's name, description or publicity, as an administrator."""
        body = call.json()
        _CHANGE.check(body)
        self.permit(call)
        changes = _changes(body["volume_type"])

        def change(store: Store) -> TypeRecord:
            found = self._found(call, type_id, store)
            if changes.get("name", found.name) != found.name:
                _refuse_taken(store, str(changes["name"]))
            return store.types.change(found, changes)

        return APIResponse(200, {"volume_type": _changed(await self._store.write(change))})

    @endpoint(app, _ID, "DELETE")
    async def delete(self, call: APIRequest, type_id: str) -> APIResponse:
        """Delete a volume type without volumes, as an administrator."""
        self.permit(call)

        def change(store: Store) -> None:
            found = self._found(call, type_id, store)
            chosen = store.types.defaults.every().values()
            if found.name == DEFAULT_TYPE or type_id in chosen:
                raise account_refusals.DEFAULT_TYPE_STAYS(type_id)
            if store.types.used(found.name):
                raise account_refusals.TYPE_IN_USE()
            store.types.remove(type_id)

        await self._store.write(change)
        return APIResponse(202, content_type=EMPTY)

    # -- extra specs ---------------------------------------------------------

    @endpoint(app, _SPECS, "GET")
    def specs(self, call: APIRequest, type_id: str) -> APIResponse:
        """Show the extra specs of a volume type; other users than administrators see few."""
        self.permit(call)
        return APIResponse(200, {"extra_specs": visible_specs(call, self._found(call, type_id))})

    @endpoint(app, _SPECS + "/<key>", "GET")
    def spec(self, call: APIRequest, type_id: str, key: str) -> APIResponse:
        """Show one extra spec of a volume type."""
        self.permit(call)
        found = visible_specs(call, self._found(call, type_id))
        if key not in found:
            raise account_refusals.NO_SPEC(type_id, key)
        return APIResponse(200, {key: found[key]})

    @endpoint(app, _SPECS, "POST")
    async def add_specs(self, call: APIRequest, type_id: str) -> APIResponse:
        """Set some extra specs of a volume type, as an administrator."""
        body = call.json()
        _NEW_SPECS.check(body)
        self.permit(call)
        await self._set_specs(call, type_id, body["extra_specs"])
        return APIResponse(200, body)

    @endpoint(app, _SPECS + "/<key>", "PUT")
    async def set_spec(self, call: APIRequest, type_id: str, key: str) -> APIResponse:
        """Set one extra spec of a volume type, as an administrator."""
        body = call.json()
        _ONE_SPEC.check(body)
        self.permit(call)
        if key not in body:
            raise refusals.LABEL_MISMATCH()
        _NEW_SPECS.check({"extra_specs": body})
        await self._set_specs(call, type_id, body)
        return APIResponse(200, body)

    async def _set_specs(
        self, call: APIRequest, type_id: str, specs: Mapping[str, str | None]
    ) -> None:
        def change(store: Store) -> None:
            self._found(call, type_id, store)
            store.types.set_specs(type_id, specs)

        await self._store.write(change)

    @endpoint(app, _SPECS + "/<key>", "DELETE")
    async def remove_spec(self, call: APIRequest, type_id: str, key: str) -> APIResponse:
        """Remove one extra spec of a volume type, as an administrator."""
        self.permit(call)

        def change(store: Store) -> None:
            if key not in self._found(call, type_id, store).extra_specs:
                raise account_refusals.NO_SPEC(type_id, key)
            store.types.remove_spec(type_id, key)

        await self._store.write(change)
        return APIResponse(202)

    # -- access --------------------------------------------------------------

    @endpoint(app, _ID + "/os-volume-type-access", "GET")
    def access(self, call: APIRequest, type_id: str) -> APIResponse:
        """List the projects that may use a private volume type, to an administrator."""
        self.permit(call)
        if self._found(call, type_id).is_public:
            raise account_refusals.PUBLIC_TYPE_ACCESS()
        first = self._directory.ids.project
        views = [
            {"volume_type_id": type_id, "project_id": project_id or first}
            for project_id in self._store.types.projects(type_id)
        ]
        return APIResponse(200, {"volume_type_access": views})

    @endpoint(app, _ID + "/action", "POST")
    async def action(self, call: APIRequest, type_id: str) -> APIResponse:
        """
        Let a project use a private volume type (``addProjectAccess``), or no longer
        (``removeProjectAccess``), as an administrator.
        """
        body = call.json(empty={"None": {}})
        name = only_member(body, VOLUME)
        if name not in _ACCESS:
            raise refusals.NO_VOLUME_ACTION(name)
        _ACCESS[name].check(body)
        self.permit(call, name)
        project_id = body[name]["project"]

        def change(store: Store) -> None:
            found, key = self._found(call, type_id, store), self._key(project_id)
            if found.is_public:
                raise account_refusals.PUBLIC_TYPE()
            known = key in store.types.projects(type_id)
            if name == "addProjectAccess":
                if known:
                    raise account_refusals.TYPE_ACCESS_EXISTS(type_id, project_id)
                store.types.allow(type_id, key)
            elif not known:
                raise account_refusals.NO_TYPE_ACCESS(type_id, project_id)
            else:
                store.types.disallow(type_id, key)

        await self._store.write(change)
        return APIResponse(202, content_type=EMPTY)

    def _key(self, project_id: str) -> str | None:
        return self._directory.key_of_project(project_id)


def _refuse_taken(store: Store, name: str) -> None:
    """
    :raises WireError: 409.
    """
    if name in store.types.ids():
        raise account_refusals.TYPE_EXISTS(name)


def _changes(wanted: Mapping[str, Any]) -> dict[str, object]:
    """
    :return: new values, by their columns.
    :raises WireError: 400.
    """
    changes = {name: value for name, value in wanted.items() if value is not None}
    if not changes:
        raise account_refusals.NO_TYPE_CHANGE()
    if "name" in changes:
        changes["name"] = changes["name"].strip()
        if not changes["name"]:
            raise account_refusals.NEW_TYPE_NAME_IS_BLANK()
    if "is_public" in changes:
        changes["is_public"] = bool(truth(str(changes["is_public"])))
    return changes


def _changed(found: TypeRecord) -> dict[str, Any]:
    """A type in the response to a change."""
    return {
        "id": found.type_id,
        "name": found.name,
        "is_public": found.is_public,
        "extra_specs": dict(found.extra_specs),
        "description": found.description,
    }


def _shown(call: APIRequest, found: TypeRecord) -> dict[str, Any]:
    """A type in lists and by itself."""
    view = {**_changed(found), "extra_specs": visible_specs(call, found)}
    if call.requester.is_admin:
        view["qos_specs_id"] = found.qos_id
    if "member" in call.requester.roles:
        view[_IS_PUBLIC] = found.is_public
    return view


__all__ = ["TypesAPI"]
