"""
The Docker volume plugin: volumes for Docker, Compose, Swarm and Podman.
"""

from __future__ import annotations

from .._support.late_names import late_names
from .options import OPTIONS
from .settings import Deadlines, Defaults, PluginSettings

MYPY = False
if MYPY:
    from .service import DockerPlugin
else:
    # The doctor does not need the server, and its libraries take a while to import.
    __getattr__ = late_names(__name__, {"DockerPlugin": ".service"})

__all__ = ["OPTIONS", "Deadlines", "Defaults", "DockerPlugin", "PluginSettings"]
