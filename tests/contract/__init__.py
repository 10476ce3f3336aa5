"""
The wire contract: what the driver may rely on in the services' answers, as one
suite for the embedded service and for a real OpenStack.
"""

from __future__ import annotations
