"""The embedded service's users, their projects and roles, and the policy of what a role may do."""

from __future__ import annotations
