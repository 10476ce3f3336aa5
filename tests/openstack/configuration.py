"""
The services' configuration files, as tables.

They differ from production: everything listens on loopback, tables are in SQLite, reports are
frequent so that a restarted service is soon known to be up, and there is no Neutron and no Glance.
"""

import os
import shutil

from .layout import HOST, REGION, write

#: Volumes on one page of the Cinder that has small pages.
SMALL_PAGE = 2
#: Seconds that a token lasts, of the Keystone whose tokens are short-lived.
SHORT_LIFE = 20
BACKEND = "sparse"

#: A request accepted while RabbitMQ restarts is carried out when RabbitMQ is back.  Otherwise a
#: message to a service that is not back yet is lost: a detach that Nova accepted then
#: never ends, and its volume is "detaching" until an administrator resets it.
_QUEUES = {"rabbit_quorum_queue": "false", "amqp_durable_queues": "true"}


def _login(layout):
    return {
        "auth_type": "password",
        "auth_url": layout.auth_url,
        "username": "svc",
        "password": layout.passwords["svc"],
        "project_name": "service",
        "user_domain_id": "default",
        "project_domain_id": "default",
        "region_name": REGION,
    }


def policy(layout, service):
    """:return: the path of a service's policies, which the service reads again when they change."""
    return layout.configuration(service + "-policy.yaml")


def _database(layout, name):
    return {"connection": layout.database(name), "sqlite_synchronous": "false"}


def _tokens(layout, service_type):
    """:param service_type: the service's type, as access rules name it."""
    # With service tokens, a user's token may expire while it works for the user.
    return {
        "service_type": service_type,
        "www_authenticate_uri": layout.auth_url,
        **_login(layout),
        "service_token_roles": "service",
        "service_token_roles_required": "true",
        # Each request is checked: a revoked token, or a Keystone that is down,
        # is felt at once.
        "token_cache_time": -1,
    }


def keystone(layout, lifetime=3600):
    """:param lifetime: the lifetime of a token, in seconds."""
    keys = layout.run("state", "fernet")
    return {
        "database": _database(layout, "keystone"),
        "token": {
            "provider": "fernet",
            "expiration": lifetime,
            "allow_expired_window": 86400,
        },
        "fernet_tokens": {"key_repository": keys},
        "fernet_receipts": {"key_repository": keys},
        "credential": {"key_repository": layout.run("state", "credential")},
        "identity": {"password_hash_rounds": 4},
        # in each process by itself: each service has one
        "cache": {"enabled": "true", "backend": "dogpile.cache.memory"},
    }


def cinder(layout, page=1000, port="cinder-api"):
    """:param page: the maximum number of volumes on a page of a list."""
    etc = layout.path("venv", "etc", "cinder")
    return {
        "DEFAULT": {
            "transport_url": layout.rabbit_url,
            "auth_strategy": "keystone",
            "api_paste_config": os.path.join(etc, "api-paste.ini"),
            "resource_query_filters_file": os.path.join(etc, "resource_filters.json"),
            "state_path": layout.run("state", "cinder"),
            "host": "rig",
            "my_ip": HOST,
            "enabled_backends": BACKEND,
            "osapi_volume_base_URL": layout.url(port),
            "osapi_max_limit": page,
            "scheduler_default_filters": "AvailabilityZoneFilter,CapacityFilter,CapabilitiesFilter",
            # A scheduler that missed the volume service's first report knows of no back
            # end before the next.
            "scheduler_driver_init_wait_time": 15,
            "backend_stats_polling_interval": 5,
            "periodic_interval": 5,
            "periodic_fuzzy_delay": 0,
            "report_interval": 5,
            "service_down_time": 60,
        },
        BACKEND: {
            "volume_driver": "sparse_files.SparseFiles",
            "sparse_files_directory": layout.run("volumes"),
            "volume_backend_name": BACKEND,
            "target_helper": "fake",
        },
        "database": _database(layout, "cinder"),
        # no Barbican: all encrypted volumes share this key, which nothing uses
        "key_manager": {
            "backend": "cinder.keymgr.conf_key_mgr.ConfKeyManager",
            "fixed_key": "0" * 64,
        },
        "coordination": {"backend_url": "file://" + layout.run("state", "coordination")},
        "oslo_concurrency": {"lock_path": layout.run("lock")},
        "oslo_messaging_rabbit": _QUEUES,
        "oslo_policy": {"policy_file": policy(layout, "cinder")},
        "keystone_authtoken": _tokens(layout, "block-storage"),
        "nova": {**_login(layout), "interface": "public"},
    }


def placement(layout):
    return {
        "placement_database": _database(layout, "placement"),
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": _login(layout),
    }


def nova(layout):
    return {
        "DEFAULT": {
            "transport_url": layout.rabbit_url,
            "state_path": layout.run("state", "nova"),
            "host": "rig",
            "my_ip": HOST,
            "compute_driver": "loop_devices.LoopDevices",
            "heal_instance_info_cache_interval": -1,
            "osapi_compute_workers": 1,
            "periodic_fuzzy_delay": 0,
            "report_interval": 5,
            "service_down_time": 60,
        },
        "api": {"auth_strategy": "keystone"},
        "api_database": _database(layout, "nova_api"),
        "database": _database(layout, "nova_cell1"),
        "oslo_concurrency": {"lock_path": layout.run("lock")},
        "oslo_messaging_rabbit": _QUEUES,
        "wsgi": {"api_paste_config": layout.configuration("api-paste.ini")},
        "conductor": {"workers": 1},
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 2},
        "filter_scheduler": {"enabled_filters": "ComputeFilter"},
        "oslo_policy": {"policy_file": policy(layout, "nova")},
        "keystone_authtoken": _tokens(layout, "compute"),
        "service_user": {"send_service_user_token": "true", **_login(layout)},
        "placement": _login(layout),
        "cinder": {
            **_login(layout),
            "catalog_info": "block-storage:cinder:publicURL",
            "os_region_name": REGION,
        },
        "neutron": {**_login(layout), "endpoint_override": layout.url("neutron")},
        # never requested: the servers' root is a volume
        "glance": {"endpoint_override": layout.url("neutron")},
    }


def rendered(sections):
    """:return: the text of a configuration file."""
    lines = []
    for section, options in sections.items():
        lines.append("[{}]".format(section))
        lines += ["{} = {}".format(*option) for option in options.items()]
    return "\n".join(lines) + "\n"


def write_all(layout):
    """Write the files, and make the directories that they name."""
    for directory in ("conf", "log", "db", "lock", "volumes"):
        os.makedirs(layout.run(directory), exist_ok=True)
    for state in ("cinder", "nova", "fernet", "credential", "coordination"):
        os.makedirs(layout.run("state", state), exist_ok=True)
    for name, sections in [
        ("keystone", keystone(layout)),
        ("keystone-short", keystone(layout, SHORT_LIFE)),
        ("cinder", cinder(layout)),
        ("cinder-paged", cinder(layout, SMALL_PAGE, "cinder-api-paged")),
        ("placement", placement(layout)),
        ("nova", nova(layout)),
    ]:
        write(layout.configuration(name + ".conf"), rendered(sections))
    for service in ("cinder", "nova"):
        # empty policies, until a test writes others
        write(policy(layout, service), "{}\n")
    shutil.copy(
        layout.path("venv", "etc", "nova", "api-paste.ini"), layout.configuration("api-paste.ini")
    )
