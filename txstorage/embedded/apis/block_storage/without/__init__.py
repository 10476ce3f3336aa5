"""Features that this service does not have, answered as by a cloud that makes no use of them."""

from __future__ import annotations
