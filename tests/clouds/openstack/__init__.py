"""Tests for ``txstorage.clouds.openstack``."""

from __future__ import absolute_import, division, print_function
