"""Identity v3: tokens, and the users, projects and roles that they stand for."""

from __future__ import annotations
