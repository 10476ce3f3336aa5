"""Tests that the property-based tests do not fail on a busy machine."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from .test_english import sources

#: The settings without a deadline; some tests have further ones.
WITHOUT_DEADLINE = ("**RELAXED", "deadline=None")


def decorators(source: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The names of a module's functions, with the decorators that are called, by their names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            calls = [each for each in node.decorator_list if isinstance(each, ast.Call)]
            yield node.name, {ast.unparse(call.func): ast.unparse(call) for call in calls}


def hurried(source: str) -> list[str]:
    """The names of a module's property-based tests that have a deadline."""
    if "@given" not in source:
        return []
    return [
        name
        for name, calls in decorators(source)
        if "given" in calls and not any(w in calls.get("settings", "") for w in WITHOUT_DEADLINE)
    ]


class RelaxedTests(SynchronousTestCase):
    """The settings of properties, which ``tests.helpers.properties`` has."""

    def test_none(self) -> None:
        """No property of the tests has a deadline."""
        found = {}
        for path in sources():
            with open(path, encoding="utf-8") as source:
                found[path] = hurried(source.read())
        self.assertEqual({}, {path: names for path, names in found.items() if names})

    def test_found(self) -> None:
        """A property without settings, or with others, is found."""
        for settings in ("", "@settings(max_examples=3)\n"):
            source = settings + "@given(st.text())\ndef test_text(text): pass\n"
            self.assertEqual(["test_text"], hurried(source))
        source = "@settings(max_examples=3, **RELAXED)\n@given(st.text())\ndef test_text(): pass\n"
        self.assertEqual([], hurried(source))
