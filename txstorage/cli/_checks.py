# -*- test-case-name: tests.cli.test_doctor -*-
"""
What ``txstorage doctor`` checks, one function a step.

A step returns what it found, raises :class:`Skipped` when there is nothing to
check, or fails with the error that a user of the driver would get.
"""

from __future__ import annotations

import os
import stat
from typing import Any, Awaitable, Callable, Optional, Tuple

import attr

from .._configuration import Configuration, dataset_section, variables
from .._keys import KEYS, SECRETS
from ..backend import driver_for, http_client, volume_service
from ..errors import InvalidConfiguration, ServiceError, StorageError
from ..labels import belongs_to, cluster_labels
from ..services.openstack._catalog import choose_endpoint
from ..services.openstack.cinder import SERVICE_TYPES as VOLUME_TYPES
from ..services.openstack.nova import SERVICE_TYPES as COMPUTE_TYPES
from ._app import App
from ._sizes import format_size


class Skipped(Exception):
    """There is nothing to check; the text says why."""


class Unsafe(StorageError):
    """It works, but not safely."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class Examination:
    """
    What the steps know so far.

    :ivar app: the global options.
    :ivar reactor: the reactor.
    """

    configuration: Configuration
    http: Any
    service: Any
    driver: Any
    instance_id: str
    volumes: Tuple[Any, ...]

    def __init__(self, app: App, reactor: Any) -> None:
        self.app = app
        self.reactor = reactor


async def check_file(state: Examination) -> str:
    """The configuration's source can be read."""
    path = state.app.source()
    if path is not None:
        dataset_section(path)
        return path
    known = {name for key in KEYS for name in variables(key.name)}
    given = sorted(name for name in known if state.app.environ.get(name))
    if not given:
        raise InvalidConfiguration(
            "config",
            "there is no {}, and no variable is set".format(state.app.default_config),
            "give --config, or set TXSTORAGE_AUTH_URL or OS_AUTH_URL and the like",
        )
    return "the environment: " + ", ".join(given)


async def check_keys(state: Examination) -> str:
    """Every key is known and well-formed, and nothing is missing."""
    state.configuration = configuration = state.app.configuration()
    parts = (state.reactor, configuration, state.app.agent)
    state.http, state.service = http_client(*parts), volume_service(*parts)
    return "auth_plugin {}, {}".format(
        configuration.auth_plugin, configuration.auth_url or configuration.volume_endpoint
    )


async def check_secrets(state: Examination) -> str:
    """No secret is in a file that others can read."""
    path, files = state.app.source(), []
    if path is not None:
        section, _ = dataset_section(path)
        files = [path] if any(section.get(name) for name in SECRETS) else []
    secrets = [getattr(state.configuration, name) for name in SECRETS]
    files += [secret.path for secret in secrets if secret is not None and secret.path is not None]
    if not files:
        raise Skipped("no secret is in a file")
    for name in files:
        if stat.S_IMODE(os.stat(name).st_mode) & (stat.S_IRGRP | stat.S_IROTH):
            raise Unsafe(
                "{} holds a secret, and other users can read it".format(name),
                "chmod 600 {}".format(name),
            )
    return "{}: only for the owner".format(", ".join(files))


async def check_tls(state: Examination) -> str:
    """The service is there, and its certificate verifies."""
    url = state.configuration.auth_url or state.configuration.volume_endpoint
    assert url is not None  # One of them is mandatory.
    await probe(state.http, url)
    if not url.startswith("https:"):
        raise Skipped("{} answers, without TLS: what is sent can be read on the way".format(url))
    if not state.configuration.verify_peer:
        raise Unsafe(
            "{} answers, but its certificate is not verified".format(url),
            "remove verify_peer: false; use verify_ca_path for an authority of your own",
        )
    return "{} answers; its certificate verifies".format(url)


async def probe(http: Any, url: str) -> None:
    """
    :param url: where a service should be.
    :raises TransportError: when nothing that speaks HTTP and JSON is there.
    """
    try:
        # Version documents are answered with 300.
        await http.request("GET", url, expected=(300,))
    except ServiceError:
        # An HTTP error is an answer as well, for example to a missing token.
        pass


