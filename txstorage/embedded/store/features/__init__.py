"""The tables and columns of Block Storage's features that the driver itself does not use."""

from __future__ import annotations
