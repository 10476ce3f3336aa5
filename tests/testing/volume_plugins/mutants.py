"""
Plugins that are wrong, each in one way that the suite claims to catch.
"""

from __future__ import annotations

import json
import os
from functools import partial
from typing import Any, Callable

from txstorage.filesystem.holders import mounts_of

from .reference import ReferencePlugin, Refused, Trouble

#: ``(class, the names of the tests that must fail)`` of each.
MUTANTS: list[tuple[type[ReferencePlugin], tuple[str, ...]]] = []

Fields = dict[str, Any]


def caught_by(*tests: str) -> Callable[[type[ReferencePlugin]], type[ReferencePlugin]]:
    """:return: a decorator that enters a class in the table."""

    def enter(cls: type[ReferencePlugin]) -> type[ReferencePlugin]:
        MUTANTS.append((cls, tests))
        return cls

    return enter


# -- messages ----------------------------------------------------------------------------


@caught_by("test_activate")
class NoDriver(ReferencePlugin):
    """It implements nothing."""

    async def activate(self) -> Fields:
        return {"Implements": []}


@caught_by("test_capabilities")
class LocalScope(ReferencePlugin):
    """Its volumes are a node's."""

    async def capabilities(self) -> Fields:
        return {"Capabilities": {"Scope": "local"}}


@caught_by("test_content_type")
class PlainJSON(ReferencePlugin):
    """Errors have another content type."""

    def content_type(self, answer: Fields) -> str:
        return "application/json" if answer.get("Err") else super().content_type(answer)


@caught_by("test_no_body")
class AcceptsEmptyBody(ReferencePlugin):
    """A lost body is a volume without a name."""

    def fields(self, call: str, body: bytes) -> Fields:
        if body:
            return super().fields(call, body)
        return dict(super().fields(call, b'{"Name": "x"}'), name="")


@caught_by("test_no_body", "test_malformed")
class DeniesMalformed(ReferencePlugin):
    """Get denies a volume when the body was lost."""

    def fields(self, call: str, body: bytes) -> Fields:
        try:
            return super().fields(call, body)
        except Trouble as error:
            raise Refused(str(error)) from None


@caught_by("test_malformed")
class AnyName(ReferencePlugin):
    """A name may be anything."""

    def fields(self, call: str, body: bytes) -> Fields:
        try:
            return super().fields(call, body)
        except Refused:
            name = str(json.loads(body or b"null"))
            return super().fields(call, json.dumps({"Name": name}).encode())
        except ValueError:
            raise Refused("the request is malformed") from None


@caught_by("test_unknown_call")
class AnyCall(ReferencePlugin):
    """A call that it does not know succeeds."""

    async def answer(self, name: str, body: bytes) -> Fields:
        return await super().answer(name, body) if hasattr(self, name.lower()) else {"Err": ""}


@caught_by("test_unknown_fields")
class StrictFields(ReferencePlugin):
    """A later version's fields are errors."""

    def fields(self, call: str, body: bytes) -> Fields:
        if set(json.loads(body or b"{}")) - {"Name", "ID", "Opts"}:
            raise Refused("the request has unknown fields")
        return super().fields(call, body)


# -- the life of volumes -----------------------------------------------------------------


@caught_by("test_created_at_once")
class CreatesInTurn(ReferencePlugin):
    """A volume that another call is about to create is an error."""

    creating = 0

    async def create(self, name: str, options: dict[str, str] | None) -> Fields:
        if self.creating:
            raise Refused("it is about to be created")
        self.creating += 1
        try:
            return await super().create(name, options)
        finally:
            self.creating -= 1


@caught_by("test_created_twice")
class CreateOnce(ReferencePlugin):
    """A volume that exists can't be created."""

    async def create(self, name: str, options: dict[str, str] | None) -> Fields:
        await self.cloud.call()
        if name in self.cloud.options:
            raise Refused("the volume exists")
        return await super().create(name, options)


@caught_by("test_other_options")
class AnyOptions(ReferencePlugin):
    """A volume that exists is good enough."""

    async def create(self, name: str, options: dict[str, str] | None) -> Fields:
        return await super().create(name, self.cloud.options.get(name, options))


