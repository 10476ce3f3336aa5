# -*- test-case-name: tests.embedded.test_application -*-
"""
The embedded service without a network, for tests.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import attr
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource

from ..accounts.declarations import Account, merged, parse_option
from ..application import Application
from ..control.controls import Controls
from ..machine.devices import FileDevices
from ..machine.files import VolumeFiles
from ..settings import DOMAIN, PROJECT, REGION, USER, Settings
from ..store.store import Store

BASE_URL = "http://cloud.example"
PASSWORD = "open sesame"
APPLICATION_SECRET = "open barley"


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class InMemoryCloud:
    """
    A cloud that lives as long as a test.

    :ivar credentials: a driver's configuration, by key.
    :ivar nodes: server ids by name.
    :ivar devices_directory: the directory of the regular files that stand for devices.
    :ivar store: for tests that change the state.
    """

    application: Application
    auth_url: str
    credentials: dict[str, str]
    nodes: dict[str, str]
    devices_directory: str
    store: Store
    settings: Settings
    _directory: str

    @cached_property
    def resource(self) -> IResource:
        """The resource for ``treq.testing.RequestTraversalAgent``."""
        return self.application.resource()

    def close(self) -> None:
        """Remove everything."""
        self.application.stop()
        self.store.close()
        shutil.rmtree(self._directory)


def _credentials(auth_url: str, password: str) -> dict[str, str]:
    return {
        "region": REGION,
        "auth_plugin": "password",
        "auth_url": auth_url,
        "username": USER,
        "password": password,
        "project_name": PROJECT,
        "user_domain_name": DOMAIN["name"],
        "project_domain_name": DOMAIN["name"],
    }


def _accounts(users: Iterable[str], password: str) -> tuple[Account, ...]:
    declared = merged([parse_option(user) for user in users])
    return tuple(Account(each.name, password, each.roles) for each in declared)


def in_memory_cloud(
    reactor: IReactorTime,
    nodes: Iterable[str] = ("node-1", "node-2"),
    controls: Controls | None = None,
    directory: str | None = None,
    root_volumes: bool = True,
    users: Iterable[str] = (),
    **settings: Any,
) -> InMemoryCloud:
    """
    :param reactor: a ``Clock``; transitions happen when it is advanced.
    :param nodes: names of the servers.
    :param controls: of a test; their clock's time is the cloud's.
    :param directory: of the volumes' files, which exists; by default a new one.
    :param root_volumes: whether each server has a root volume, which volume lists show.
    :param users: others, with the first one's password: each ``NAME:PROJECT:ROLES``.
    :param settings: see :class:`~txstorage.embedded.settings.Settings`.
    """
    directory = directory or tempfile.mkdtemp(prefix="txstorage-")
    files, devices = (os.path.join(directory, name) for name in ("volumes", "devices"))
    os.mkdir(files)
    os.mkdir(devices)
    chosen = Settings(
        **{
            "password": PASSWORD,
            "application_secret": APPLICATION_SECRET,
            "base_url": BASE_URL,
            **settings,
        }
    )
    if users:
        chosen = attr.evolve(chosen, accounts=_accounts(users, chosen.password))
    now = reactor.seconds if controls is None else controls.now
    store = Store(":memory:", now)
    servers = {name: store.declare_server(name, root=root_volumes).server_id for name in nodes}
    backend = FileDevices(VolumeFiles(files), devices)
    application = Application(reactor, store, backend, chosen, now, controls=controls)
    application.start()
    auth_url = f"{chosen.base_url}/identity/v3"
    return InMemoryCloud(
        application=application,
        auth_url=auth_url,
        credentials=_credentials(auth_url, chosen.password),
        nodes=servers,
        devices_directory=devices,
        store=store,
        settings=chosen,
        directory=directory,
    )
