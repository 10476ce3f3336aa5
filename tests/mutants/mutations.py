"""
The mutants of a module: copies of its source with one small defect each.

Wording is not mutated: docstrings, and strings that contain a space.  Neither is anything that only
a type checker reads.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS = {
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
_OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_UNTOUCHED_NAMES = {"MYPY", "__all__"}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Mutant:
    """
    One mutant.

    :ivar int line: the line of the defect.
    :ivar str scope: the dotted name of the function or class around the defect; empty for none.
    :ivar range lines: the lines of the statement, without the statements inside it.
    :ivar bool in_function: whether the defect is in the body of a function.
    :ivar str before: the source line.
    :ivar str after: the changed source line.
    :ivar bytes source: the whole mutated source.
    """

    line: int
    scope: str
    lines: range
    in_function: bool
    before: str
    after: str
    source: bytes

    @property
    def key(self) -> tuple[str, str, str]:
        """:return: the identity of the mutant in its module, independent of line numbers."""
        return self.scope, self.before, self.after


class _Finder:
    """
    Finds the places of one module to change.

    :param bytes source: the module's source.
    """

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._scope: list[str] = []
        self._functions = 0
        self._lines = range(0)

    def mutants(self) -> Iterator[Mutant]:
        """Yield the module's mutants."""
        yield from self._statements(ast.parse(self._source).body)

    def _statements(self, body: list[ast.stmt]) -> Iterator[Mutant]:
        around = self._lines
        for statement in body:
            if not _is_untouched(statement):
                self._lines = _own_lines(statement)
                yield from self._replaced_statement(statement)
                yield from self._inside(statement)
        self._lines = around

    def _inside(self, node: ast.AST) -> Iterator[Mutant]:
        for name, value in ast.iter_fields(node):
            if isinstance(node, _SCOPES) and name == "body":
                self._scope.append(node.name)
                self._functions += not isinstance(node, ast.ClassDef)
                yield from self._statements(value)
                self._functions -= not isinstance(node, ast.ClassDef)
                self._scope.pop()
            elif name in ("body", "orelse", "finalbody") and isinstance(value, list):
                yield from self._statements(value)
            else:
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.expr) and not isinstance(child, ast.JoinedStr):
                        yield from self._replaced_expression(child, node)
                    if isinstance(child, ast.ExceptHandler):
                        self._lines = _own_lines(child)
                    if isinstance(child, ast.AST):
                        yield from self._inside(child)

    def _replaced_statement(self, node: ast.stmt) -> Iterator[Mutant]:
        if isinstance(node, ast.Return):
            if node.value is not None and ast.unparse(node.value) != "None":
                yield self._mutant(node, "return None")
        elif isinstance(node, ast.Continue):
            yield self._mutant(node, "break")
        elif isinstance(node, ast.Break):
            yield self._mutant(node, "continue")
        elif _is_removable(node):
            yield self._mutant(node, "pass")

    def _replaced_expression(self, node: ast.expr, parent: ast.AST) -> Iterator[Mutant]:
        for replacement in _replacements(node):
            yield self._mutant(node, replacement)
        if getattr(parent, "test", None) is node:
            yield self._mutant(node, "True")
            yield self._mutant(node, "False")

    def _mutant(self, node: ast.expr | ast.stmt, replacement: str) -> Mutant:
        start = self._starts[node.lineno - 1] + node.col_offset
        end = self._starts[node.end_lineno - 1] + node.end_col_offset
        source = self._source[:start] + replacement.encode() + self._source[end:]
        index = node.lineno - 1
        return Mutant(
            line=node.lineno,
            scope=".".join(self._scope),
            lines=self._lines,
            in_function=self._functions > 0,
            before=" ".join(self._source.splitlines()[index].decode().split()),
            after=" ".join(source.splitlines()[index].decode().split()),
            source=source,
        )


def _own_lines(statement: ast.stmt | ast.ExceptHandler) -> range:
    body = getattr(statement, "body", None)
    end = body[0].lineno - 1 if body else statement.end_lineno
    decorators = getattr(statement, "decorator_list", ())
    start = min([statement.lineno, *(each.lineno for each in decorators)])
    return range(start, max(statement.lineno, end) + 1)


def _is_removable(statement: ast.stmt) -> bool:
    """:return: whether the module still compiles and starts without a statement."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call)
    if isinstance(statement, ast.Assign):
        return isinstance(statement.targets[0], (ast.Attribute, ast.Subscript))
    return isinstance(statement, (ast.Raise, ast.AugAssign, ast.Delete))


def _is_untouched(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return getattr(statement.test, "id", "") == "MYPY"
    if isinstance(statement, ast.Assign):
        return getattr(statement.targets[0], "id", "") in _UNTOUCHED_NAMES
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, (ast.Import, ast.ImportFrom))


def _replacements(node: ast.expr) -> Iterator[str]:
    """Yield the expressions that replace one."""
    for kind, replacements in _REPLACEMENTS.items():
        if isinstance(node, kind):
            yield from replacements(node)


def _comparisons(node: ast.Compare) -> Iterator[str]:
    if len(node.ops) == 1:
        left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
        for other in _COMPARISONS[type(node.ops[0])]:
            yield f"(({left}) {other} ({right}))"


def _conditions(node: ast.BoolOp) -> Iterator[str]:
    own, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    values = [f"({ast.unparse(each)})" for each in node.values]
    yield "({})".format(f" {other} ".join(values))
    for index in range(len(values)):
        yield "({})".format(f" {own} ".join(values[:index] + values[index + 1 :]))


def _negations(node: ast.UnaryOp) -> Iterator[str]:
    if isinstance(node.op, (ast.Not, ast.USub)):
        yield f"({ast.unparse(node.operand)})"


def _operations(node: ast.BinOp) -> Iterator[str]:
    if type(node.op) in _OPERATORS:
        changed = ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
        yield f"({ast.unparse(ast.fix_missing_locations(changed))})"


def _branches(node: ast.IfExp) -> Iterator[str]:
    yield f"({ast.unparse(node.orelse)})"
    yield f"({ast.unparse(node.body)})"


def _functions(node: ast.Lambda) -> Iterator[str]:
    if ast.unparse(node.body) != "None":
        yield f"(lambda {ast.unparse(node.args)}: None)"


def _shorter(node: ast.Tuple | ast.List) -> Iterator[str]:
    values = [ast.unparse(each) for each in node.elts]
    if isinstance(node.ctx, ast.Load) and len(values) > isinstance(node, ast.Tuple):
        for index in range(len(values)):
            kept = "".join(f"{each}, " for each in values[:index] + values[index + 1 :])
            yield f"[{kept}]" if isinstance(node, ast.List) else f"({kept.rstrip()})"


def _other_constants(node: ast.Constant) -> Iterator[str]:
    value = node.value
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, (int, float)):
        yield repr(value + 1)
        if value:
            yield "0"
    elif isinstance(value, str) and " " not in value:
        yield repr(value + "XX")


_REPLACEMENTS = {
    ast.Compare: _comparisons,
    ast.BoolOp: _conditions,
    ast.UnaryOp: _negations,
    ast.BinOp: _operations,
    ast.IfExp: _branches,
    ast.Lambda: _functions,
    ast.Tuple: _shorter,
    ast.List: _shorter,
    ast.Constant: _other_constants,
}


def mutants_of(source: bytes) -> list[Mutant]:
    """
    :param bytes source: a module's source.
    :return: its mutants, in the order of the source.
    """
    return sorted(_Finder(source).mutants(), key=lambda mutant: mutant.line)