@caught_by("test_unknown_option")
class KnownOptions(ReferencePlugin):
    """Options that it does not know are ignored."""

    async def create(self, name: str, options: dict[str, str] | None) -> Fields:
        known = {key: value for key, value in (options or {}).items() if key == "size"}
        return await super().create(name, known)


@caught_by("test_described")
class PathAlways(ReferencePlugin):
    """A volume has its path also when it is not mounted."""

    async def path(self, name: str) -> Fields:
        return {"Mountpoint": self.folder(name), "Err": ""}


@caught_by("test_removed_twice")
class RemoveOnce(ReferencePlugin):
    """A volume that does not exist can't be removed."""

    async def removed(self, name: str) -> Fields:
        if name not in self.cloud.options:
            raise Refused("there is no such volume")
        return await super().removed(name)


@caught_by("test_made_again")
class FilesStay(ReferencePlugin):
    """A removed volume's data stay."""

    async def removed(self, name: str) -> Fields:
        path = self.cloud.file(name)
        if os.path.exists(path) and not self.held(name):
            self.detach(name)
            os.link(path, path + ".kept")
        found = await super().removed(name)
        if os.path.exists(path + ".kept"):
            os.rename(path + ".kept", path)
        return found


@caught_by("test_no_such_volume")
class MountMakes(ReferencePlugin):
    """A volume that does not exist is made at its mount."""

    async def mount(self, name: str, claim: str) -> Fields:
        await self.create(name, None)
        return await super().mount(name, claim)


# -- mounts --------------------------------------------------------------------------------


@caught_by("test_life", "test_created_twice")
class FormatsWithoutLooking(ReferencePlugin):
    """A volume is formatted whenever it is mounted."""

    async def attached(self, name: str) -> None:
        if name in self.cloud.options and not self.is_mounted(name):
            self.format(name)
        await super().attached(name)


@caught_by("test_life")
class NoMountpoint(ReferencePlugin):
    """Mount's answer has an empty path."""

    async def mount(self, name: str, claim: str) -> Fields:
        return dict(await super().mount(name, claim), Mountpoint="")


@caught_by("test_life")
class FolderOfTheHost(ReferencePlugin):
    """A path is on the host's disk, because the mount has failed silently."""

    async def attached(self, name: str) -> None:
        await self.cloud.call()
        if name not in self.cloud.options:
            raise Refused("there is no such volume")
        self.cloud.attached.add(name)
        os.makedirs(self.folder(name), exist_ok=True)


@caught_by("test_empty")
class WholeFilesystem(ReferencePlugin):
    """Containers see the root of the file system."""

    def folder(self, name: str) -> str:
        return self.point(name)


@caught_by("test_no_writes_without_mount")
class WritableMountPoint(ReferencePlugin):
    """The mount point takes writes."""

    def protect(self, point: str) -> None:
        pass


@caught_by("test_two_claims", "test_at_once")
class FirstUnmountEnds(ReferencePlugin):
    """The first Unmount ends the mount."""

    def give_back(self, name: str, claim: str) -> None:
        self.disk["claims"].pop(name, None)


@caught_by("test_at_once")
class OneAtATime(ReferencePlugin):
    """A second call at the same time is refused."""

    def alone(self, work: Any) -> Any:
        if self.turn.locked:
            raise Refused("another operation runs")
        return super().alone(work)


@caught_by("test_same_claim_again")
class CountsMounts(ReferencePlugin):
    """Each Mount counts, with the same ID too."""

    def claim(self, name: str, claim: str) -> None:
        self.disk["claims"].setdefault(name, []).append(claim)


@caught_by("test_unknown_claim")
class CountsUnmounts(ReferencePlugin):
    """Each Unmount counts, whatever its ID."""

    def give_back(self, name: str, claim: str) -> None:
        del self.disk["claims"].get(name, [])[:1]


@caught_by("test_copied_into", "test_removed_in_use", "test_container")
class TrustsIDs(ReferencePlugin):
    """The engine's IDs alone say whether a volume is in use."""

    def held(self, name: str) -> bool:
        return False


