"""The settings of one installation: its directory, its checkout, its ports."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields

HOST = "127.0.0.1"
WORKER = "local"
#: The names of secrets: of files in :attr:`Settings.secrets`.
WORKER_PASSWORD = "worker-password"
CLOUD_PASSWORD = "cloud-password"

_FILE = "settings.json"


@dataclass(frozen=True)
class Settings:
    """
    :ivar directory: where all of it is; an absolute path.
    :ivar repository: what is cloned.
    :ivar branch: what is built at night, and by hand unless another is named.
    :ivar python: the path of the Python 3 that starts the tests.
    :ivar version: its version, such as ``"3.11"``.
    """

    directory: str
    repository: str
    branch: str
    python: str
    version: str
    web_port: int
    worker_port: int

    @classmethod
    def load(cls, directory: str) -> Settings:
        """:raises FileNotFoundError: when there is no installation there."""
        with open(os.path.join(directory, _FILE), encoding="utf-8") as saved:
            values = json.load(saved)
        # another release may have had others
        return cls(**{each.name: values[each.name] for each in fields(cls)})

    def save(self) -> None:
        """Write them where :meth:`load` looks."""
        path = self.path(_FILE)
        with open(path + ".new", "w", encoding="utf-8") as saved:
            json.dump(asdict(self), saved, indent=2)
        os.replace(path + ".new", path)

    def path(self, *parts: str) -> str:
        """:return: a path in the installation's directory."""
        return os.path.join(self.directory, *parts)

    @property
    def secrets(self) -> str:
        """The directory that the secret provider reads."""
        return self.path("secrets")

    def has_secret(self, name: str) -> bool:
        return os.path.exists(os.path.join(self.secrets, name))

    def secret(self, name: str) -> str:
        with open(os.path.join(self.secrets, name), encoding="utf-8") as secret:
            return secret.read().rstrip("\n")

    @property
    def url(self) -> str:
        """The URL of the web pages, with a slash at the end."""
        return f"http://{HOST}:{self.web_port}/"
