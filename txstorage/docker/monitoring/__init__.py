"""
The plugin's metrics and health, for Prometheus and for load balancers.

The extra ``metrics`` installs the library that the rooms of this wing need.
"""

from __future__ import annotations

from .monitoring import Monitoring

__all__ = ["Monitoring"]
