"""More tables of errors: those of Compute's servers and of images."""

from __future__ import annotations
