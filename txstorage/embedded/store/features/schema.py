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

# Servers that clients make and delete, beside the nodes, whose names alone are unique.
_SERVERS = """
ALTER TABLE servers RENAME TO nodes;
CREATE TABLE servers (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL,
    is_node INTEGER NOT NULL DEFAULT 1,
    project_id TEXT,
    user_id TEXT,
    details TEXT NOT NULL DEFAULT '{}'
);
INSERT INTO servers (sequence, id, name, status, created_at)
    SELECT sequence, id, name, status, created_at FROM nodes;
DROP TABLE nodes;
CREATE UNIQUE INDEX node_names ON servers (name) WHERE is_node;
CREATE TABLE server_actions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    server_id TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    request_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    started_at REAL NOT NULL
);
CREATE INDEX actions_of_server ON server_actions (server_id);
ALTER TABLE attachments ADD COLUMN delete_on_termination INTEGER NOT NULL DEFAULT 0;
"""

# What administrators keep of volume types beside their extra specs.
_KINDS = """
CREATE TABLE qos_specs (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    consumer TEXT NOT NULL,
    specs TEXT NOT NULL
);
ALTER TABLE volume_types ADD COLUMN qos_id TEXT REFERENCES qos_specs (id) ON DELETE SET NULL;
CREATE TABLE encryptions (
    type_id TEXT PRIMARY KEY REFERENCES volume_types (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    provider TEXT NOT NULL,
    control_location TEXT NOT NULL,
    cipher TEXT,
    key_size INTEGER,
    created_at REAL NOT NULL,
    updated_at REAL
) WITHOUT ROWID;
"""

# Projects that administrators make, and roles that they give, in whatever project.
_MADE_PROJECTS = """
CREATE TABLE projects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    enabled INTEGER NOT NULL,
    tags TEXT NOT NULL,
    extra TEXT NOT NULL
);
CREATE TABLE grants (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL,
    UNIQUE (project_id, user_id, role)
);
"""

# Processes that administrators disable, default volume types that they choose, statuses of volumes
# that they set, and quotas of Compute; and groups of servers.
_ADMINISTRATION = """
CREATE TABLE disabled_processes (binary TEXT PRIMARY KEY, reason TEXT) WITHOUT ROWID;
ALTER TABLE volumes ADD COLUMN migration_status TEXT;
CREATE TABLE server_groups (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    policy TEXT NOT NULL,
    rules TEXT NOT NULL,
    project_id TEXT,
    user_id TEXT
);
CREATE TABLE compute_quotas (
    project_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (project_id, resource)
) WITHOUT ROWID;
CREATE TABLE default_types (
    project_id TEXT PRIMARY KEY,
    type_id TEXT NOT NULL REFERENCES volume_types (id)
) WITHOUT ROWID;
"""

#: The statements of each later version.
LATER = (_FLAGS, _TRANSFERS, _BACKUPS, _SERVERS, _KINDS, _MADE_PROJECTS, _ADMINISTRATION)

__all__ = ["LATER"]
