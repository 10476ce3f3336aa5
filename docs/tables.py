"""
Sphinx directives that render tables from the code, so that the documentation
can't drift from it.
"""

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from txstorage import errors
from txstorage._configuration import variables
from txstorage._keys import KEYS
from txstorage.lifecycle import TABLES, Phase, Where


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
    return {"parallel_read_safe": True}
