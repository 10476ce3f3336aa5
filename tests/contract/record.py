"""
The routes and errors to compare, and those that were compared.

Each test declares with :func:`compares` the routes and errors that it is about, and fails unless
they were on the wire: so the declarations together are what was compared, wherever the tests ran.
``compared.txt``, which ``tests/openstack/check_wire.py`` writes, records what was compared with a
real OpenStack; anything else was never compared.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Callable
from urllib.parse import unquote, urlsplit

from werkzeug.exceptions import HTTPException

from txstorage.embedded.apis.attachments import AttachmentsAPI
from txstorage.embedded.apis.block_storage.administration.default_types import DefaultTypesAPI
from txstorage.embedded.apis.block_storage.administration.pools import PoolsAPI
from txstorage.embedded.apis.block_storage.administration.processes import ProcessesAPI
from txstorage.embedded.apis.block_storage.backups.service import BackupsAPI
from txstorage.embedded.apis.block_storage.features import FeaturesAPI
from txstorage.embedded.apis.block_storage.kinds.encryption import EncryptionAPI
from txstorage.embedded.apis.block_storage.kinds.qos import QosAPI
from txstorage.embedded.apis.block_storage.project import ProjectAPI
from txstorage.embedded.apis.block_storage.quotas import QuotasAPI
from txstorage.embedded.apis.block_storage.snapshots import SnapshotsAPI
from txstorage.embedded.apis.block_storage.transfers.service import TransfersAPI
from txstorage.embedded.apis.block_storage.types import TypesAPI
from txstorage.embedded.apis.block_storage.without.others import OthersAPI
from txstorage.embedded.apis.block_storage.without.service import AbsentAPI
from txstorage.embedded.apis.compute import ComputeAPI
from txstorage.embedded.apis.identity.accounts import AccountsAPI
from txstorage.embedded.apis.identity.application_credentials import ApplicationCredentialsAPI
from txstorage.embedded.apis.identity.authentication import IdentityAPI
from txstorage.embedded.apis.identity.credentials import CredentialsAPI
from txstorage.embedded.apis.identity.projects import ProjectsAPI
from txstorage.embedded.apis.images.service import ImagesAPI
from txstorage.embedded.apis.servers.flavors import FlavorsAPI
from txstorage.embedded.apis.servers.groups import ServerGroupsAPI
from txstorage.embedded.apis.servers.hosts.service import HostsAPI
from txstorage.embedded.apis.servers.members import MembersAPI
from txstorage.embedded.apis.servers.project import ComputeProjectAPI
from txstorage.embedded.apis.servers.surroundings import SurroundingsAPI
from txstorage.embedded.apis.volumes import BlockStorageAPI
from txstorage.embedded.wire import account_refusals, refusals, volume_refusals
from txstorage.embedded.wire.refusal import Refusal, SharedRefusal
from txstorage.embedded.wire.tables import image_refusals, server_refusals
from txstorage.embedded.wire.versions import announcements

from .exchanges import Answer

#: The services' routes.
APPS = [
    ("identity", IdentityAPI.app),
    ("identity", AccountsAPI.app),
    ("identity", ApplicationCredentialsAPI.app),
    ("identity", CredentialsAPI.app),
    ("identity", ProjectsAPI.app),
    ("volume", BlockStorageAPI.app),
    ("volume", AttachmentsAPI.app),
    ("volume", SnapshotsAPI.app),
    ("volume", ProjectAPI.app),
    ("volume", TypesAPI.app),
    ("volume", QuotasAPI.app),
    ("volume", FeaturesAPI.app),
    ("volume", ProcessesAPI.app),
    ("volume", PoolsAPI.app),
    ("volume", DefaultTypesAPI.app),
    ("volume", TransfersAPI.app),
    ("volume", AbsentAPI.app),
    ("volume", OthersAPI.app),
    ("volume", BackupsAPI.app),
    ("volume", QosAPI.app),
    ("volume", EncryptionAPI.app),
    ("compute", ComputeAPI.app),
    ("compute", FlavorsAPI.app),
    ("compute", MembersAPI.app),
    ("compute", SurroundingsAPI.app),
    ("compute", ComputeProjectAPI.app),
    ("compute", HostsAPI.app),
    ("compute", ServerGroupsAPI.app),
    ("image", ImagesAPI.app),
]
#: Routes of what never exists or is never allowed.
NEVER = (
    r"volume GET \S+/(manageable_\w+|os-\w+-manage)(/detail)?$"
    r"|image (?!GET)|identity POST \S+/(credentials|OS-EC2)$"
    r"|.*(/<resource_id>|_record|/<key_name>|/<network>|/(credentials|OS-EC2)/<credential_id>)$"
)
_COMPARED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compared.txt")


def routes() -> set[str]:
    """Every route of the embedded service, such as ``volume GET /v3/<project_id>/types``."""
    found = {f"{service} {method} {path}" for service, app in APPS for method, path in app.rules()}
    for path in announcements(""):
        service, _, rest = path.strip("/").partition("/")
        found.add("{} GET /{}".format(service or "none", rest))
    return found


def errors() -> dict[str, Refusal]:
    """The embedded service's errors, by their names in its tables."""
    found: dict[str, Refusal] = {}
    tables = (refusals, account_refusals, volume_refusals, server_refusals, image_refusals)
    for name, value in [each for table in tables for each in vars(table).items()]:
        many = value.by_service if isinstance(value, SharedRefusal) else value
        if isinstance(value, Refusal):
            found[name] = value
        elif isinstance(many, dict) and not name.startswith("_"):
            for service, refusal in many.items():
                found[f"{name}[{service}]"] = refusal
    return found


