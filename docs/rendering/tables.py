"""
Tables of the code, as rows of cells, the first of which is the head.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, Callable

import attr
from eliot import ActionType, MessageType

from txstorage import _log, errors
from txstorage._configuration.configuration import variables
from txstorage._configuration.environment.openstack import CLIENT_VARIABLES
from txstorage._configuration.keys import KEYS
from txstorage._http.bounds import BOUNDS, Bounds
from txstorage.clouds.ec2.remedies import REMEDIES
from txstorage.docker.monitoring import METRICS, PROCESS
from txstorage.driver.lifecycle import REFUSALS, TABLES, Phase, Where, growth, snapshots
from txstorage.testing import FAULTS

from .parts import GROUND, WINGS, handed, imports, purpose, rooms

# not a package, whose name would be Buildbot's own
_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(os.path.dirname(_HERE)), "buildbot"))

from certification import matrix  # noqa: E402
from certification.plan import builders  # noqa: E402

Row = tuple[str, ...]
Lines = Callable[..., Iterable[str]]


def literal(text: str) -> str:
    """Return a literal text in reStructuredText."""
    return f"``{text}``"


def literals(texts: Iterable[str]) -> str:
    """Join literal texts with commas."""
    return ", ".join(map(literal, texts))


def in_lines(texts: Iterable[str]) -> str:
    """Texts below each other, in a cell."""
    return "\n".join("| " + text for text in texts)


#: Words in quotes, but not apostrophes, and addresses.
_LITERAL = re.compile(r"(?<!\w)'([^']+)'(?!\w)|(https?://[^\s;,]*[\w/])")


def with_literals(text: str) -> str:
    """Mark the quoted words and the addresses of a plain text as literal."""
    return _LITERAL.sub(lambda found: literal(found.group(1) or found.group(2)), text)


def first_paragraph(thing: Any) -> str:
    """:return: of a docstring, in one line."""
    return " ".join(inspect.getdoc(thing).partition("\n\n")[0].split())


def table_of(rows: Callable[..., Iterable[Row]]) -> Lines:
    """
    :param rows: yields rows of cells, the first of which is the head.
    :return: yields a list-table of them.
    """

    def lines(*arguments: str) -> Iterator[str]:
        yield from [".. list-table::", "   :header-rows: 1", "   :class: generated", ""]
        for row in rows(*arguments):
            for number, cell in enumerate(row):
                first, *others = cell.split("\n")
                yield "   {} - {}".format(" " if number else "*", first)
                yield from ("       " + line for line in others)

    return lines


def rows_of_keys() -> Iterator[Row]:
    """One row for each key of the configuration."""
    yield "key", "purpose", "type", "variables"
    for key in KEYS:
        default = "" if key.default is None else f" Default: {literal(key.default)}."
        names = in_lines(map(literal, (key.name, *key.synonyms)))
        others = in_lines(map(literal, variables(key.name)))
        yield names, with_literals(key.purpose) + default, key.type.expected, others


def rows_of_client_variables() -> Iterator[Row]:
    """One row for the variables of OpenStack's clients that have the same outcome and reason."""
    yield "variables", "outcome", "reason"
    same: dict[tuple[str, str], list[str]] = {}
    for each in CLIENT_VARIABLES:
        same.setdefault((each.outcome, each.reason), []).append(literal(each.name))
    for (outcome, reason), names in same.items():
        yield in_lines(names), outcome, reason


def rows_of_operation(operation: str) -> Iterator[Row]:
    """
    One row for the statuses of an operation's table in lifecycle that have the same cells.

    :param operation: of a volume, such as ``attach``, or with its kind, such as
        ``destroy snapshot``.
    """
    table, kinds = _table(operation)
    columns = product(*(kind.iterconstants() for kind in kinds))
    yield ("status", *(", ".join(each.name.lower() for each in column) for column in columns))
    statuses: dict[tuple[Any, ...], list[str]] = {}
    for status, cells in sorted(table.items()):
        statuses.setdefault(cells, []).append(literal(status))
    for cells, same in statuses.items():
        yield (in_lines(same), *(cell.name.lower().replace("_", " ") for cell in cells))


def _table(operation: str) -> tuple[Mapping[str, Any], tuple[Any, ...]]:
    """Return an operation's table, and the constants that its columns combine."""
    name, _, snapshot = operation.partition(" ")
    if snapshot:
        return snapshots.TABLES[name], (Phase,)
    if name == "grow":
        return growth.GROW, (Phase, growth.Extent)
    return TABLES[name], (Phase, Where)


def rows_of_refusals() -> Iterator[Row]:
    """One row for each refusal that does not end an operation at once."""
    yield "error", "how often the request is sent"
    for kind, limit in REFUSALS:
        name = getattr(kind, "__name__", str(kind))
        public = f":class:`~txstorage.errors.{name}`" if name in errors.__all__ else literal(name)
        often = "until the operation's deadline" if limit is None else f"up to {limit} times"
        yield public, often


