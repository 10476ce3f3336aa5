"""Tests of the search for devices in virtual machines, to which volumes are hot-plugged."""

from __future__ import absolute_import, division, print_function
