"""
The directives that put what is rendered into a page.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from . import tables
from .drawing import picture
from .interfaces import lines_of_interface
from .performance import lines_of_run, rows_of_question, rows_of_targets
from .promises import lines_of_promises
from .routes import lines_of_common_errors, lines_of_routes, rows_of_refusals
from .tables import Lines, table_of


class Generated(Directive):
    """Puts :attr:`lines` into the page."""

    optional_arguments = 1
    final_argument_whitespace = True
    lines: Lines

    def run(self) -> list[nodes.Node]:
        """See ``Directive``."""
        lines = StringList(list(self.lines(*self.arguments)), source="generated")
        container = nodes.container()
        self.state.nested_parse(lines, 0, container)
        children: list[nodes.Node] = container.children
        return children


class Drawing(Directive):
    """The drawing of the wings."""

    def run(self) -> list[nodes.Node]:
        """See ``Directive``."""
        return [nodes.raw("", picture(), format="html")]


#: The directives, most of which have an argument.
DIRECTIVES: dict[str, Lines] = {
    "bounds-table": table_of(tables.rows_of_bounds),
    "builders-table": table_of(tables.rows_of_builders),
    "certificates-table": table_of(tables.rows_of_certificates),
    "client-variables": table_of(tables.rows_of_client_variables),
    "configuration-keys": table_of(tables.rows_of_keys),
    "error-table": table_of(tables.rows_of_errors),
    "fault-kinds": table_of(tables.rows_of_faults),
    "http-common-errors": lines_of_common_errors,
    "http-errors": table_of(rows_of_refusals),
    "http-routes": lines_of_routes,
    "interface": lines_of_interface,
    "lifecycle-table": table_of(tables.rows_of_operation),
    "log-actions": table_of(tables.rows_of_actions),
    "log-messages": table_of(tables.rows_of_messages),
    "metrics-table": table_of(tables.rows_of_metrics),
    "performance-run": lines_of_run,
    "performance-table": table_of(rows_of_question),
    "performance-targets": table_of(rows_of_targets),
    "promises": lines_of_promises,
    "refusals-table": table_of(tables.rows_of_refusals),
    "wings-table": table_of(tables.rows_of_wings),
}


def directive(lines: Lines) -> type[Generated]:
    """
    :return: a directive that shows a function's lines.
    """
    return type("Directive", (Generated,), {"lines": staticmethod(lines)})


def public_only(app: Any, name: str, thing: Any, options: Any, bases: list[Any]) -> None:
    """Show only the public bases of a class."""
    bases[:] = [base for base in bases if not base.__name__.startswith("_")]


def setup(app: Any) -> dict[str, bool]:
    """Register the directives with Sphinx."""
    app.connect("autodoc-process-bases", public_only)
    for name, lines in DIRECTIVES.items():
        app.add_directive(name, directive(lines))
    app.add_directive("wings-drawing", Drawing)
    return {"parallel_read_safe": True}
