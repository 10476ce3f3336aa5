"""Tests of the driver's snapshots, and of volumes made from them."""

from __future__ import absolute_import, division, print_function
