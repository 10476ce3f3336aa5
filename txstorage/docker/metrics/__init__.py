"""
The metrics and the health of the Docker volume plugin, over HTTP.
"""

from __future__ import annotations

from ..._support.late_names import late_names
from .address import MetricsAddress, exposure, read_metrics_address
from .definitions import DEFINITIONS, PROCESS, Definition

MYPY = False
if MYPY:
    from .endpoint import MetricsEndpoint
else:
    # The command line and the doctor need no server.
    __getattr__ = late_names(__name__, {"MetricsEndpoint": ".endpoint"})

__all__ = [
    "DEFINITIONS",
    "PROCESS",
    "Definition",
    "MetricsAddress",
    "MetricsEndpoint",
    "exposure",
    "read_metrics_address",
]
