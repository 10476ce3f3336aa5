"""Tests for ``txstorage._http.resolution``."""

from __future__ import absolute_import, division, print_function
