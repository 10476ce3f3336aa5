"""Random operations under faults, kills and shortages, judged without the driver."""

from __future__ import annotations
