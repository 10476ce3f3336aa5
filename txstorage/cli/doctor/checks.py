# -*- test-case-name: tests.cli.doctor.test_command -*-
"""
The checks of ``txstorage doctor``, one function per step.

A step returns its finding, raises :class:`Skipped`, or fails with the error that a user would get.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Awaitable, Sequence
from typing import Any, Callable

import attr

from ..._assembly import driver_for, http_client, volume_service
from ..._configuration.configuration import dataset_section
from ..._configuration.keys import EC2, SECRETS
from ..._devices.os_brick import Brick
from ..._http.client import HTTPClient
from ...clouds.openstack.cinder import SERVICE_TYPES as VOLUME_TYPES
from ...clouds.openstack.nova import SERVICE_TYPES as COMPUTE_TYPES
from ...clouds.openstack.session import is_secure
from ...clouds.openstack.without_compute import StandaloneService
from ...driver.labels import belongs_to, cluster_labels
from ...errors import (
    AuthenticationFailed,
    PermissionDenied,
    QuotaExceeded,
    ResourceNotFound,
    ServiceError,
    StorageFull,
)
from ...errors.remedies import SECOND_VOLUME
from ...interfaces import MandatoryProfiles
from ..sizes import format_size
from ..volumes.orphans import reason_of, selected
from .ec2 import (
    check_attachments,
    check_clock,
    check_credentials,
    check_device_names,
    check_instance,
    check_permissions,
    check_zone,
)
from .engine import check_engine
from .state import OPENSTACK, CheckFailed, CheckWarning, DoctorRun, Skipped

#: The used part of a quota from which on the doctor warns.
NEARLY = 0.9
#: Free bytes below which storage counts as full.
ALMOST_FULL = 2**24
MAKE_ROOM = "make room before the volumes are filled, or destroy some; writes fail on a full disk"


async def check_file(state: DoctorRun) -> str:
    """Check that the configuration's source can be read."""
    path = state.app.source()
    if path is not None:
        dataset_section(path)
        return path
    return "the environment: " + ", ".join(state.app.variables())


async def check_keys(state: DoctorRun) -> str:
    """Check that every key is known and well-formed, and that none is missing."""
    state.configuration = configuration = state.app.configuration()
    parts = (state.reactor, configuration, state.app.agent)
    state.http = http_client(*parts)
    # On EC2, the steps that use more than the seam are others.
    state.service = volume_service(*parts)  # type: ignore[assignment]
    address = configuration.address
    proxy = configuration.proxies.for_url(address)
    through = "" if proxy is None else f" through {proxy.describe()}"
    found = f"auth_plugin {configuration.auth_plugin}, {address}{through}"
    if configuration.notes:
        raise CheckWarning(
            "; ".join((found, *configuration.notes)),
            "unset the variables, or remove the keys, that have no effect",
        )
    return found


async def check_secrets(state: DoctorRun) -> str:
    """Check that no secret is in a file that others can read."""
    path, files = state.app.source(), []
    if path is not None:
        section, _ = dataset_section(path)
        with_password = "@" in str(section.get("proxy", ""))
        files = [path] if with_password or any(section.get(name) for name in SECRETS) else []
    secrets = [getattr(state.configuration, name) for name in SECRETS]
    files += [secret.path for secret in secrets if secret is not None and secret.path is not None]
    files += state.configuration.secret_files
    key = state.configuration.client_key or state.configuration.client_certificate
    files += [] if key is None else [key]
    if not files:
        raise Skipped("no secret is in a file")
    for name in files:
        if stat.S_IMODE(os.stat(name).st_mode) & (stat.S_IRGRP | stat.S_IROTH):
            raise CheckFailed(
                f"{name} holds a secret, and other users can read it",
                f"chmod 600 {name}",
            )
    return "{}: only for the owner".format(", ".join(files))


