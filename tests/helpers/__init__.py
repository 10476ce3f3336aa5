"""Helpers that the tests of several wings share."""

from __future__ import absolute_import, division, print_function
