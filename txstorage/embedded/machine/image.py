# -*- test-case-name: tests.embedded.machine.test_image -*-
"""
The one image, which volumes and servers can be made from: a small content, the same everywhere.
"""

from __future__ import annotations

import hashlib
import uuid
from functools import lru_cache

IMAGE_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "txstorage:image"))
IMAGE_NAME = "txstorage-image"
#: Bytes.
IMAGE_SIZE = 2**20
#: GiB and MiB that a volume, and a server, need.
MIN_DISK, MIN_RAM = 1, 0


@lru_cache(maxsize=None)
def image_content() -> bytes:
    """Return the content: the digests of numbers, so that no two blocks of it are alike."""
    blocks = (hashlib.sha256(b"txstorage image %d" % each) for each in range(IMAGE_SIZE // 32))
    return b"".join(block.digest() for block in blocks)


@lru_cache(maxsize=None)
def image_digest(name: str) -> str:
    """
    Return a digest of the content, in hexadecimal.

    :param name: of the algorithm, which ``hashlib`` has.
    """
    return hashlib.new(name, image_content(), usedforsecurity=False).hexdigest()


def image_metadata() -> dict[str, str]:
    """Return the metadata of the volumes that are made from the image."""
    return {
        "image_id": IMAGE_ID,
        "image_name": IMAGE_NAME,
        "checksum": image_digest("md5"),
        "container_format": "bare",
        "disk_format": "raw",
        "min_disk": str(MIN_DISK),
        "min_ram": str(MIN_RAM),
        "size": str(IMAGE_SIZE),
    }


__all__ = [
    "IMAGE_ID",
    "IMAGE_NAME",
    "IMAGE_SIZE",
    "MIN_DISK",
    "MIN_RAM",
    "image_content",
    "image_digest",
    "image_metadata",
]
