"""Tests for ``txstorage._assembly``."""

from __future__ import absolute_import, division, print_function
