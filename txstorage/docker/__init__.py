"""
The Docker volume plugin: volumes for Docker, Compose, Swarm and Podman.
"""

from __future__ import annotations

from .options import OPTIONS
from .plugin import Deadlines, Defaults
from .service import DockerPlugin, PluginSettings

__all__ = ["OPTIONS", "Deadlines", "Defaults", "DockerPlugin", "PluginSettings"]
