"""
The routes of the embedded service, with the answers and the errors of each, read from its code.

The module follows the names in a handler's source to all functions of the service that the handler
may call, and lists each answer and each error found there. The list of a route is therefore
complete, but may contain an error that the route never returns.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import attr

from tests.contract.record import APPS, errors
from txstorage.embedded.apis.attachments import AttachmentsAPI
from txstorage.embedded.apis.block_storage.actions.performer import VolumeActions
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
from txstorage.embedded.apis.block_storage.without.service import LISTS, AbsentAPI
from txstorage.embedded.apis.compute import ComputeAPI
from txstorage.embedded.apis.identity.accounts import AccountsAPI
from txstorage.embedded.apis.identity.application_credentials import ApplicationCredentialsAPI
from txstorage.embedded.apis.identity.authentication import IdentityAPI
from txstorage.embedded.apis.identity.bearers import Bearers
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
from txstorage.embedded.wire.fields import BodySchema
from txstorage.embedded.wire.refusal import Refusal, SharedRefusal
from txstorage.embedded.wire.versions import COMPUTE, VOLUME, announcements, as_version

from .tables import Row, first_paragraph, literal, literals

#: By the services of :data:`tests.contract.record.APPS`, and in their order.
CLASSES = (
    *(IdentityAPI, AccountsAPI, ApplicationCredentialsAPI, CredentialsAPI, ProjectsAPI),
    *(BlockStorageAPI, AttachmentsAPI, SnapshotsAPI, ProjectAPI, TypesAPI, QuotasAPI),
    *(FeaturesAPI, ProcessesAPI, PoolsAPI, DefaultTypesAPI, TransfersAPI, AbsentAPI, OthersAPI),
    *(BackupsAPI, QosAPI, EncryptionAPI),
    *(ComputeAPI, FlavorsAPI, MembersAPI, SurroundingsAPI, ComputeProjectAPI, HostsAPI),
    *(ServerGroupsAPI, ImagesAPI),
)
#: The classes of attributes of the services that take part in their answers.
_HELPERS: Mapping[str, type] = {"_actions": VolumeActions, "_bearers": Bearers}
#: The methods that answer a request before, or instead of, its handler.
_OUTSIDE = ("admit", "too_large", "unreadable", "misplaced", "fault", "disk_full")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@attr.s(frozen=True, auto_attribs=True)
class Route:
    """
    :ivar service: ``identity``, ``volume`` or ``compute``, with which its path begins.
    :ivar since: the first microversion that has it; empty when all have.
    :ivar purpose: what it does.
    :ivar answers: the statuses of good ones, and what their bodies have.
    :ivar errors: by their names in :func:`tests.contract.record.errors`.
    """

    service: str
    method: str
    path: str
    since: str
    purpose: str
    answers: Mapping[int, tuple[str, ...]]
    errors: tuple[str, ...]


class _Reached:
    """
    The refusals and answers that a function of the service can reach, by its syntax.

    :ivar refusals: the refusals that it can raise.
    :ivar answers: a status, and the members of the body, of each answer that it can make.
    """

    def __init__(self, service: type) -> None:
        self.refusals: list[Refusal] = []
        self.answers: dict[int, tuple[str, ...]] = {}
        self._service = service
        self._seen: set[int] = set()

    def add(self, thing: Any) -> None:
        """Record an object that a name in the source refers to, and all that it leads to."""
        if id(thing) in self._seen:
            return
        self._seen.add(id(thing))
        if isinstance(thing, Refusal):
            self.refusals.append(thing)
        elif isinstance(thing, SharedRefusal):
            self.add(thing.by_service)
        elif isinstance(thing, BodySchema):
            for explainer in thing.explainers():
                self.add(explainer)
        elif isinstance(thing, dict):
            for value in thing.values():
                self.add(value)
        elif isinstance(thing, types.FunctionType) and _is_ours(thing):
            self._follow(thing)

    def _follow(self, function: types.FunctionType) -> None:
        syntax = _syntax(function)
        for node in ast.walk(syntax):
            if isinstance(node, ast.Name):
                self.add(function.__globals__.get(node.id))
            elif isinstance(node, ast.Attribute):
                self.add(self._attribute(function, node))
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "APIResponse":
                self._answer(syntax, *node.args[:2])

    def _attribute(self, function: types.FunctionType, node: ast.Attribute) -> Any:
        """
        The object that ``self.name``, ``super().name`` or ``module.name`` stands for, if it is
        known.
        """
        value = node.value
        if isinstance(value, ast.Name) and value.id != "self":
            return getattr(function.__globals__.get(value.id), node.attr, None)
        if isinstance(value, ast.Attribute) and value.attr in _HELPERS:
            return getattr(_HELPERS[value.attr], node.attr, None)
        if isinstance(value, ast.Call) and getattr(value.func, "id", "") == "super":
            for base in self._service.__mro__:
                self.add(vars(base).get(node.attr))
        return getattr(self._service, node.attr, None) if isinstance(value, ast.Name) else None

    def _answer(self, function: ast.AST, status: ast.AST, body: ast.AST | None = None) -> None:
        if isinstance(status, ast.Constant):
            self.answers[status.value] = tuple(self._members(function, body))

    def _members(self, function: ast.AST, body: ast.AST | None) -> Iterator[str]:
        """Yield the members of a body, as far as the function's source contains their names."""
        if isinstance(body, ast.Dict):
            yield from (key.value for key in body.keys if isinstance(key, ast.Constant))
        elif isinstance(body, ast.Name):
            for node in ast.walk(function):
                if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == body.id:
                    yield from self._members(function, node.value)
        elif isinstance(body, ast.Call) and isinstance(body.func, ast.Attribute):
            method = _syntax(getattr(self._service, body.func.attr))
            returned = [node.value for node in ast.walk(method) if isinstance(node, ast.Return)]
            yield from self._members(method, returned[-1])
        elif isinstance(body, ast.Call):
            yield from self._members(function, body.args[0])


