"""
Tests of the Buildbot that certifies the driver, and ``make test-buildbot``.
"""

from __future__ import annotations

import os
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
#: The directory of its modules; not a package, whose name would be Buildbot's own.
BUILDBOT = os.path.join(_ROOT, "buildbot")
if BUILDBOT not in sys.path:
    sys.path.append(BUILDBOT)
