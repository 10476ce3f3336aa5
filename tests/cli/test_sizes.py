"""
Tests for ``txstorage.cli.sizes``.
"""

from __future__ import annotations

import click
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.properties import RELAXED
from txstorage.cli.sizes import LARGEST, Size, exact_size, parse_size, rounding

GIB = 2**30


class FormatTests(SynchronousTestCase):
    """``exact_size``."""

    @settings(**RELAXED)
    @given(st.integers(min_value=1, max_value=2**63))
    def test_exact(self, size: int) -> None:
        """An exact size is the size, whichever notation shows it."""
        self.assertEqual(parse_size(exact_size(size).replace(" bytes", "")), size)


class RoundingTests(SynchronousTestCase):
    """``rounding``."""

    def test_said(self) -> None:
        """Both sizes are in the sentence, as different as they are."""
        self.assertEqual(rounding(GIB, GIB), "")
        self.assertIn("1.5 GiB is rounded up to 2 GiB", rounding(3 * 2**29, 2 * GIB))
        self.assertIn("1073741825 bytes is rounded up to 2 GiB", rounding(GIB + 1, 2 * GIB))


class BoundTests(SynchronousTestCase):
    """The argument ``SIZE``."""

    def test_largest(self) -> None:
        """A size that no volume can have is refused; the largest possible one is accepted."""
        self.assertEqual(Size().convert("1000TiB", None, None), 1000 * 2**40)
        self.assertEqual(Size().convert(str(LARGEST), None, None), LARGEST)
        for text in (str(LARGEST + 1), "3EiB", "9" * 500 + "G"):
            error = self.assertRaises(click.BadParameter, Size().convert, text, None, None)
            self.assertIn("2 EiB", error.format_message())
