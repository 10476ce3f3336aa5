# -*- test-case-name: tests.contract.test_embedded -*-
"""
Block Storage v3's encryption of volume types, which administrators keep.

As in a Cinder without a key manager, no volume of an encrypted type can be made.  The refusals have
Cinder 29's status codes and messages.
"""

from __future__ import annotations

from typing import Any

from ....settings import VOLUME_TYPES
from ....store.projects.encryption import COLUMNS, EncryptionRecord
from ....store.store import Store
from ....wire import refusals, volume_refusals
from ....wire.exchange import EMPTY, APIRequest, APIResponse, endpoint
from ....wire.fields import OPTIONAL_TEXT, volume_body, wrapped
from ....wire.requests.routes import Routes
from ....wire.times import volume_time
from ....wire.versions import VOLUME
from ...versioned import ProjectService
from ..quota import MAX_INTEGER

#: The first segment of the paths after the project, and the one after the type.
PATHS = ("types/encryption",)
_ALL = "/v3/<project_id>/types/<type_id>/encryption"
#: Cinder reads the last segment only to show one member.
_ID = _ALL + "/<key>"
_TEXT = {"type": "string", "maxLength": 255}
_MEMBERS = {
    "key_size": {
        "type": ["string", "integer", "null"],
        "pattern": "^-?[0-9]+$",
        "minimum": 0,
        "maximum": MAX_INTEGER,
    },
    "provider": _TEXT,
    "control_location": {"enum": ["front-end", "back-end"]},
    "cipher": {**OPTIONAL_TEXT, "maxLength": 255},
}
_SCHEMA = {"type": "object", "properties": _MEMBERS}
_NEW = volume_body(
    wrapped(
        "encryption",
        {**_SCHEMA, "required": ["provider", "control_location"]},
        additionalProperties=False,
    )
)
_CHANGE = volume_body(wrapped("encryption", _SCHEMA, additionalProperties=False))


class EncryptionAPI(ProjectService):
    """The encryption of volume types."""

    app = Routes()
    dialect = VOLUME

    @endpoint(app, _ALL, "GET")
    def show_all(self, call: APIRequest, type_id: str) -> APIResponse:
        """Show the encryption of a volume type, if it has one, to an administrator."""
        self.permit(call)
        _check_type(self._store, type_id)
        found = self._store.types.encryptions.of_type(type_id)
        return APIResponse(200, {} if found is None else _view(found))

    @endpoint(app, _ID, "GET")
    def show(self, call: APIRequest, type_id: str, key: str) -> APIResponse:
        """Show one member of the encryption of a volume type, to an administrator."""
        self.permit(call)
        _check_type(self._store, type_id)
        found = self._store.types.encryptions.of_type(type_id)
        view = {} if found is None else _view(found)
        if key not in view:
            raise volume_refusals.NO_ENCRYPTION(type_id)
        return APIResponse(200, {key: view[key]})

    @endpoint(app, _ALL, "POST")
    async def create(self, call: APIRequest, type_id: str) -> APIResponse:
        """Encrypt the future volumes of a volume type, as an administrator."""
        body = call.json()
        _NEW.check(body)
        self.permit(call)
        wanted = _numbered(body["encryption"])

        def change(store: Store) -> EncryptionRecord:
            _refuse_used(store, type_id, "create")
            _check_type(store, type_id)
            if store.types.encryptions.of_type(type_id) is not None:
                raise volume_refusals.ENCRYPTION_EXISTS(type_id)
            return store.types.encryptions.add(type_id, wanted)

        made = await self._store.write(change)
        ids = {"volume_type_id": type_id, "encryption_id": made.encryption_id}
        return APIResponse(200, {"encryption": {**wanted, **ids}})

    @endpoint(app, _ID, "PUT")
    async def update(self, call: APIRequest, type_id: str, key: str) -> APIResponse:
        """Change the encryption of a volume type, as an administrator."""
        body = call.json()
        _CHANGE.check(body)
        self.permit(call)
        wanted = _numbered(body["encryption"])

        def change(store: Store) -> None:
            _check_type(store, type_id)
            _refuse_used(store, type_id, "update")
            if store.types.encryptions.of_type(type_id) is None:
                raise volume_refusals.NO_ENCRYPTION(type_id)
            store.types.encryptions.change(type_id, wanted)

        await self._store.write(change)
        return APIResponse(200, {"encryption": wanted})

    @endpoint(app, _ID, "DELETE")
    async def delete(self, call: APIRequest, type_id: str, key: str) -> APIResponse:
        """Encrypt the volumes of a volume type no longer, as an administrator."""
        self.permit(call)

        def change(store: Store) -> None:
            _refuse_used(store, type_id, "delete")
            if store.types.encryptions.of_type(type_id) is None:
                raise volume_refusals.NO_ENCRYPTION(type_id)
            store.types.encryptions.remove(type_id)

        await self._store.write(change)
        return APIResponse(202, content_type=EMPTY)


def refuse_encrypted(store: Store, volume_type: str) -> None:
    """
    Refuse a volume of an encrypted type, as a Cinder without a key manager does.

    :param volume_type: its name.
    :raises WireError: 400.
    """
    found = store.types.encryptions.of_type_named(volume_type)
    if found is not None:
        raise volume_refusals.NO_KEYS() if found.cipher else volume_refusals.NO_CIPHER()


def _check_type(store: Store, type_id: str) -> None:
    """:raises WireError: 404, there is no volume type with the id."""
    if type_id not in store.types.ids().values():
        raise refusals.NO_VOLUME_TYPE(type_id)


def _refuse_used(store: Store, type_id: str, change: str) -> None:
    """
    Refuse to change the encryption of a volume type with volumes.  The types that the service
    begins with always have some: servers and clients of EC2 make volumes of them.

    :raises WireError: 400.
    """
    names = [name for name, each in store.types.ids().items() if each == type_id]
    if any(name in VOLUME_TYPES or store.types.used(name) for name in names):
        raise volume_refusals.ENCRYPTION_IN_USE(change)


def _numbered(wanted: dict[str, Any]) -> dict[str, Any]:
    """:return: an encryption whose size of keys is a number."""
    size = wanted.get("key_size")
    return wanted if size is None else {**wanted, "key_size": int(size)}


def _view(found: EncryptionRecord) -> dict[str, Any]:
    return {
        "encryption_id": found.encryption_id,
        "volume_type_id": found.type_id,
        **{name: getattr(found, name) for name in COLUMNS},
        "deleted": False,
        "deleted_at": None,
        "created_at": volume_time(found.created_at),
        "updated_at": volume_time(found.updated_at),
    }


__all__ = ["PATHS", "EncryptionAPI", "refuse_encrypted"]