async def check_tls(state: DoctorRun) -> str:
    """Check that the service is there, and that its certificate verifies."""
    if state.cloud == EC2:
        url = state.session.endpoint
        await state.http.request_raw("GET", url, {}, service="ec2")
    else:
        url = state.configuration.auth_url or state.configuration.volume_endpoint or ""
        await probe(state.http, url)
    if not url.startswith("https:"):
        raise Skipped(f"{url} answers, without TLS: what is sent can be read on the way")
    if not state.configuration.verify_peer:
        raise CheckFailed(
            f"{url} answers, but its certificate is not verified",
            "remove verify_peer: false; use verify_ca_path for an authority of your own",
        )
    return f"{url} answers; its certificate verifies"


async def probe(http: HTTPClient, url: str) -> None:
    """
    :param url: the service's URL.
    :raises TransportError: no server that speaks HTTP and JSON is there.
    """
    try:
        # Services return version documents with status 300.
        await http.request("GET", url, expected=(300,))
    except ServiceError:
        # An HTTP error is a response, too, for example to a missing token.
        pass


async def check_authentication(state: DoctorRun) -> str:
    """Check that the credentials are accepted."""
    if state.configuration.auth_plugin == "none":
        raise Skipped("auth_plugin is none")
    identity = await state.service.authenticate()
    life = (
        ""
        if identity.expires_in is None
        else f"; the token lives {identity.expires_in / 60:.0f} minutes"
    )
    return "user {}, project {}{}".format(identity.user_name, identity.project_name or "none", life)


async def check_catalog(state: DoctorRun) -> str:
    """
    Check that the required services are in the catalog, for the region and interface, that each
    answers at its endpoint, with a certificate that verifies, and that no token is sent in the
    clear.
    """
    configuration = state.configuration
    needed: list[Sequence[str]] = [VOLUME_TYPES]
    if configuration.attach_through == "compute":
        needed.append(COMPUTE_TYPES)
    endpoints = {types[0]: await state.service.endpoint(types) for types in needed}
    for url in endpoints.values():
        await probe(state.http, url)
    shown = ", ".join(f"{name}: {url}" for name, url in endpoints.items())
    insecure = [url for url in endpoints.values() if not is_secure(url)]
    if insecure and is_secure(configuration.auth_url or ""):
        raise CheckWarning(
            f"{shown}; tokens are sent without TLS to {', '.join(insecure)}",
            "use https addresses, and remove allow_insecure_endpoints",
        )
    if configuration.auth_plugin == "none":
        raise Skipped(f"auth_plugin is none: there is no catalog; {shown}")
    return shown


async def check_attaching(state: DoctorRun) -> str:
    """Check that Compute, or this host, can attach volumes."""
    if state.configuration.attach_through == "compute":
        return "Compute attaches volumes"
    assert isinstance(state.service, StandaloneService)
    await state.service.check_attachments()
    brick = "with os-brick, also by iSCSI and the like"
    if Brick.load() is None:
        brick = "local devices only, as os-brick is not installed"
    return f"this host attaches volumes through Block Storage; {brick}"


async def may_ask(asked: Awaitable[Any]) -> Any:
    """
    Ignore a refusal: the driver itself never sends this request, so its user need not have the
    permission.

    :raises Skipped: the user may not see it.
    """
    try:
        return await asked
    # Access rules of an application credential cause AuthenticationFailed.
    except (PermissionDenied, AuthenticationFailed) as error:
        raise Skipped(f"this user may not ask for it, and need not: {error.detail}")


