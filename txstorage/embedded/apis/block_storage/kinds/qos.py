# -*- test-case-name: tests.contract.test_embedded -*-
"""
Block Storage v3's QoS specs of volume types, which administrators keep.

As in Cinder with a back end that ignores them, they change nothing of how volumes behave.  The
refusals have Cinder 29's status codes and messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ....store.projects.qos import QosRecord
from ....store.store import Store
from ....wire import account_refusals, refusals, volume_refusals
from ....wire.exchange import EMPTY, APIRequest, APIResponse, endpoint
from ....wire.fields import volume_body, wrapped
from ....wire.pagination import next_links, volume_page
from ....wire.requests.routes import Routes
from ....wire.versions import VOLUME
from ...versioned import ProjectService
from ...volume_requests import LABEL_KEYS
from ..queries import PAGE_PARAMETERS, boolean, order, ordered_page

#: The first segments of the paths after the project.
PATHS = ("qos-specs",)
_ALL = "/v3/<project_id>/qos-specs"
_ID = _ALL + "/<qos_id>"
_MAX_TEXT = 255
_CONSUMERS = ("back-end", "front-end", "both")
_NEW = volume_body(
    wrapped(
        "qos_specs",
        {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        additionalProperties=False,
    )
)
_CHANGE = volume_body(
    wrapped(
        "qos_specs",
        {
            "type": "object",
            "patternProperties": {LABEL_KEYS: {"type": ["string", "null"], "maxLength": _MAX_TEXT}},
            "additionalProperties": False,
        },
        additionalProperties=False,
    )
)
_UNSET = volume_body(
    wrapped(
        "keys",
        {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": _MAX_TEXT},
            "uniqueItems": True,
        },
        additionalProperties=False,
    )
)
#: The orders of a list; Cinder's names are those of its table, in which a name is a value.
_KEYS: Mapping[str, Callable[[QosRecord], Any]] = {
    "created_at": lambda each: each.sequence,
    "id": lambda each: each.qos_id,
    "value": lambda each: each.name,
}


class QosAPI(ProjectService):
    """The QoS specs."""

    app = Routes()
    dialect = VOLUME

    def _found(self, qos_id: str, store: Store | None = None) -> QosRecord:
        """
        Find QoS specs.

        :param store: of the change that finds them; without one, that of reading.
        :raises WireError: 404.
        """
        found = (store or self._store).types.qos.find(qos_id)
        if found is None:
            raise volume_refusals.NO_QOS(qos_id)
        return found

    def _shown(self, call: APIRequest, found: QosRecord) -> APIResponse:
        path = f"{self.project_path(call)}qos-specs/{found.qos_id}"
        links = [
            {"rel": "self", "href": f"{call.base}/volume/v3/{path}"},
            {"rel": "bookmark", "href": f"{call.base}/volume/{path}"},
        ]
        return APIResponse(200, {"qos_specs": _view(found), "links": links})

    # -- reading ---------------------------------------------------------------

    @endpoint(app, _ALL, "GET")
    def list_all(self, call: APIRequest) -> APIResponse:
        """List QoS specs, to an administrator."""
        self.permit(call)
        query = call.query()
        page, by = volume_page(query, self._settings.page_size), order(query, _KEYS)
        marker = None if page.marker is None else self._found(page.marker)
        found = [each for each in self._store.types.qos.every() if _is_chosen(each, query)]
        part = ordered_page(found, marker, page, by, _KEYS)
        url = f"{call.base}/volume/v3/{self.project_path(call)}qos-specs"
        links = next_links("qos_specs", url, query, page, [each.qos_id for each in part])
        return APIResponse(200, {"qos_specs": [_view(each) for each in part], **links})

    @endpoint(app, _ID, "GET")
    def show(self, call: APIRequest, qos_id: str) -> APIResponse:
        """Show QoS specs, to an administrator."""
        self.permit(call)
        return self._shown(call, self._found(qos_id))

    @endpoint(app, _ID + "/associations", "GET")
    def associations(self, call: APIRequest, qos_id: str) -> APIResponse:
        """List the volume types with QoS specs, to an administrator."""
        self.permit(call)
        self._found(qos_id)
        views = [
            {"association_type": "volume_type", "name": name, "id": type_id}
            for type_id, name in self._store.types.qos.types(qos_id)
        ]
        return APIResponse(200, {"qos_associations": views})

    # -- changing --------------------------------------------------------------

    @endpoint(app, _ALL, "POST")
    async def create(self, call: APIRequest) -> APIResponse:
        """Make QoS specs, as an administrator."""
        body = call.json()
        _NEW.check(body)
        name = _name(body["qos_specs"]["name"])
        self.permit(call)
        specs = {key: value for key, value in body["qos_specs"].items() if key != "name"}
        _check_texts(specs)
        consumer = _consumer(specs.pop("consumer", None) or _CONSUMERS[0])
        kept = {key: value for key, value in specs.items() if value is not None}

        def change(store: Store) -> QosRecord:
            if store.types.qos.named(name) is not None:
                raise volume_refusals.QOS_EXISTS(name)
            return store.types.qos.add(name, consumer, kept)

        return self._shown(call, await self._store.write(change))

    @endpoint(app, _ID, "PUT")
    async def update(self, call: APIRequest, qos_id: str) -> APIResponse:
        """Set some values of QoS specs, as an administrator."""
        body = call.json()
        _CHANGE.check(body)
        self.permit(call)

        def change(store: Store) -> None:
            found = self._found(qos_id, store)
            wanted = dict(body["qos_specs"])
            consumer = _consumer(wanted.pop("consumer", found.consumer))
            # Cinder ignores a new key without a value.
            new = {k: v for k, v in wanted.items() if v is not None or k in found.specs}
            store.types.qos.change(qos_id, consumer, {**found.specs, **new})

        await self._store.write(change)
        return APIResponse(200, body)

    @endpoint(app, _ID + "/delete_keys", "PUT")
    async def delete_keys(self, call: APIRequest, qos_id: str) -> APIResponse:
        """Remove some values of QoS specs, as an administrator: those before a missing one."""
        body = call.json()
        _UNSET.check(body)
        self.permit(call)

        def change(store: Store) -> str | None:
            found = self._found(qos_id, store)
            missing = next((key for key in body["keys"] if key not in found.specs), None)
            removed = (
                body["keys"] if missing is None else body["keys"][: body["keys"].index(missing)]
            )
            left = {key: value for key, value in found.specs.items() if key not in removed}
            store.types.qos.change(qos_id, found.consumer, left)
            return missing

        missing = await self._store.write(change)
        if missing is not None:
            raise volume_refusals.NO_QOS_KEY(qos_id, missing)
        return APIResponse(202, content_type=EMPTY)

    @endpoint(app, _ID, "DELETE")
    async def delete(self, call: APIRequest, qos_id: str) -> APIResponse:
        """Delete QoS specs, as an administrator; those of volume types only with ``force``."""
        self.permit(call)
        force = boolean(call.query(), "force")

        def change(store: Store) -> None:
            self._found(qos_id, store)
            if store.types.qos.types(qos_id) and not force:
                raise volume_refusals.QOS_IN_USE()
            store.types.qos.remove(qos_id)

        await self._store.write(change)
        return APIResponse(202, content_type=EMPTY)

    # -- volume types ------------------------------------------------------------

    @endpoint(app, _ID + "/associate", "GET")
    async def associate(self, call: APIRequest, qos_id: str) -> APIResponse:
        """Give QoS specs to a volume type, as an administrator."""
        type_id = self._type_id(call)

        def change(store: Store) -> None:
            self._found(qos_id, store)
            other = self._qos_of_type(type_id, store)
            if other not in (None, qos_id):
                raise volume_refusals.OTHER_QOS(type_id, other)
            store.types.qos.associate(qos_id, type_id)

        await self._store.write(change)
        return APIResponse(202, content_type=EMPTY)

    @endpoint(app, _ID + "/disassociate", "GET")
    async def disassociate(self, call: APIRequest, qos_id: str) -> APIResponse:
        """Take QoS specs away from a volume type, as an administrator."""
        type_id = self._type_id(call)

        def change(store: Store) -> None:
            self._found(qos_id, store)
            self._qos_of_type(type_id, store)
            store.types.qos.disassociate(qos_id, [type_id])

        await self._store.write(change)
        return APIResponse(202, content_type=EMPTY)

    @endpoint(app, _ID + "/disassociate_all", "GET")
    async def disassociate_all(self, call: APIRequest, qos_id: str) -> APIResponse:
        """Take QoS specs away from all volume types, as an administrator."""
        self.permit(call)

        def change(store: Store) -> None:
            self._found(qos_id, store)
            qos = store.types.qos
            qos.disassociate(qos_id, [type_id for type_id, _ in qos.types(qos_id)])

        await self._store.write(change)
        return APIResponse(202, content_type=EMPTY)

    def _type_id(self, call: APIRequest) -> str:
        """
        :return: the id of the volume type that a request is about.
        :raises WireError: 400, 403.
        """
        self.permit(call)
        type_id = call.query().get("vol_type_id")
        if not type_id:
            raise volume_refusals.NO_TYPE_GIVEN()
        return type_id

    def _qos_of_type(self, type_id: str, store: Store) -> str | None:
        """
        :return: the id of the QoS specs that a volume type has.
        :raises WireError: 404.
        """
        found = store.types.find(type_id)
        if found is None or found.type_id != type_id:
            raise refusals.NO_VOLUME_TYPE(type_id)
        return found.qos_id


def _view(found: QosRecord) -> dict[str, Any]:
    return {
        "id": found.qos_id,
        "name": found.name,
        "consumer": found.consumer,
        "specs": dict(found.specs),
    }


def _is_chosen(found: QosRecord, query: Mapping[str, str]) -> bool:
    """Check the filters of a list: Cinder knows an id and a value, and else finds nothing."""
    known = {"id": found.qos_id, "value": found.name}
    return all(
        known.get(name) == text for name, text in query.items() if name not in PAGE_PARAMETERS
    )


def _name(text: str) -> str:
    """
    :return: the name of new QoS specs.
    :raises WireError: 400.
    """
    if not text:
        raise volume_refusals.QOS_WITHOUT_NAME()
    name = text.strip()
    if not name:
        raise account_refusals.TYPE_NAME_IS_BLANK()
    if len(name) > _MAX_TEXT:
        raise volume_refusals.QOS_NAME_TOO_LONG()
    return name


def _check_texts(specs: Mapping[str, object]) -> None:
    """
    :raises WireError: 400, for an empty or a long key, and for a long value or one of no text.
    """
    for key, value in specs.items():
        if not key:
            raise volume_refusals.QOS_KEY_IS_EMPTY()
        if len(key) > _MAX_TEXT:
            raise refusals.TOO_LONG(f'Key "{key}"', len(key))
        if value is None:
            continue
        if not isinstance(value, str):
            raise volume_refusals.QOS_VALUE_IS_NO_TEXT(key)
        if len(value) > _MAX_TEXT:
            raise refusals.TOO_LONG(f'Value for key "{key}"', len(value))


def _consumer(name: object) -> str:
    """:raises WireError: 400, for an unknown consumer."""
    if name not in _CONSUMERS:
        raise volume_refusals.BAD_CONSUMER()
    return str(name)


__all__ = ["PATHS", "QosAPI"]
