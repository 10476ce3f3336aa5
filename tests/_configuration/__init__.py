"""Tests for ``txstorage._configuration``."""

from __future__ import absolute_import, division, print_function
