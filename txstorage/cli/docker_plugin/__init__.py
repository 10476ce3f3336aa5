"""
``txstorage docker-plugin``: the Docker volume plugin in the foreground.
"""

from __future__ import annotations

from .command import docker_plugin

__all__ = ["docker_plugin"]