def _is_ours(function: Any) -> bool:
    # The table of errors makes them from data; the framework has none of its own.
    module: str = function.__module__
    ours = module.startswith("txstorage.embedded.")
    return ours and not module.endswith((".refusals", ".exchange"))


@lru_cache(maxsize=None)
def _functions(module: str) -> dict[int, ast.AST]:
    """The functions of a source, by the first line of each."""
    with open(module, encoding="utf-8") as source:
        tree = ast.parse(source.read())
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            lines = [node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))]
            found[min(lines)] = node
    return found


def _syntax(function: types.FunctionType) -> ast.AST:
    code = function.__code__
    return _functions(code.co_filename)[code.co_firstlineno]


def _names(reached: _Reached, service: str) -> tuple[str, ...]:
    """The names of a service's errors among those reached."""
    return tuple(
        name
        for name, refusal in errors().items()
        if refusal.service == service and refusal in reached.refusals
    )


def _since(handler: types.FunctionType) -> str:
    """Return the first microversion that has a handler's route, or an empty text."""
    for decorator in getattr(_syntax(handler), "decorator_list", ()):
        for keyword in decorator.keywords:
            if keyword.arg == "since" and isinstance(keyword.value, ast.Name):
                return as_version(handler.__globals__[keyword.value.id])
    return ""


@lru_cache(maxsize=None)
def routes() -> tuple[Route, ...]:
    """Return all routes, sorted by path."""
    found = []
    for (service, app), kind in zip(APPS, CLASSES):
        for each in app:
            handler = getattr(kind, each.name)
            reached = _Reached(kind)
            reached.add(handler)
            row = (each.path, _since(handler), first_paragraph(handler))
            # The lists of nothing have their members in a table.
            member = LISTS.get(each.path.partition("<project_id>/")[2])
            answers = {200: (member[0],)} if member else reached.answers
            row += (answers, _names(reached, service))
            found += [Route(service, method, *row) for method in each.methods]
    found += _documents()
    return tuple(sorted(found, key=lambda each: (each.path, _METHODS.index(each.method))))


def _documents() -> list[Route]:
    """Return the version documents, which require no authentication."""
    found = []
    for path, answer in announcements("").items():
        service, _, rest = path.strip("/").partition("/")
        purpose = "List the API versions. Requires no token."
        row = ("/" + rest, "", purpose, {answer.status: tuple(answer.body)}, ())
        if service:
            found.append(Route(service, "GET", *row))
    return found


def errors_of_all(service: str) -> tuple[str, ...]:
    """The errors that a service may return to any request."""
    found: set[str] = set()
    for (name, _), kind in zip(APPS, CLASSES):
        if name == service:
            reached = _Reached(kind)
            for method in _OUTSIDE:
                reached.add(getattr(kind, method))
            found.update(_names(reached, service))
    return tuple(name for name in errors() if name in found)


# -- as text ---------------------------------------------------------------------


def _short(name: str) -> str:
    return name.partition("[")[0]


def _grouped(names: tuple[str, ...]) -> str:
    """Errors by their status."""
    known, by_status = errors(), {}
    for name in names:
        by_status.setdefault(known[name].status, []).append(literal(_short(name)))
    groups = ("{}: {}".format(status, ", ".join(by_status[status])) for status in sorted(by_status))
    return "; ".join(groups)


def _answer(answer: tuple[int, tuple[str, ...]]) -> str:
    status, members = answer
    return f"{status} ({literals(members)})" if members else str(status)


def lines_of_routes(service: str) -> Iterator[str]:
    """A definition for each route of a service."""
    everywhere = set(errors_of_all(service))
    for route in routes():
        if route.service != service:
            continue
        path = "/" + service + (route.path if route.path != "/" else "")
        yield literal(f"{route.method} {path}")
        yield "    " + route.purpose
        yield ""
        since = f" Since microversion {route.since}." if route.since else ""
        answers = " or ".join(map(_answer, sorted(route.answers.items())))
        own = _grouped(tuple(name for name in route.errors if name not in everywhere))
        yield "    Answers with {}.{}{}".format(answers, since, " Errors: " + own if own else "")
        yield ""


def lines_of_common_errors(service: str) -> Iterator[str]:
    """The errors that a service may return to any request, as a paragraph."""
    dialect = {"volume": VOLUME, "compute": COMPUTE}.get(service)
    if dialect is not None:
        versions = as_version(dialect.minimum), as_version(dialect.maximum)
        yield "Microversions {} to {}, in ``OpenStack-API-Version``{}.".format(
            *versions, " or " + literal(dialect.legacy_header) if dialect.legacy_header else ""
        )
    yield f"Errors of all requests: {_grouped(errors_of_all(service))}."


class _Anything:
    """Represents the values in a message."""

    def __format__(self, spec: str) -> str:
        return "…"

    def __repr__(self) -> str:
        return "…"


def rows_of_refusals(service: str | None = None) -> Iterator[Row]:
    """One row for each error of a service."""
    yield "error", "status", "message"
    for name, refusal in errors().items():
        if refusal.service == service:
            message = refusal.template.format(*[_Anything()] * refusal.template.count("{"))
            shown = literal(message.strip()) if message else "(a page without any)"
            yield literal(_short(name)), str(refusal.status), shown


__all__ = [
    "Route",
    "errors_of_all",
    "lines_of_common_errors",
    "lines_of_routes",
    "routes",
    "rows_of_refusals",
]