async def check_quota(state: DoctorRun) -> str:
    """Check that the quota has room for one more volume."""
    quota = await may_ask(state.service.quota())

    def of(amount: int | None, shown: Callable[[int], str], absent: str) -> str:
        return absent if amount is None else shown(amount)

    summary = "{} of {} volumes, {} of {}".format(
        of(quota.volumes_used, str, "unknown"),
        of(quota.volumes_limit, str, "unlimited"),
        of(quota.bytes_used, format_size, "unknown"),
        of(quota.bytes_limit, format_size, "unlimited"),
    )
    uses = [
        used / limit if limit else 1.0
        for used, limit in (
            (quota.volumes_used, quota.volumes_limit),
            (quota.bytes_used, quota.bytes_limit),
        )
        if used is not None and limit is not None
    ]
    if max(uses, default=0.0) >= 1.0:
        raise CheckFailed("The quota is used up: " + summary, QuotaExceeded.remedy)
    if max(uses, default=0.0) >= NEARLY:
        raise CheckWarning("The quota is nearly used up: " + summary, QuotaExceeded.remedy)
    return summary


async def check_volume_types(state: DoctorRun) -> str:
    """Check that each profile's volume type exists."""
    profiles = state.configuration.profiles or {}
    types = await may_ask(state.service.volume_types())
    names = ", ".join(each.name for each in types) or "none"
    known = {each.name for each in types} | {each.type_id for each in types}
    wrong = sorted(name for name, wanted in profiles.items() if wanted not in known)
    if wrong:
        raise CheckFailed(
            "There are these volume types: {}; but profile {}".format(
                names, ", ".join(f"{name} means {profiles[name]}" for name in wrong)
            ),
            "correct 'profiles', or have this project given access to the volume type",
        )
    mapped = [f"{name}: {profiles[name]}" for name in sorted(profiles)]
    # Two constants may have the same profile.
    mandatory = {profile.value for profile in MandatoryProfiles.iterconstants()}
    rest = sorted(mandatory - set(profiles))
    if rest:
        mapped.append("{}: the cloud's default".format("/".join(rest)))
    return "{}; profiles: {}".format(names, ", ".join(mapped))


async def check_availability_zones(state: DoctorRun) -> str:
    """Check that the availability zone exists and can have new volumes."""
    wanted = state.configuration.availability_zone
    zones = await may_ask(state.service.availability_zones())
    shown = (
        ", ".join(zone.name + ("" if zone.available else " (not available)") for zone in zones)
        or "none"
    )
    if wanted is None:
        return f"{shown}; volumes are made where the cloud chooses"
    fitting = [zone for zone in zones if zone.name == wanted]
    if not fitting:
        raise CheckFailed(
            f"Block Storage has no availability zone {wanted}; it has: {shown}",
            "correct 'availability_zone', or leave it out for the cloud's choice; "
            "Compute's zones are not always Block Storage's",
        )
    if not fitting[0].available:
        raise CheckWarning(
            f"The availability zone {wanted} is not available at the moment",
            "ask the operator of the cloud; until then no volume can be created there",
        )
    return f"{shown}; volumes are made in {wanted}"


async def check_space(state: DoctorRun) -> str:
    """Check that the storage has room for what is promised to the volumes."""
    try:
        pools = await may_ask(state.service.pools())
    except ResourceNotFound as error:
        raise Skipped(f"the cloud does not show it: {error.detail}") from error
    shown = []
    for pool in pools:
        shown.append(
            "{}: {} promised, {} can be held, {} free".format(
                pool.name,
                *(
                    "unknown" if size is None else format_size(size)
                    for size in (pool.promised, pool.total, pool.free)
                ),
            )
        )
        if pool.free is not None and pool.free < ALMOST_FULL:
            raise CheckFailed("The storage is full: " + shown[-1], StorageFull.remedy)
        promised, total = pool.promised or 0, pool.total
        if total is not None and promised > total * pool.ratio:
            raise CheckWarning("More is promised to volumes than there is: " + shown[-1], MAKE_ROOM)
    if not shown:
        raise Skipped("the cloud shows no storage pool")
    return "; ".join(shown)


async def check_driver(state: DoctorRun) -> str:
    """Check that there is a cluster id."""
    # The doctor changes nothing.
    parts = (state.reactor, state.configuration, state.service)
    state.driver = driver_for(*parts, marking=False)
    return str(state.configuration.cluster_id)


