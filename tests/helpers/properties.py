"""Settings of property-based tests."""

from __future__ import absolute_import, division, print_function

from hypothesis import HealthCheck

from txstorage._support.compat import PY2

#: Arguments of Hypothesis's ``settings``: on a busy machine, an example and its making may be slow.
#: The release for Python 2.7 has no deadline.
RELAXED = {"suppress_health_check": [HealthCheck.too_slow]}
if not PY2:
    RELAXED["deadline"] = None