def _rule(service: str, method: str, path: str) -> str | None:
    for name, app in APPS:
        if name == service:
            try:
                return app.find(method, path)[0].path
            except HTTPException:
                continue
    return None


def route_of(service: str, method: str, path: str) -> str:
    """
    Find a route.

    :param path: of the request, below the service's root, with or without a project's id.
    """
    path = unquote(urlsplit(path).path)
    rule = _rule(service, method, path)
    if rule is None and path.startswith("/v3/"):
        rule = _rule(service, method, path.replace("/v3/", "/v3/project/", 1))
    if rule is None:
        rule = "/" + path.strip("/")
    return f"{service} {method} {rule}"


def error_of(service: str, got: Answer) -> str | None:
    """Return the name of a response's error, if it is one."""
    found = [
        (len(refusal.template), name)
        for name, refusal in errors().items()
        if refusal.matches(service, got.status, got.message)
        and _members(got.body) == _form(refusal)
    ]
    # The longest template is the most specific one.
    return max(found)[1] if found else None


def _form(refusal: Refusal) -> list[str]:
    return _members(refusal(*[""] * refusal.template.count("{")).answer.body)


def _members(body: Any) -> list[str]:
    """A message without the differences of form."""
    return sorted(body) if isinstance(body, dict) else []


def compares(*names: str) -> Callable[[Any], Any]:
    """
    Declare the subject of a test.

    :param names: of routes and errors, as :func:`routes` and :func:`errors` have them.
    """

    def declare(test: Any) -> Any:
        test.compares = names
        return test

    return declare


def lines(names: Iterable[str]) -> set[str]:
    """Routes and errors, by their names, as ``compared.txt`` has them."""
    known = errors()
    return {
        "{0.service} {0.status} {0.template}".format(known[name]).rstrip()
        if name in known
        else name
        for name in names
    }


def read() -> set[str]:
    """The lines of ``compared.txt``."""
    with open(_COMPARED, encoding="utf-8") as opened:
        return set(opened.read().splitlines())


def write(found: Iterable[str]) -> None:
    """Make the lines of ``compared.txt``."""
    with open(_COMPARED, "w", encoding="utf-8") as opened:
        opened.write("".join(line + "\n" for line in sorted(found)))


def compared(cases: Iterable[Any]) -> set[str]:
    """The declarations of the tests of some classes."""
    found: list[str] = []
    for case in cases:
        for name in dir(case):
            if name.startswith("test"):
                found.extend(getattr(getattr(case, name), "compares", ()))
    return set(found)
