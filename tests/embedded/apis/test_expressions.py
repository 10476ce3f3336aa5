"""Tests of regular expressions from requests."""

from __future__ import annotations

import re
import time
from typing import Any

from hypothesis import given, settings
from hypothesis.strategies import lists, sampled_from, text
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.apis.servers.expressions import Expression, UnsuitableExpression

from ...helpers.properties import RELAXED
from ..support import CloudTests

#: Pieces of expressions, which are put together at random.
PIECES = [
    *("a", "b", "ab", ".", "^", "$", "|", "(", ")", "(?:", "*", "+", "?", "{2}", "{0,2}", "{1,}"),
    *("[ab]", "[^a]", "[]a]", "[^]a]", r"[\]b]", r"\w", r"\.", r"\D", "*?", "-", "{", "}"),
]
HOSTILE = ["(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)*x", "(a*)*b", "a*" * 40 + "b", "(.+.+)+x"]


class ExpressionTests(SynchronousTestCase):
    """Tests of the matcher by itself."""

    @settings(**RELAXED)
    @given(lists(sampled_from(PIECES), max_size=8), text("ab-.]", max_size=8))
    def test_as_python(self, pieces: list[str], subject: str) -> None:
        """Accepted expressions match as Python's own do; invalid ones are refused."""
        source = "".join(pieces)
        try:
            expected = re.search(source, subject) is not None
        except re.error:
            self.assertRaises(UnsuitableExpression, Expression, source)
            return
        try:
            found = Expression(source).finds(subject)
        except UnsuitableExpression:
            # Only those that are too long, or possessive.
            self.assertRegex(source, r"[*+?}]\+|\{2\}|\{0,2\}|\{1,\}")
            return
        self.assertEqual(found, expected, (source, subject))

    def test_plain(self) -> None:
        """The usual expressions match."""
        for source, subject, expected in (
            ("node", "my-node-1", True),
            ("^node", "my-node-1", False),
            ("^my-.*-1$", "my-node-1", True),
            ("node-[0-9]+$", "node-17", True),
            ("web|db", "a-db", True),
            ("[a-f0-9]{32}", "0" * 32, True),
            ("[a-f0-9]{32}", "0" * 31, False),
            ("é.", "née", True),
        ):
            self.assertIs(Expression(source).finds(subject), expected, source)

    def test_hostile(self) -> None:
        """An expression that keeps other matchers busy is refused, or matched at once."""
        for source in HOSTILE:
            began = time.process_time()
            self.assertIs(Expression(source).finds("a" * 255 + "!"), False, source)
            # Python's own takes longer than anybody waits.
            self.assertLess(time.process_time() - began, 1, source)

    def test_refused(self) -> None:
        """Expressions that take another way of matching, or are too long, are refused."""
        for source in ("(", r"(a)\1", "(?=a)", "(?i)a", r"\ba", "a{1000}", "a" * 300, "(" * 9999):
            self.assertRaises(UnsuitableExpression, Expression, source)


class ListTests(CloudTests):
    """Tests of the lists that are filtered by them."""

    def names(self, query: str) -> Any:
        """Return the names in a list, or an error's text."""
        got = self.nova("GET", "/servers?" + query)
        if got.code != 200:
            return got.code, got.message
        return [each["name"] for each in got.body["servers"]]

    def test_lists(self) -> None:
        """A list of servers with long names ends at once, whatever the expression."""
        body = {"name": "a" * 255, "flavorRef": "1", "imageRef": "", "max_count": 1}
        for _ in range(20):
            mapping = {"source_type": "blank", "destination_type": "volume", "volume_size": 1}
            body["block_device_mapping_v2"] = [{**mapping, "boot_index": 0}]
            self.assertEqual(self.nova("POST", "/servers", {"server": body}).code, 202)
        began = time.process_time()
        self.assertEqual(self.names("name=(a%2B)%2B%24%7Cx!"), ["a" * 255] * 20)
        self.assertEqual(self.names("name=(a%7Caa)%2B!"), [])
        self.assertLess(time.process_time() - began, 2)
        message = (
            "Invalid input for query parameters name. Value: (a)\\1. '(a)\\\\1' is not a 'regex'"
        )
        self.assertEqual(self.names("name=(a)%5C1"), (400, message))
