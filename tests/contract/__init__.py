"""
The wire contract: the properties of the services' responses that the driver relies on, as one suite
for the embedded service and for a real OpenStack.
"""

from __future__ import annotations