async def check_instance_id(state: DoctorRun) -> str:
    """Check that this node's id is known, to Compute too if Compute is to attach."""
    state.instance_id = await state.driver.compute_instance_id()
    return f"{state.instance_id}, by: {state.driver.instance_id_source}"


async def check_list(state: DoctorRun) -> str:
    """Check that the cluster's volumes can be listed, and that each is used."""
    cluster_id: Any = state.configuration.cluster_id
    page = await state.service.list_volumes(cluster_labels(cluster_id))
    selection = selected(page, cluster_id)
    usable, orphans = selection.volumes, selection.seconds
    state.volumes = tuple(usable)
    mine = [volume for volume in page.volumes if belongs_to(volume, cluster_id)]
    left_out = len(mine) + len(page.malformed) - len(usable) - len(orphans)
    if left_out:
        raise CheckFailed(
            f"{left_out} of {left_out + len(usable)} volumes can't be used",
            "'txstorage volumes list' says which and why",
        )
    count = "{} volume{}".format(len(usable), "" if len(usable) == 1 else "s")
    if orphans:
        reasons = [f"{each.volume.volume_id} is {reason_of(each)}" for each in orphans]
        raise CheckWarning(
            "; ".join([count, *reasons]),
            state.service.remedies.get(SECOND_VOLUME, SECOND_VOLUME),
        )
    return count


async def check_devices(state: DoctorRun) -> str:
    """Check that the device of each volume attached here is found and verified."""
    here = [each for each in state.volumes if each.attached_to == state.instance_id]
    if not here:
        raise Skipped("no volume of this cluster is attached to this node")
    paths = []
    for volume in here:
        path = await state.driver.get_device_path(volume.blockdevice_id)
        paths.append(f"{volume.blockdevice_id}: {path.path}")
    return ", ".join(paths)


@attr.s(frozen=True, auto_attribs=True)
class Step:
    """
    :ivar name: the name to print.
    :ivar check: the function.
    :ivar after: the steps that must not have failed.
    :ivar cloud: the cloud that has something to check; ``None`` for all.
    """

    name: str
    check: Callable[[DoctorRun], Awaitable[str]]
    after: tuple[str, ...] = ()
    cloud: str | None = None


STEPS = (
    Step("file", check_file),
    Step("keys", check_keys, ("file",)),
    Step("secrets", check_secrets, ("keys",)),
    Step("TLS", check_tls, ("keys",)),
    Step("credentials", check_credentials, ("TLS",), cloud=EC2),
    Step("permissions", check_permissions, ("credentials",), cloud=EC2),
    Step("zone", check_zone, ("credentials",), cloud=EC2),
    Step("clock", check_clock, ("credentials",), cloud=EC2),
    Step("authentication", check_authentication, ("TLS",), cloud=OPENSTACK),
    Step("catalog", check_catalog, ("authentication",), cloud=OPENSTACK),
    Step("attaching", check_attaching, ("catalog",), cloud=OPENSTACK),
    Step("quota", check_quota, ("catalog",), cloud=OPENSTACK),
    Step("volume types", check_volume_types, ("catalog",), cloud=OPENSTACK),
    Step("availability zones", check_availability_zones, ("catalog",), cloud=OPENSTACK),
    Step("storage space", check_space, ("catalog",), cloud=OPENSTACK),
    Step("cluster id", check_driver, ("keys",)),
    Step("instance id", check_instance_id, ("catalog", "credentials", "cluster id")),
    Step("instance", check_instance, ("instance id",), cloud=EC2),
    Step("attachments", check_attachments, ("instance",), cloud=EC2),
    Step("device names", check_device_names, ("keys",), cloud=EC2),
    Step("list volumes", check_list, ("catalog", "credentials", "cluster id")),
    Step("device discovery", check_devices, ("instance id", "list volumes")),
    Step("docker", check_engine),
)
