"""
The EC2 face of the embedded service: Amazon's Query API on the same volumes, nodes and devices.
"""

from __future__ import annotations
