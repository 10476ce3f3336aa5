# -*- test-case-name: tests.embedded.testing.test_scratch -*-
"""
The directories of doubles, whose data need not survive anything.
"""

from __future__ import annotations

import os
import tempfile

#: A file system in memory, where waiting for the disk takes no time; the directories in it are
#: private.
_MEMORY = "/dev/shm"  # nosec B108


def scratch_directory(memory: str = _MEMORY) -> str:
    """:return: a new directory for its owner only, in memory if possible."""
    usable = os.path.isdir(memory) and os.access(memory, os.W_OK | os.X_OK)
    return tempfile.mkdtemp(prefix="txstorage-", dir=memory if usable else None)
