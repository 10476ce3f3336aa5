"""Tests for ``txstorage.driver.polling``."""

from __future__ import absolute_import, division, print_function
