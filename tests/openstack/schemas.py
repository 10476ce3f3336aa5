"""
The services' databases.  Making the tables takes half a minute, so it is done once, and every run
begins
with a copy.
"""

import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from ..run import make_once
from .installation import REQUIREMENTS, logged
from .progress import step
from .services import environment

DATABASES = ["keystone", "cinder", "placement", "nova_api", "nova_cell0", "nova_cell1"]
#: Filled in by Nova from its own configuration: ports differ from run to run.
TRANSPORT = "{scheme}://{username}:{password}@{hostname}:{port}/"


def _make(layout, *commands):
    """Run programs, each of which is ``(name, configuration, *arguments)``."""
    for name, configuration, *arguments in commands:
        file = layout.configuration(configuration + ".conf")
        logged(
            layout.log("tables-" + configuration),
            [layout.program(name), "--config-file", file, *arguments],
            env=environment(layout),
        )


def _keystone(layout):
    _make(layout, ("keystone-manage", "keystone", "db_sync"))


def _cinder(layout):
    _make(layout, ("cinder-manage", "cinder", "db", "sync"))


def _placement(layout):
    _make(layout, ("placement-manage", "placement", "db", "sync"))


def _nova(layout):
    nova = ("nova-manage", "nova")
    cell0 = ("--database_connection", layout.database("nova_cell0"))
    cell1 = ("--database_connection", layout.database("nova_cell1"))
    _make(
        layout,
        (*nova, "api_db", "sync"),
        (*nova, "cell_v2", "map_cell0", *cell0),
        (*nova, "db", "sync"),
        (*nova, "cell_v2", "create_cell", "--name", "cell1", "--transport-url", TRANSPORT, *cell1),
    )


def make_databases(layout):
    """
    Put fresh databases in place.

    :param layout: a layout whose configuration is written.
    """
    made = layout.path("tables")
    databases = layout.run("db")

    def make():
        with step("making the tables of the databases"):
            for name in DATABASES:
                path = os.path.join(databases, name + ".db")
                with closing(sqlite3.connect(path)) as database:
                    # for readers who do not wait for the writer
                    database.execute("pragma journal_mode=wal")
            with ThreadPoolExecutor(os.cpu_count()) as several:
                jobs = (_nova, _cinder, _keystone, _placement)
                list(several.map(lambda job: job(layout), jobs))
            shutil.copytree(databases, made)
            shutil.rmtree(databases)

    with open(REQUIREMENTS) as requirements:
        make_once(made, [layout.directory, requirements.read()], make)
    shutil.copytree(made, databases, dirs_exist_ok=True)


def make_keys(layout):
    """Make Keystone's signing keys, its administrator, and its endpoint."""
    owner = ("--keystone-user", "root", "--keystone-group", "root")
    urls = [
        argument
        for interface in ("admin", "internal", "public")
        for argument in ("--bootstrap-{}-url".format(interface), layout.auth_url)
    ]
    password = ("--bootstrap-password", layout.passwords["admin"])
    keystone = ("keystone-manage", "keystone")
    _make(
        layout,
        (*keystone, "fernet_setup", *owner),
        (*keystone, "credential_setup", *owner),
        (*keystone, "bootstrap", *password, *urls, "--bootstrap-region-id", "RegionOne"),
    )
