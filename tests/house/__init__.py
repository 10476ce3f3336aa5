"""Tests of the whole project: layers, distribution, documentation."""

from __future__ import absolute_import, division, print_function
