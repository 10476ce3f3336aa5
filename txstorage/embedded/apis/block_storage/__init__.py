"""Block Storage's resources beside the volumes and their attachments."""

from __future__ import annotations
