"""Tests for ``txstorage.testing``."""

from __future__ import absolute_import, division, print_function
