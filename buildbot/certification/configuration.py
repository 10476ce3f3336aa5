"""
The master's configuration, put together.
"""

from __future__ import annotations

from datetime import timedelta

from buildbot.plugins import secrets, util, worker

from . import builders, schedulers
from .settings import HOST, WORKER, WORKER_PASSWORD, Settings

#: How many builds at once; those that need the same lock wait for each other.
BUILDS = 2
#: How long logs are kept.
KEPT = timedelta(days=60)


def _listening(port: int) -> str:
    return f"tcp:{port}:interface={HOST}"


def web(settings: Settings) -> dict:
    """:return: the web pages, which only this machine can reach; a proxy can publish them."""
    return {
        "port": _listening(settings.web_port),
        "plugins": {
            "badges": {"left_text": "txstorage", "style": "flat"},
            "console_view": {},
            "grid_view": True,
        },
    }


def configured(settings: Settings) -> dict:
    """:return: ``BuildmasterConfig``."""
    return {
        "title": "txstorage",
        "titleURL": settings.url,
        "buildbotURL": settings.url,
        "buildbotNetUsageData": None,
        "db": {"db_url": "sqlite:///state.sqlite"},
        "protocols": {"pb": {"port": _listening(settings.worker_port)}},
        "secretsProviders": [secrets.SecretInAFile(dirname=settings.secrets)],
        "workers": [
            worker.Worker(
                WORKER,
                util.Secret(WORKER_PASSWORD),
                max_builds=BUILDS,
                properties={"python": settings.python},
            )
        ],
        "builders": builders.configs(settings),
        "change_source": schedulers.sources(settings),
        "schedulers": schedulers.all_of_them(settings),
        "configurators": [util.JanitorConfigurator(logHorizon=KEPT, hour=4, dayOfWeek=6)],
        "www": web(settings),
    }