@caught_by("test_unmounted_twice")
class UnmountOnce(ReferencePlugin):
    """A volume that is not mounted can't be given back."""

    async def unmount(self, name: str, claim: str) -> Fields:
        if not self.is_mounted(name):
            raise Refused("it is not mounted")
        return await super().unmount(name, claim)


@caught_by("test_two_volumes")
class OneMountPoint(ReferencePlugin):
    """All volumes have one mount point."""

    def point(self, name: str) -> str:
        return os.path.join(self.directory, "mnt")


# -- troubles --------------------------------------------------------------------------------


@caught_by("test_get_unreachable", "test_get_errors")
class DeniesUnknown(ReferencePlugin):
    """A volume that it does not know is denied when the cloud can't answer."""

    async def get(self, name: str) -> Fields:
        try:
            return await super().get(name)
        except Trouble as error:
            raise Refused(str(error)) from None


@caught_by("test_get_unreachable", "test_get_errors")
class AsksTheCloud(ReferencePlugin):
    """Get asks the cloud, and is answered with the cloud's error."""

    async def get(self, name: str) -> Fields:
        try:
            await self.cloud.call()
        except Trouble as error:
            raise Refused(str(error)) from None
        return await super().get(name)


@caught_by("test_get_unreachable", "test_get_errors", "test_get_hanging")
class ListsFromTheCloud(ReferencePlugin):
    """List has no answer without the cloud."""

    async def list(self) -> Fields:
        await self.cloud.call()
        return await super().list()


@caught_by("test_get_after_kill")
class ForgetsNames(ReferencePlugin):
    """After its start it has no names, and denies all of them."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.disk["names"].clear()

    async def get(self, name: str) -> Fields:
        if name not in self.disk["names"]:
            raise Refused("there is no such volume")
        return await super().get(name)


@caught_by("test_get_hanging", "test_calls_hanging")
class WaitsForTheCloud(ReferencePlugin):
    """It waits as long as the cloud hangs."""

    patience = 30.0


@caught_by("test_calls_unreachable", "test_calls_errors")
class SucceedsBlindly(ReferencePlugin):
    """Errors of the cloud are swallowed."""

    async def create(self, name: str, options: dict[str, str] | None) -> Fields:
        try:
            return await super().create(name, options)
        except Trouble:
            return {"Err": ""}


@caught_by("test_unmounted_in_trouble")
class GivesBackOnce(ReferencePlugin):
    """An Unmount that failed is not tried again."""

    async def activate(self) -> Fields:
        return {"Implements": ["VolumeDriver"]}


# -- kills -----------------------------------------------------------------------------------


@caught_by("test_unmount_after")
class ForgetsClaims(ReferencePlugin):
    """After its start it knows no claims."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.disk["claims"].clear()


@caught_by("test_container", "test_unmount_after")
class CleansUp(ReferencePlugin):
    """It begins with unmounting all that it finds."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        for each in mounts_of():
            if os.path.dirname(each.mounted_at) == self.directory:
                self.detach(os.path.basename(each.mounted_at))


@caught_by("test_create", "test_mount", "test_unmount", "test_remove")
class StaleLock(ReferencePlugin):
    """An operation that a kill interrupted keeps its lock."""

    async def locked(self, name: str, work: Any) -> Fields:
        """Do some work with a lock on the disk."""
        if name in self.disk.setdefault("locks", []):
            raise Refused("another operation runs")
        self.disk["locks"].append(name)
        # Most of the call's time, so that kills strike now.
        for _ in range(8):
            await self.cloud.call()
        found: Fields = await work()
        self.disk["locks"].remove(name)
        return found

    async def create(self, name: str, options: dict[str, str] | None) -> Fields:
        return await self.locked(name, partial(super().create, name, options))

    async def mount(self, name: str, claim: str) -> Fields:
        return await self.locked(name, partial(super().mount, name, claim))

    async def unmount(self, name: str, claim: str) -> Fields:
        return await self.locked(name, partial(super().unmount, name, claim))

    async def remove(self, name: str) -> Fields:
        return await self.locked(name, partial(super().remove, name))


__all__ = ["MUTANTS"]
