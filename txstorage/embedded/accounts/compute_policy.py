# -*- test-case-name: tests.embedded.accounts.test_policy -*-
"""
Compute's part of :mod:`txstorage.embedded.accounts.policy`: the default policy of Nova 34.
"""

from __future__ import annotations

from typing import Optional

from .roles import Who

_ANY, _READER, _MEMBER, _ADMIN, _DEPENDS = (
    Who.ANYBODY,
    Who.READER,
    Who.MEMBER,
    Who.ADMIN,
    Who.DEPENDS,
)
_SERVER = "/v2.1/servers/<server_id>"
_ATTACHED = _SERVER + "/os-volume_attachments"
_COMPUTE_QUOTA = "/v2.1/os-quota-sets/<quota_project>"
_ITEMS, _TAGS = "os_compute_api:server-metadata:", "os_compute_api:os-server-tags:"
_SERVER_ACTIONS = "os_compute_api:os-instance-actions:"
_QUOTAS = "os_compute_api:os-quota-sets:"
_SERVERS, _SERVER_VOLUMES = "os_compute_api:servers:", "os_compute_api:os-volumes-attachments:"

#: The names and the users, by route.
ROUTES: dict[str, tuple[Optional[str], Who]] = {
    "GET /v2.1/servers": (_SERVERS + "index", _READER),
    "GET /v2.1/servers/detail": (_SERVERS + "detail", _READER),
    "POST /v2.1/servers": (_SERVERS + "create", _MEMBER),
    f"GET {_SERVER}": (_SERVERS + "show", _READER),
    f"PUT {_SERVER}": (_SERVERS + "update", _MEMBER),
    f"DELETE {_SERVER}": (_SERVERS + "delete", _MEMBER),
    f"GET {_SERVER}/metadata": (_ITEMS + "index", _READER),
    f"POST {_SERVER}/metadata": (_ITEMS + "create", _MEMBER),
    f"PUT {_SERVER}/metadata": (_ITEMS + "update_all", _MEMBER),
    f"GET {_SERVER}/metadata/<key>": (_ITEMS + "show", _READER),
    f"PUT {_SERVER}/metadata/<key>": (_ITEMS + "update", _MEMBER),
    f"DELETE {_SERVER}/metadata/<key>": (_ITEMS + "delete", _MEMBER),
    f"GET {_SERVER}/tags": (_TAGS + "index", _READER),
    f"PUT {_SERVER}/tags": (_TAGS + "update_all", _MEMBER),
    f"DELETE {_SERVER}/tags": (_TAGS + "delete_all", _MEMBER),
    f"GET {_SERVER}/tags/<tag>": (_TAGS + "show", _READER),
    f"PUT {_SERVER}/tags/<tag>": (_TAGS + "update", _MEMBER),
    f"DELETE {_SERVER}/tags/<tag>": (_TAGS + "delete", _MEMBER),
    f"GET {_SERVER}/ips": ("os_compute_api:ips:index", _READER),
    f"GET {_SERVER}/ips/<network>": ("os_compute_api:ips:show", _READER),
    f"GET {_SERVER}/os-interface": ("os_compute_api:os-attach-interfaces:list", _READER),
    f"GET {_SERVER}/os-security-groups": ("os_compute_api:os-security-groups:list", _READER),
    f"GET {_SERVER}/os-instance-actions": (_SERVER_ACTIONS + "list", _READER),
    f"GET {_SERVER}/os-instance-actions/<request_id>": (_SERVER_ACTIONS + "show", _READER),
    "GET /v2.1/limits": ("os_compute_api:limits", _ANY),
    f"GET {_COMPUTE_QUOTA}": (_QUOTAS + "show", _DEPENDS),
    f"GET {_COMPUTE_QUOTA}/defaults": (_QUOTAS + "defaults", _ANY),
    f"GET {_COMPUTE_QUOTA}/detail": (_QUOTAS + "detail", _DEPENDS),
    f"PUT {_COMPUTE_QUOTA}": (_QUOTAS + "update", _ADMIN),
    f"DELETE {_COMPUTE_QUOTA}": (_QUOTAS + "delete", _ADMIN),
    "GET /v2.1/os-availability-zone": ("os_compute_api:os-availability-zone:list", _ANY),
    "GET /v2.1/os-availability-zone/detail": (
        "os_compute_api:os-availability-zone:detail",
        _ADMIN,
    ),
    **{
        f"{method} /v2.1/os-server-groups{end}": (
            f"os_compute_api:os-server-groups:{action}",
            who,
        )
        for method, end, action, who in (
            ("GET", "", "index", _READER),
            ("POST", "", "create", _MEMBER),
            ("GET", "/<group_id>", "show", _READER),
            ("DELETE", "/<group_id>", "delete", _MEMBER),
        )
    },
    "GET /v2.1/os-services": ("os_compute_api:os-services:list", _ADMIN),
    "PUT /v2.1/os-services/<process_id>": ("os_compute_api:os-services:update", _ADMIN),
    **{
        f"GET /v2.1/os-hypervisors{end}": (f"os_compute_api:os-hypervisors:{action}", _ADMIN)
        for end, action in (
            ("", "list"),
            ("/detail", "list-detail"),
            ("/statistics", "statistics"),
            ("/<hypervisor_id>", "show"),
            ("/<hypervisor_id>/search", "search"),
            ("/<hypervisor_id>/servers", "servers"),
        )
    },
    "GET /v2.1/os-keypairs": ("os_compute_api:os-keypairs:index", _ANY),
    "GET /v2.1/os-keypairs/<key_name>": ("os_compute_api:os-keypairs:show", _ANY),
    "GET /v2.1/os-security-groups": ("os_compute_api:os-security-groups:get", _READER),
    "GET /v2.1/flavors": (None, _ANY),
    "GET /v2.1/flavors/detail": (None, _ANY),
    "GET /v2.1/flavors/<flavor_id>": (None, _ANY),
    "GET /v2.1/flavors/<flavor_id>/os-extra_specs": (None, _ANY),
    f"POST {_SERVER}/action": (None, _DEPENDS),
    f"GET {_ATTACHED}": (_SERVER_VOLUMES + "index", _READER),
    f"POST {_ATTACHED}": (_SERVER_VOLUMES + "create", _MEMBER),
    f"GET {_ATTACHED}/<volume_id>": (_SERVER_VOLUMES + "show", _READER),
    # Depends on the request, too.
    f"PUT {_ATTACHED}/<volume_id>": (_SERVER_VOLUMES + "update", _DEPENDS),
    f"DELETE {_ATTACHED}/<volume_id>": (_SERVER_VOLUMES + "delete", _MEMBER),
}
#: The same by action.
ACTIONS: dict[str, tuple[Optional[str], Who]] = {
    # Members and parameters of requests, and a path.
    "swap": (_SERVER_VOLUMES + "swap", _ADMIN),
    "update attachment": (_SERVER_VOLUMES + "update", _MEMBER),
    "limits of others": ("os_compute_api:limits:other_project", _ADMIN),
    "quotas of others": (_QUOTAS + "show", _ADMIN),
    "reboot": (_SERVERS + "reboot", _MEMBER),
    "os-start": (_SERVERS + "start", _MEMBER),
    "os-stop": (_SERVERS + "stop", _MEMBER),
}

__all__ = ["ACTIONS", "ROUTES"]
