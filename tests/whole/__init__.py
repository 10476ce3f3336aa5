"""Tests of the whole driver: on the embedded service over TCP, and bad input."""

from __future__ import absolute_import, division, print_function
