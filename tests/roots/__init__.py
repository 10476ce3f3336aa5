"""Clean roots on a Debian, made by debootstrap, for suites that must not see this machine."""

from __future__ import annotations
