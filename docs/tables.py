"""
Sphinx directives that render tables from the code, so that the documentation
can't drift from it.
"""

import os
import sys

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from txstorage import errors
from txstorage._configuration import variables
from txstorage._keys import KEYS
from txstorage.lifecycle import TABLES, Phase, Where

# not a package, whose name would be Buildbot's own
sys.path.append(os.path.join(os.path.dirname(os.path.dirname(__file__)), "buildbot"))

from certification.plan import builders  # noqa: E402


def rows_of_keys():
    """Yield one row for each key of the configuration."""
    yield "key", "what it is for", "type", "default", "variables"
    for key in KEYS:
        default = "" if key.default is None else "``{}``".format(key.default)
        names = ", ".join("``{}``".format(name) for name in variables(key.name))
        known_as = "".join(" or ``{}``".format(name) for name in key.synonyms)
        yield "``{}``{}".format(key.name, known_as), key.purpose, key.kind.expected, default, names


def rows_of_operation(operation):
    """Yield one row for each status of an operation's table in lifecycle.py."""
    phases, places = list(Phase.iterconstants()), list(Where.iterconstants())
    yield ("status", *(
        "{}, {}".format(phase.name.lower(), place.name.lower())
        for phase in phases
        for place in places
    ))
    for status, cells in sorted(TABLES[operation].items()):
        yield ("``{}``".format(status), *(cell.name.lower() for cell in cells))


def rows_of_errors():
    """Yield one row for each error, with its remedy."""
    yield "error", "what it means", "what to do"
    for name, kind in sorted(vars(errors).items()):
        if isinstance(kind, type) and issubclass(kind, errors.StorageError):
            yield "``{}``".format(name), kind.__doc__.strip().splitlines()[0], kind.remedy


def rows_of_builders():
    """Yield one row for each of Buildbot's builders."""
    yield "builder", "what it builds", "when", "is skipped without", "a success certifies"
    for builder in builders("3"):
        times = [("at every change", builder.at_changes), ("every night", builder.at_night)]
        when = ", ".join(time for time, done in times if done) or "by hand only"
        needs = [need for need in (*builder.needs, builder.secret) if need]
        certifies = builder.certifies.replace("%(prop:cloud_auth_url)s", "its URL")
        yield "``{}``".format(builder.name), builder.description, when, ", ".join(needs), certifies


class TableDirective(Directive):
    """A list-table of the rows that :attr:`rows` yields."""

    optional_arguments = 1

    def run(self):
        lines = [".. list-table::", "   :header-rows: 1", ""]
        for row in self.rows(*self.arguments):
            for number, cell in enumerate(row):
                lines.append("   {} - {}".format(" " if number else "*", cell))
        container = nodes.container()
        self.state.nested_parse(StringList(lines, source="generated"), 0, container)
        return container.children


def directive(rows):
    return type(rows.__name__, (TableDirective,), {"rows": staticmethod(rows)})


def setup(app):
    """What Sphinx calls."""
    app.add_directive("configuration-keys", directive(rows_of_keys))
    app.add_directive("lifecycle-table", directive(rows_of_operation))
    app.add_directive("error-table", directive(rows_of_errors))
    app.add_directive("builders-table", directive(rows_of_builders))
    return {"parallel_read_safe": True}
