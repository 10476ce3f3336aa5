"""The Query API: signatures, parameters, documents and errors."""

from __future__ import annotations
