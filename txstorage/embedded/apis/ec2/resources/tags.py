# -*- test-case-name: tests.embedded.ec2.test_tags -*-
"""
The actions on tags, which are the labels that OpenStack's clients see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import attr

from ....store.store import Store
from ..call import Action, Content, EC2Call, EC2Context
from ..filters import ResourceFilters, ResultPage, Values
from ..ids import INSTANCE, SNAPSHOT, VOLUME
from ..protocol import errors
from ..protocol.query import check_count
from ..reader import SeenVolume, StoreReader
from .instances import tags_of
from .volumes import every_volume, existing

#: Returns the new tags of a resource with its present ones.
_Edit = Callable[[dict[str, str]], dict[str, str]]


@attr.s(frozen=True, auto_attribs=True)
class TagOfResource:
    """A tag with its resource."""

    resource_id: str
    resource_type: str
    key: str
    value: str


def _edit(store: Store, ec2_id: str, edit: _Edit) -> None:
    if ec2_id.startswith(VOLUME.word + "-"):
        volume = existing(store, ec2_id).record
        tags = edit(dict(volume.metadata))
        check_count(tags)
        store.set_metadata(volume.volume_id, tags, replace=True)
    elif ec2_id.startswith(SNAPSHOT.word + "-"):
        snapshot = StoreReader(store).snapshot(ec2_id)
        if snapshot is None:
            raise errors.NO_SNAPSHOT(ec2_id)
        tags = edit(dict(snapshot.metadata))
        check_count(tags)
        store.snapshots.set_metadata(snapshot.snapshot_id, tags, replace=True)
    elif ec2_id.startswith(INSTANCE.word + "-"):
        INSTANCE.get(store, ec2_id)
        raise errors.UNSUPPORTED("The tags of this service's instances can't be changed")
    else:
        raise errors.BAD_RESOURCE(ec2_id)


async def _edit_all(call: EC2Call, edit: _Edit) -> Content:
    ids = call.parameters.list("ResourceId")
    if not ids:
        raise errors.MISSING("resourceIdSet")

    def change(store: Store) -> None:
        for ec2_id in ids:
            _edit(store, ec2_id, edit)

    await call.context.store.write(change)
    return {"return": True}


async def create_tags(call: EC2Call) -> Content:
    """Add tags to resources, or change their values."""
    tags = call.parameters.tags()
    if not tags:
        raise errors.MISSING("tagSet")
    return await _edit_all(call, lambda before: {**before, **tags})


async def delete_tags(call: EC2Call) -> Content:
    """Remove tags from resources; without a list, all."""
    keys = call.parameters.keys()

    def edit(before: dict[str, str]) -> dict[str, str]:
        return {
            key: value
            for key, value in before.items()
            if keys and (key not in keys or keys[key] not in (None, value))
        }

    return await _edit_all(call, edit)


def _all_tags(context: EC2Context, volumes: list[SeenVolume]) -> Iterator[TagOfResource]:
    for seen in volumes:
        volume_id = VOLUME.of(seen.record.volume_id)
        for key, value in sorted(seen.record.metadata.items()):
            yield TagOfResource(volume_id, "volume", key, value)
    for snapshot in context.reader.snapshots():
        snapshot_id = SNAPSHOT.of(snapshot.snapshot_id)
        for key, value in sorted(snapshot.metadata.items()):
            yield TagOfResource(snapshot_id, "snapshot", key, value)
    for server in context.store.servers.every():
        for key, value in tags_of(server).items():
            yield TagOfResource(INSTANCE.of(server.server_id), "instance", key, value)


_FILTERS: Mapping[str, Values[TagOfResource]] = {
    "key": lambda tag: [tag.key],
    "value": lambda tag: [tag.value],
    "resource-id": lambda tag: [tag.resource_id],
    "resource-type": lambda tag: [tag.resource_type],
}


async def describe_tags(call: EC2Call) -> Content:
    """List the tags of all resources."""
    filters = ResourceFilters(call.parameters.filters())
    filters.check(_FILTERS, tagged=False)
    page = ResultPage.of(call.parameters, (), call.context.settings.page_size)
    tags = _all_tags(call.context, await every_volume(call.context))
    chosen = list(enumerate(filters.match(tags, _FILTERS)))
    # The first ones have the largest numbers.
    part, token = page.cut(chosen, lambda numbered: -numbered[0])
    views = [
        {
            "resourceId": tag.resource_id,
            "resourceType": tag.resource_type,
            "key": tag.key,
            "value": tag.value,
        }
        for _, tag in part
    ]
    return {"tagSet": views, "nextToken": token}


ACTIONS: Mapping[str, Action] = {
    "CreateTags": create_tags,
    "DeleteTags": delete_tags,
    "DescribeTags": describe_tags,
}
