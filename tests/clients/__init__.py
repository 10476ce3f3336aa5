"""Other people's suites of OpenStack clients on the embedded service: ``make test-clients``."""

from __future__ import annotations
