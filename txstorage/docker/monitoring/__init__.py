"""
The plugin's metrics and health, for Prometheus and for load balancers.
"""

from __future__ import annotations

from ..._support.late_names import late_names
from .definitions import METRICS, PROCESS

MYPY = False
if MYPY:
    from .monitoring import Monitoring
else:
    # The documentation needs the table alone.
    __getattr__ = late_names(__name__, {"Monitoring": ".monitoring"})

__all__ = ["METRICS", "PROCESS", "Monitoring"]
