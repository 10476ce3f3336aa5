"""Tests for ``txstorage.driver.lifecycle``."""

from __future__ import absolute_import, division, print_function
