# -*- test-case-name: tests.embedded.ec2.test_face -*-
"""
A request to the EC2 face with all that an action works on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Union

import attr
from twisted.internet.interfaces import IReactorTime

from ...control.actions import ActionControls
from ...machine.engine import Engine
from ...machine.files import VolumeFiles
from ...machine.turns import ReactorTurns
from ...settings import EC2Settings, Settings
from ...store.store import Store
from ..block_storage.quota import Allowance
from .detaching import RepeatedDetaches
from .limits import TokenBuckets
from .names import RecentNames
from .power import PowerStates
from .protocol.credentials import ServedKeys
from .protocol.query import QueryParameters
from .reader import LaggingReader, StoreReader

Content = dict[str, Any]


@attr.s(frozen=True, auto_attribs=True, kw_only=True, eq=False)
class EC2Context:
    """
    The parts of the service that actions use.

    :ivar reader: of describes.
    :ivar engine: carries out the transitions of volumes.
    :ivar snapshot_engine: carries out the transitions of snapshots.
    :ivar turns: divides the reactor's time.
    :ivar now: returns seconds since the epoch.
    :ivar controls: the faults and the log of requests.
    """

    store: Store
    reader: StoreReader
    engine: Engine
    snapshot_engine: Engine
    turns: ReactorTurns
    files: VolumeFiles
    settings: Settings
    keys: ServedKeys
    detaches: RepeatedDetaches
    power: PowerStates
    buckets: TokenBuckets
    names: RecentNames
    now: Callable[[], float]
    controls: ActionControls

    @property
    def ec2(self) -> EC2Settings:
        """The settings of the EC2 face."""
        return self.settings.ec2

    @property
    def zone(self) -> str:
        """The zone of the nodes, and of the volumes that OpenStack's clients have made."""
        return self.ec2.zones[0]

    def quota(self, store: Store) -> Allowance:
        """
        :param store: of the change that needs it.
        :return: the project's quota.
        """
        return Allowance(self.settings, store, None)

    @classmethod
    def of(
        cls,
        reactor: IReactorTime,
        store: Store,
        settings: Settings,
        engine: Engine,
        controls: ActionControls,
        **parts: Any,
    ) -> EC2Context:
        """
        Make the parts that belong to the EC2 face only.

        :param controls: their time is that of clients.
        :param parts: the others.
        """
        ec2, seconds = settings.ec2, reactor.seconds
        reader = LaggingReader(store, ec2.lag, seconds) if ec2.lag else StoreReader(store)
        context = cls(
            store=store,
            settings=settings,
            now=controls.now,
            engine=engine,
            reader=reader,
            keys=ServedKeys(ec2),
            detaches=RepeatedDetaches(reactor, store, engine),
            power=PowerStates(settings.transition_delay, seconds),
            buckets=TokenBuckets(ec2.rate, ec2.burst, seconds),
            names=RecentNames(ec2.reuse, seconds),
            controls=controls,
            **parts,
        )
        for part in (reader, context.power, context.buckets, context.names):
            controls.on_reset(part.forget)
        return context


@attr.s(frozen=True, auto_attribs=True, eq=False)
class EC2Call:
    """
    One request.

    :ivar address: the beginning of the service's URL.
    """

    context: EC2Context
    parameters: QueryParameters
    address: str


#: Carries a request out, and returns the content of the answer.  Raises ``QueryRefusal``.
Action = Callable[[EC2Call], Union[Content, Awaitable[Content]]]
