"""Tests for ``txstorage.driver``."""

from __future__ import absolute_import, division, print_function
