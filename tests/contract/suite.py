"""
The wire contract suite.
"""

from __future__ import annotations

from typing import Any, Callable

from .accounts import AccountTests, CredentialTests
from .actions import DeleteTests
from .administration import ProjectTests, QuotaTests, RoleTests
from .attachment_updates import AttachmentUpdateTests
from .attachments import HostTests
from .case import Target, WireTests
from .compute import AttachTests, ServerTests
from .copies import CopyTests, GrowTests
from .credentials import OtherCredentialTests
from .default_types import DefaultTypeTests
from .empty import EmptyTests, MessageTests
from .filters import AdministratorFilterTests
from .flavors import FlavorTests
from .identity import IdentityTests
from .kinds import EncryptionTests, QosTests
from .lists import LabelTests, ListTests
from .modes import ModeTests
from .others import OtherTests
from .pools import PoolTests
from .processes import ProcessTests
from .projects import GrantTests, MadeProjectTests
from .resetting import ResetTests
from .server_lists import ServerListTests
from .servers.creation import NewServerTests
from .servers.groups import ServerGroupTests
from .servers.hosts import ComputeHostTests
from .servers.members import MemberTests
from .servers.project import ComputeProjectTests
from .servers.quotas import ComputeQuotaTests
from .snapshot_lists import SnapshotLabelTests, SnapshotListTests
from .snapshots import SnapshotTests
from .transfers import TransferTests
from .types import TypeTests
from .updates import FeatureTests, UpdateTests
from .versions import DocumentTests, NegotiationTests, PathTests
from .volume_actions import AbsentTests, FlagTests, UseTests
from .volumes import CreateTests, ShowTests

#: In the order of the requests that a driver makes.
SUITE: list[type[WireTests]] = [
    IdentityTests,
    DocumentTests,
    NegotiationTests,
    PathTests,
    CreateTests,
    ShowTests,
    UpdateTests,
    FeatureTests,
    ListTests,
    LabelTests,
    DeleteTests,
    FlagTests,
    UseTests,
    AbsentTests,
    TransferTests,
    EmptyTests,
    MessageTests,
    ServerTests,
    ServerListTests,
    FlavorTests,
    NewServerTests,
    MemberTests,
    ComputeProjectTests,
    AttachTests,
    AttachmentUpdateTests,
    HostTests,
    SnapshotTests,
    SnapshotListTests,
    SnapshotLabelTests,
    CopyTests,
    GrowTests,
    AccountTests,
    CredentialTests,
    OtherCredentialTests,
    MadeProjectTests,
    GrantTests,
    ProjectTests,
    RoleTests,
    TypeTests,
    QosTests,
    EncryptionTests,
    QuotaTests,
    AdministratorFilterTests,
    ProcessTests,
    DefaultTypeTests,
    ResetTests,
    ModeTests,
    PoolTests,
    ComputeHostTests,
    ComputeQuotaTests,
    ServerGroupTests,
    OtherTests,
]


def make_wire_tests(
    target_factory: Callable[[Any], Target], module: str
) -> dict[str, type[WireTests]]:
    """
    Make the suite for one cloud.

    :param target_factory: called with a test; returns a :class:`Target`.
    :param module: the name of the module of the tests.
    :return: the test classes by name, for ``globals().update``.
    """
    made = {}
    for base in SUITE:
        members = {
            "target_factory": staticmethod(target_factory),
            "__module__": module,
            "__doc__": base.__doc__,
        }
        made[base.__name__] = type(base.__name__, (base,), members)
    return made
