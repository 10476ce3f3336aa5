"""Tests for ``txstorage._http``."""

from __future__ import absolute_import, division, print_function
