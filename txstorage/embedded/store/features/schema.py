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

# Offers of volumes to other projects, with digests of the keys.
_TRANSFERS = """
CREATE TABLE transfers (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    volume_id TEXT NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
    name TEXT,
    salt TEXT NOT NULL,
    digest TEXT NOT NULL,
    no_snapshots INTEGER NOT NULL,
    created_at REAL NOT NULL
);
CREATE INDEX transfers_of_volume ON transfers (volume_id);
"""

# Backups, which outlive their volumes.
_BACKUPS = """
CREATE TABLE backups (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project_id TEXT,
    user_id TEXT,
    volume_id TEXT NOT NULL,
    snapshot_id TEXT,
    parent_id TEXT,
    restore_volume_id TEXT,
    name TEXT,
    description TEXT,
    size INTEGER NOT NULL,
    status TEXT NOT NULL,
    previous_status TEXT NOT NULL,
    of_volume TEXT NOT NULL,
    container TEXT,
    metadata TEXT NOT NULL,
    fail_reason TEXT,
    data_timestamp REAL NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL
);
CREATE INDEX backups_of_project ON backups (project_id);
ALTER TABLE volumes ADD COLUMN backup_id TEXT;
"""

#: The statements of each later version.
LATER = (_FLAGS, _TRANSFERS, _BACKUPS)

__all__ = ["LATER"]