def rows_of_errors() -> Iterator[Row]:
    """One row for each error, with its remedy, and EC2's own."""
    yield "error", "what it means", "what to do"
    for name in sorted(errors.__all__):
        kind = getattr(errors, name)
        reference = f":class:`~txstorage.errors.{name}`"
        remedy = kind.remedy or "see the message"
        if kind.remedy in REMEDIES:
            remedy += ". On EC2: " + REMEDIES[kind.remedy]
        yield reference, first_paragraph(kind), with_literals(remedy)


def rows_of_builders() -> Iterator[Row]:
    """One row for each of Buildbot's builders."""
    yield "builder", "what it builds", "when", "is skipped without", "a success certifies"
    for builder in builders("3"):
        times = [("at every change", builder.at_changes), ("every night", builder.at_night)]
        when = ", ".join(time for time, done in times if done) or "by hand only"
        needs = [need for need in (*builder.needs, builder.secret) if need]
        against = builder.certificate.against if builder.certificate else ""
        certifies = against.replace("%(prop:cloud_auth_url)s", "its URL")
        yield literal(builder.name), builder.description, when, ", ".join(needs), certifies


def rows_of_certificates() -> Iterator[Row]:
    """One row for each part that Buildbot's builders certify, with the builders for each system."""
    yield ("part", *matrix.SYSTEMS)
    for part, cells in matrix.rows(builders("3")):
        yield (part, *(literals(names) or matrix.NOTHING for names in cells))


def rows_of_bounds() -> Iterator[Row]:
    """One row for each bound of an answer."""
    yield "bound", "limit", "of"
    for field in attr.fields(Bounds):
        limit = f"{getattr(BOUNDS, field.name):,} {field.metadata['unit']}"
        yield literal(field.name), limit, field.metadata["part"]


def rows_of_faults() -> Iterator[Row]:
    """One row for each kind of fault."""
    yield "fault", "meaning", "the service gets the request"
    for name, kind in FAULTS.items():
        yield literal(name), kind.purpose, "yes" if kind.forwards else "no"


def rows_of_metrics() -> Iterator[Row]:
    """One row for each metric of the Docker volume plugin, and one for those of the process."""
    yield "metric", "type", "labels", "meaning"
    for each in METRICS:
        yield literal(each.name), each.kind, literals(each.labels), with_literals(each.meaning)
    meaning = "The process, as in all programs with Prometheus' library."
    yield in_lines(map(literal, PROCESS)), "", "", meaning


def rows_of_wings() -> Iterator[Row]:
    """One row for each wing, with its modules and the wings it uses."""
    yield "wing", "purpose", "modules", "imports", "is handed"
    used = {"imports": imports(), "handed": handed()}
    for wing in (*WINGS, *GROUND):
        others = [
            ", ".join(sorted(b for a, b in edges if a == wing and b not in GROUND))
            for edges in used.values()
        ]
        yield (literal(wing), purpose(wing), literals(rooms(wing)), *others)


# -- the log ---------------------------------------------------------------------

#: Eliot's own fields, which Eliot documents.
_ELIOTS = {"action_status", "action_type", "message_type"}


def _fields(fields: Any) -> str:
    """Return the fields of a serializer, each with its description, as the lines of a cell."""
    own: dict[str, Any] = {name: each for name, each in fields.items() if name not in _ELIOTS}
    return in_lines(f"{literal(name)}: {own[name].description}" for name in sorted(own))


def rows_of_actions() -> Iterator[Row]:
    """One row for each Eliot action."""
    yield "action", "what it is", "fields when it begins", "fields when it succeeds"
    for each in _logged(ActionType):
        serializers = each._serializers
        begin, end = serializers.start.fields, serializers.success.fields
        yield literal(each.action_type), each.description, _fields(begin), _fields(end)


def rows_of_messages() -> Iterator[Row]:
    """One row for each Eliot message."""
    yield "message", "meaning", "fields"
    for each in _logged(MessageType):
        yield literal(each.message_type), each.description, _fields(each._serializer.fields)


def _logged(kind: type) -> Iterator[Any]:
    """Yield the types in the order of the module."""
    return (value for value in vars(_log).values() if isinstance(value, kind))


__all__ = [
    "Lines",
    "Row",
    "first_paragraph",
    "in_lines",
    "literal",
    "literals",
    "rows_of_actions",
    "rows_of_bounds",
    "rows_of_builders",
    "rows_of_certificates",
    "rows_of_client_variables",
    "rows_of_errors",
    "rows_of_faults",
    "rows_of_keys",
    "rows_of_messages",
    "rows_of_metrics",
    "rows_of_operation",
    "rows_of_refusals",
    "rows_of_wings",
    "table_of",
    "with_literals",
]