async def check_authentication(state: Examination) -> str:
    """The credentials are accepted."""
    if state.configuration.auth_plugin == "none":
        raise Skipped("auth_plugin is none")
    identity = await state.service.authenticate()
    life = "" if identity.expires_in is None else "; the token lives {:.0f} minutes".format(
        identity.expires_in / 60
    )
    return "user {}, project {}{}".format(
        identity.user_name, identity.project_name or "none", life
    )


async def check_catalog(state: Examination) -> str:
    """Block Storage and Compute are in the catalog, for the region and interface."""
    if state.configuration.auth_plugin == "none":
        raise Skipped("auth_plugin is none: there is no catalog")
    catalog = await state.service.catalog()
    chosen = state.configuration
    return ", ".join(
        "{}: {}".format(
            types[0],
            override or choose_endpoint(catalog, types, chosen.interface, chosen.region),
        )
        for types, override in (
            (VOLUME_TYPES, chosen.volume_endpoint),
            (COMPUTE_TYPES, chosen.compute_endpoint),
        )
    )


async def check_quota(state: Examination) -> str:
    """There is room for one more volume."""
    quota = await state.service.quota()

    def of(limit: Optional[int], shown: Callable[[int], str]) -> str:
        return "unlimited" if limit is None else shown(limit)

    summary = "{} of {} volumes, {} of {}".format(
        quota.volumes_used,
        of(quota.volumes_limit, str),
        format_size(quota.bytes_used),
        of(quota.bytes_limit, format_size),
    )
    for used, limit in (
        (quota.volumes_used, quota.volumes_limit),
        (quota.bytes_used, quota.bytes_limit),
    ):
        if limit is not None and used >= limit:
            raise Unsafe(
                "The quota is used up: " + summary,
                "destroy volumes that are not needed, or have the project's quota raised",
            )
    return summary


async def check_driver(state: Examination) -> str:
    """There is a cluster id."""
    state.driver = driver_for(state.reactor, state.configuration, state.service)
    return str(state.configuration.cluster_id)


async def check_instance_id(state: Examination) -> str:
    """This node is a server that Compute knows."""
    state.instance_id = await state.driver.compute_instance_id()
    return state.instance_id


async def check_list(state: Examination) -> str:
    """The cluster's volumes can be listed, and each can be understood."""
    cluster_id = state.configuration.cluster_id
    usable = await state.driver.list_volumes()
    page = await state.service.list_volumes(cluster_labels(cluster_id))
    state.volumes = tuple(usable)
    mine = [volume for volume in page.volumes if belongs_to(volume, cluster_id)]
    left_out = len(mine) + len(page.malformed) - len(usable)
    if left_out:
        raise Unsafe(
            "{} of {} volumes can't be used".format(left_out, left_out + len(usable)),
            "'txstorage volumes list' says which and why",
        )
    return "{} volumes".format(len(usable))


async def check_devices(state: Examination) -> str:
    """The device of each volume attached here is found and verified."""
    here = [each for each in state.volumes if each.attached_to == state.instance_id]
    if not here:
        raise Skipped("no volume of this cluster is attached to this node")
    paths = []
    for volume in here:
        path = await state.driver.get_device_path(volume.blockdevice_id)
        paths.append("{}: {}".format(volume.blockdevice_id, path.path))
    return ", ".join(paths)


@attr.s(frozen=True, auto_attribs=True)
class Step:
    """
    :ivar name: for people and machines.
    :ivar check: the function.
    :ivar after: the steps that must not have failed.
    """

    name: str
    check: Callable[[Examination], Awaitable[str]]
    after: Tuple[str, ...] = ()


STEPS = (
    Step("file", check_file),
    Step("keys", check_keys, ("file",)),
    Step("secrets", check_secrets, ("keys",)),
    Step("TLS", check_tls, ("keys",)),
    Step("authentication", check_authentication, ("TLS",)),
    Step("catalog", check_catalog, ("authentication",)),
    Step("quota", check_quota, ("catalog",)),
    Step("cluster id", check_driver, ("keys",)),
    Step("instance id", check_instance_id, ("catalog", "cluster id")),
    Step("list volumes", check_list, ("catalog", "cluster id")),
    Step("device discovery", check_devices, ("instance id", "list volumes")),
)
