# -*- test-case-name: tests.embedded.store.test_features -*-
"""The later steps of the database's schema."""

from __future__ import annotations

# Flags of volumes for clients.  The flag ``bootable`` had stood for a server's root volume.
_FLAGS = """
ALTER TABLE volumes ADD COLUMN root INTEGER NOT NULL DEFAULT 0;
UPDATE volumes SET root = bootable;
ALTER TABLE volumes ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE volumes ADD COLUMN readonly INTEGER;
ALTER TABLE volumes ADD COLUMN image_metadata TEXT;
ALTER TABLE attachments ADD COLUMN host TEXT;
ALTER TABLE attachments ADD COLUMN by_action INTEGER NOT NULL DEFAULT 0;
"""

#: The statements of each later version.
LATER = (_FLAGS,)

__all__ = ["LATER"]
