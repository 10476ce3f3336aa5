# -*- test-case-name: tests.embedded -*-
"""The settings of the embedded service, and its names."""

from __future__ import annotations

import uuid

import attr

from .accounts.declarations import Account

REGION = "txstorage"
USER = "txstorage"
PROJECT = "txstorage"
DOMAIN: dict[str, str] = {"id": "default", "name": "Default"}
AVAILABILITY_ZONE = "nova"
GIB = 2**30

DEFAULT_TYPE = "__DEFAULT__"

#: Volume type names to their ids, which never change.  All of them mean a sparse
#: file.
VOLUME_TYPES: dict[str, str] = {
    name: str(uuid.uuid5(uuid.NAMESPACE_URL, "txstorage:volume-type:" + name))
    for name in (DEFAULT_TYPE, "gold", "silver", "bronze")
}


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class EC2Settings:
    """
    The behaviour of the EC2 face.

    :ivar region: the one region, which signatures name.
    :ivar zones: the availability zones; the nodes are in the first one.
    :ivar access_key_id: of the one user.
    :ivar secret_access_key: of the one user.
    :ivar clock_skew: seconds that a request's time may differ from the service's.
    :ivar rate: requests per second of each action, after a burst; 0: no limit.
    :ivar burst: the number of requests that each action allows at once.
    :ivar lag: seconds that answers to describes may be behind; 0: none are.
    :ivar optimizing: seconds that a modified volume is optimised.
    :ivar cooldown: seconds from one modification of a volume to the next.
    :ivar reuse: seconds after a detach in which the device's name, if it is used again on the node,
        leaves an attachment ``attaching`` until it is detached.
    :ivar attachments: how many volumes a node may have, its root volume not counted.
    :ivar denied: the actions that the user's policy does not allow.
    """

    region: str = "txstorage-1"
    zones: tuple[str, ...] = ("txstorage-1a", "txstorage-1b")
    access_key_id: str = "AKIATXSTORAGE0000000"
    secret_access_key: str = attr.ib(default="", repr=False)
    clock_skew: float = 300.0
    rate: float = 0.0
    burst: int = 20
    lag: float = 0.0
    optimizing: float = 0.0
    cooldown: float = 21600.0
    reuse: float = 0.0
    attachments: int = 27
    denied: tuple[str, ...] = ()


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class Settings:
    """
    The behaviour of the embedded service.

    :ivar password: the first user's password.
    :ivar application_secret: the secret of the first user's application credential.
    :ivar transition_delay: seconds a volume stays in each transient status.
    :ivar token_lifetime: seconds.
    :ivar max_volumes: the quota of a project; negative: none.
    :ivar max_snapshots: the quota of a project; negative: none.
    :ivar max_gigabytes: the quota of a project in GiB of volumes and snapshots; negative: none.
    :ivar max_backups: the quota of a project; negative: none.
    :ivar max_backup_gigabytes: the quota of a project in GiB of backups; negative: none.
    :ivar page_size: how many entries a list answers with at most.
    :ivar hide_root_volumes: whether Block Storage's lists omit the nodes' root volumes.
    :ivar roles: the first user's roles in the first project.
    :ivar accounts: the other users, and more roles of the first one, whose password there is not
        used.
    :ivar base_url: the scheme, host and port that links begin with; without it they begin with what
        the request was sent to.
    :ivar local: whether the page needs no login on this machine: only this machine can reach the
        service, and there is one user.
    """

    password: str = attr.ib(repr=False)
    application_secret: str = attr.ib(repr=False)
    transition_delay: float = 0.0
    token_lifetime: float = 3600.0
    max_volumes: int = 1000
    max_snapshots: int = 1000
    max_gigabytes: int = -1
    max_backups: int = 1000
    max_backup_gigabytes: int = -1
    page_size: int = 1000
    hide_root_volumes: bool = False
    roles: tuple[str, ...] = ("member",)
    accounts: tuple[Account, ...] = ()
    base_url: str | None = None
    local: bool = False
    ec2: EC2Settings = EC2Settings()
