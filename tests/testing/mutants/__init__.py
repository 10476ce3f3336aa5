"""
Drivers that are wrong, each in one way that the conformance suite claims to catch.

Each overrides one behaviour of one of the two drivers in :mod:`tests.testing.reference`.
"""

from __future__ import absolute_import, division, print_function

from . import (  # noqa: F401 (each module enters its drivers in the table)
    asynchronous,
    attach,
    clusters,
    concurrency,
    copies,
    create_and_list,
    destroy,
    detach,
    devices,
    identity,
    labels,
    profiles_and_clouds,
)
from .table import MUTANTS

__all__ = ["MUTANTS"]
