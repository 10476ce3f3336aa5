# -*- test-case-name: tests.embedded.accounts.test_policy -*-
"""
The policy: the roles that each route, and each action of a route, requires.

The names and the roles are the default ones of Cinder 29 and Nova 34.  A refusal has the name, and
comes after that of a resource that does not exist for the user: another project's does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

import attr

from . import compute_policy
from .requester import Requester
from .roles import Who


@attr.s(frozen=True, auto_attribs=True)
class Rule:
    """
    A row of the policy.

    :ivar name: of the policy, in a refusal; ``None`` when the service has none.
    """

    name: Optional[str]
    who: Who

    def allows(self, requester: Requester) -> bool:
        """Check whether a user has the role."""
        if self.who in (Who.ANYBODY, Who.DEPENDS):
            return True
        return requester.is_admin or self.who.value in requester.roles


_ANY, _READER, _MEMBER, _ADMIN, _DEPENDS = (
    Who.ANYBODY,
    Who.READER,
    Who.MEMBER,
    Who.ADMIN,
    Who.DEPENDS,
)
_V = "/v3/<project_id>"
_VOLUME, _SNAPSHOT = _V + "/volumes/<volume_id>", _V + "/snapshots/<snapshot_id>"
_ATTACHMENT, _TYPE = _V + "/attachments/<attachment_id>", _V + "/types/<type_id>"
_BACKUP = _V + "/backups/<backup_id>"
_MESSAGE = _V + "/messages/<message_id>"
_GROUP_SNAPSHOTS = "group:get_all_group_snapshots"
_QUOTA = _V + "/os-quota-sets/<quota_project>"
_IMAGE = "/v2/images/<image_id>"
_TYPES, _SPECS = "volume_extension:type_", "volume_extension:types_extra_specs:"
_ACCESS = "volume_extension:volume_type_access:"
_QOS = "volume_extension:qos_specs_manage:"
_ENCRYPTION = "volume_extension:volume_type_encryption:"
_OWN = "/v3/users/<user_id>/application_credentials"
_CREDENTIAL, _EC2 = "/v3/credentials/<credential_id>", "/v3/users/<user_id>/credentials/OS-EC2"
_GRANTS = "/v3/projects/<project_id>/users/<user_id>/roles"
_OWN_NAME = "identity:{}_application_credential"


def _labels(path: str, kind: str) -> dict[str, tuple[str, Who]]:
    """The rows of the labels of volumes or snapshots."""
    return {
        f"GET {path}/metadata": (f"volume:get_{kind}_metadata", _READER),
        f"POST {path}/metadata": (f"volume:{_ADDING[kind]}_{kind}_metadata", _MEMBER),
        f"PUT {path}/metadata": (f"volume:update_{kind}_metadata", _MEMBER),
        f"GET {path}/metadata/<key>": (f"volume:get_{kind}_metadata", _READER),
        f"PUT {path}/metadata/<key>": (f"volume:update_{kind}_metadata", _MEMBER),
        f"DELETE {path}/metadata/<key>": (f"volume:delete_{kind}_metadata", _MEMBER),
    }


#: Cinder's policy to add labels to a snapshot is the one to change them.
_ADDING = {"volume": "create", "snapshot": "update"}

_ROUTES: dict[str, dict[str, tuple[Optional[str], Who]]] = {
    "identity": {
        "POST /v3/auth/tokens": (None, _ANY),
        "GET /v3/auth/tokens": ("identity:validate_token", _DEPENDS),
        "DELETE /v3/auth/tokens": ("identity:revoke_token", _DEPENDS),
        "GET /v3/auth/catalog": (None, _ANY),
        "GET /v3/auth/projects": (None, _ANY),
        "GET /v3/auth/domains": (None, _ANY),
        "GET /v3/users": ("identity:list_users", _ADMIN),
        "GET /v3/users/<user_id>": ("identity:get_user", _DEPENDS),
        "GET /v3/users/<user_id>/projects": ("identity:list_user_projects", _DEPENDS),
        "GET /v3/projects": ("identity:list_projects", _ADMIN),
        "GET /v3/projects/<project_id>": ("identity:get_project", _DEPENDS),
        "POST /v3/projects": ("identity:create_project", _ADMIN),
        "PATCH /v3/projects/<project_id>": ("identity:update_project", _ADMIN),
        "DELETE /v3/projects/<project_id>": ("identity:delete_project", _ADMIN),
        f"GET {_GRANTS}": ("identity:list_grants", _ADMIN),
        f"GET {_GRANTS}/<role_id>": ("identity:check_grant", _ADMIN),
        f"PUT {_GRANTS}/<role_id>": ("identity:create_grant", _ADMIN),
        f"DELETE {_GRANTS}/<role_id>": ("identity:revoke_grant", _ADMIN),
        "GET /v3/roles": ("identity:list_roles", _ADMIN),
        "GET /v3/roles/<role_id>": ("identity:get_role", _ADMIN),
        "GET /v3/role_assignments": ("identity:list_role_assignments", _ADMIN),
        "GET /v3/domains": ("identity:list_domains", _ADMIN),
        "GET /v3/domains/<domain_id>": ("identity:get_domain", _DEPENDS),
        f"GET {_OWN}": ("identity:list_application_credentials", _DEPENDS),
        f"POST {_OWN}": (_OWN_NAME.format("create"), _DEPENDS),
        f"GET {_OWN}/<credential_id>": (_OWN_NAME.format("get"), _DEPENDS),
        f"DELETE {_OWN}/<credential_id>": (_OWN_NAME.format("delete"), _DEPENDS),
        "GET /v3/credentials": ("identity:list_credentials", _ANY),
        # Nobody makes credentials, so that there are none.
        "POST /v3/credentials": ("identity:create_credential", _DEPENDS),
        f"GET {_CREDENTIAL}": ("identity:get_credential", _DEPENDS),
        f"PATCH {_CREDENTIAL}": ("identity:update_credential", _DEPENDS),
        f"DELETE {_CREDENTIAL}": ("identity:delete_credential", _DEPENDS),
        f"GET {_EC2}": ("identity:ec2_list_credentials", _DEPENDS),
        f"POST {_EC2}": ("identity:ec2_create_credential", _DEPENDS),
        f"GET {_EC2}/<credential_id>": ("identity:ec2_get_credential", _DEPENDS),
        f"DELETE {_EC2}/<credential_id>": ("identity:ec2_delete_credential", _DEPENDS),
    },
    "volume": {
        "GET /v3/": (None, _ANY),
        "GET /v3": (None, _ANY),
        f"POST {_V}/volumes": ("volume:create", _MEMBER),
        f"GET {_V}/volumes": ("volume:get_all", _READER),
        f"GET {_V}/volumes/detail": ("volume:get_all", _READER),
        f"GET {_V}/volumes/summary": ("volume:get_all", _READER),
        f"GET {_VOLUME}": ("volume:get", _READER),
        f"PUT {_VOLUME}": ("volume:update", _MEMBER),
        f"DELETE {_VOLUME}": ("volume:delete", _MEMBER),
        f"POST {_VOLUME}/action": (None, _DEPENDS),
        **_labels(_VOLUME, "volume"),
        f"POST {_V}/snapshots": ("volume:create_snapshot", _MEMBER),
        f"GET {_V}/snapshots": ("volume:get_all_snapshots", _READER),
        f"GET {_V}/snapshots/detail": ("volume:get_all_snapshots", _READER),
        f"GET {_SNAPSHOT}": ("volume:get_snapshot", _READER),
        f"PUT {_SNAPSHOT}": ("volume:update_snapshot", _MEMBER),
        f"POST {_SNAPSHOT}/action": (None, _DEPENDS),
        f"DELETE {_SNAPSHOT}": ("volume:delete_snapshot", _MEMBER),
        **_labels(_SNAPSHOT, "snapshot"),
        # Cinder has no policy to read attachments; it lists the user's project's.
        f"GET {_V}/attachments": (None, _ANY),
        f"GET {_V}/attachments/detail": (None, _ANY),
        f"GET {_ATTACHMENT}": (None, _ANY),
        f"POST {_V}/attachments": ("volume:attachment_create", _MEMBER),
        f"PUT {_ATTACHMENT}": ("volume:attachment_update", _MEMBER),
        f"DELETE {_ATTACHMENT}": ("volume:attachment_delete", _MEMBER),
        f"POST {_ATTACHMENT}/action": ("volume:attachment_complete", _MEMBER),
        f"GET {_V}/types": (_TYPES + "get_all", _READER),
        f"POST {_V}/types": (_TYPES + "create", _ADMIN),
        f"GET {_TYPE}": (_TYPES + "get", _READER),
        f"PUT {_TYPE}": (_TYPES + "update", _ADMIN),
        f"DELETE {_TYPE}": (_TYPES + "delete", _ADMIN),
        f"GET {_TYPE}/os-volume-type-access": (_ACCESS + "get_all_for_type", _ADMIN),
        f"POST {_TYPE}/action": (None, _DEPENDS),
        f"GET {_TYPE}/extra_specs": (_SPECS + "index", _READER),
        f"POST {_TYPE}/extra_specs": (_SPECS + "create", _ADMIN),
        f"GET {_TYPE}/extra_specs/<key>": (_SPECS + "show", _READER),
        f"PUT {_TYPE}/extra_specs/<key>": (_SPECS + "update", _ADMIN),
        f"DELETE {_TYPE}/extra_specs/<key>": (_SPECS + "delete", _ADMIN),
        **{
            f"{method} {_V}/{name}{end}": (f"volume:{action}", who)
            for name in ("os-volume-transfer", "volume-transfers")
            for method, end, action, who in (
                ("GET", "", "get_all_transfers", _READER),
                ("GET", "/detail", "get_all_transfers", _READER),
                ("POST", "", "create_transfer", _MEMBER),
                ("GET", "/<transfer_id>", "get_transfer", _READER),
                ("DELETE", "/<transfer_id>", "delete_transfer", _MEMBER),
                ("POST", "/<transfer_id>/accept", "accept_transfer", _MEMBER),
            )
        },
        f"GET {_V}/os-availability-zone": (None, _ANY),
        # The only user of a service, who operates it, may see the room, too.
        f"GET {_V}/scheduler-stats/get_pools": (
            "scheduler_extension:scheduler_stats:get_pools",
            _ADMIN,
        ),
        f"GET {_V}/os-hosts": ("volume_extension:hosts", _ADMIN),
        f"GET {_V}/os-hosts/<host>": ("volume_extension:hosts", _ADMIN),
        # The refusal does not name the policy.
        f"PUT {_V}/os-hosts/<host>": ("volume_extension:hosts", _DEPENDS),
        f"GET {_V}/limits": (None, _ANY),
        f"GET {_QUOTA}": ("volume_extension:quotas:show", _DEPENDS),
        f"GET {_QUOTA}/defaults": ("volume_extension:quotas:show", _DEPENDS),
        f"PUT {_QUOTA}": ("volume_extension:quotas:update", _ADMIN),
        f"DELETE {_QUOTA}": ("volume_extension:quotas:delete", _ADMIN),
        f"GET {_V}/os-services": ("volume_extension:services:index", _ADMIN),
        **{
            f"PUT {_V}/os-services/{action}": ("volume_extension:services:update", _ADMIN)
            for action in ("enable", "disable", "disable-log-reason")
        },
        # The refusal does not name the policy.
        **{
            f"{method} {_V}/default-types{end}": (f"volume_extension:default_{action}", _DEPENDS)
            for method, end, action in (
                ("GET", "", "get_all"),
                ("GET", "/<of_project>", "get"),
                ("PUT", "/<of_project>", "set_or_update"),
                ("DELETE", "/<of_project>", "unset"),
            )
        },
        # Cinder has no policy to read its extensions and filters.
        f"GET {_V}/extensions": (None, _ANY),
        f"GET {_V}/extensions/<alias>": (None, _ANY),
        f"GET {_V}/resource_filters": (None, _ANY),
        f"GET {_V}/group_types": (None, _ANY),
        f"GET {_V}/group_types/<resource_id>": (None, _ANY),
        f"DELETE {_V}/group_types/<resource_id>": ("group:group_types:delete", _ADMIN),
        f"GET {_V}/clusters/<resource_id>": ("clusters:get", _ADMIN),
        f"POST {_V}/workers/cleanup": ("workers:cleanup", _ADMIN),
        **{
            f"GET {_V}/{path}{end}": (f"{kind}_extension:list_manageable", _ADMIN)
            for path, kind in (
                ("manageable_volumes", "volume"),
                ("manageable_snapshots", "snapshot"),
                ("os-volume-manage", "volume"),
                ("os-snapshot-manage", "snapshot"),
            )
            for end in ("", "/detail")
        },
        **{
            f"DELETE {_V}/{path}/<resource_id>": (None, _ANY)
            for path in ("group_snapshots", "cgsnapshots")
        },
        f"GET {_V}/messages": ("message:get_all", _READER),
        f"GET {_MESSAGE}": ("message:get", _READER),
        f"DELETE {_MESSAGE}": ("message:delete", _MEMBER),
        f"GET {_VOLUME}/encryption": ("volume_extension:volume_encryption_metadata", _READER),
        f"GET {_TYPE}/encryption": (_ENCRYPTION + "get", _ADMIN),
        f"POST {_TYPE}/encryption": (_ENCRYPTION + "create", _ADMIN),
        f"GET {_TYPE}/encryption/<key>": (_ENCRYPTION + "get", _ADMIN),
        f"PUT {_TYPE}/encryption/<key>": (_ENCRYPTION + "update", _ADMIN),
        f"DELETE {_TYPE}/encryption/<key>": (_ENCRYPTION + "delete", _ADMIN),
        f"GET {_V}/qos-specs": (_QOS + "get_all", _ADMIN),
        f"POST {_V}/qos-specs": (_QOS + "create", _ADMIN),
        f"GET {_V}/qos-specs/<qos_id>": (_QOS + "get", _ADMIN),
        f"PUT {_V}/qos-specs/<qos_id>": (_QOS + "update", _ADMIN),
        f"DELETE {_V}/qos-specs/<qos_id>": (_QOS + "delete", _ADMIN),
        f"PUT {_V}/qos-specs/<qos_id>/delete_keys": (_QOS + "delete", _ADMIN),
        f"GET {_V}/qos-specs/<qos_id>/associations": (_QOS + "get_all", _ADMIN),
        f"GET {_V}/qos-specs/<qos_id>/associate": (_QOS + "update", _ADMIN),
        f"GET {_V}/qos-specs/<qos_id>/disassociate": (_QOS + "update", _ADMIN),
        f"GET {_V}/qos-specs/<qos_id>/disassociate_all": (_QOS + "update", _ADMIN),
        f"GET {_V}/capabilities/<host>": ("volume_extension:capabilities", _ADMIN),
        **{
            f"GET {_V}/{path}{end}": (name, who)
            for path, ends, name, who in (
                ("groups", ("", "/detail"), "group:get_all", _READER),
                ("group_snapshots", ("", "/detail"), _GROUP_SNAPSHOTS, _READER),
                ("consistencygroups", ("", "/detail"), "group:get_all", _READER),
                ("cgsnapshots", ("", "/detail"), _GROUP_SNAPSHOTS, _READER),
                ("clusters", ("", "/detail"), "clusters:get_all", _ADMIN),
            )
            for end in ends
        },
        f"GET {_V}/backups": ("backup:get_all", _READER),
        f"GET {_V}/backups/detail": ("backup:get_all", _READER),
        f"POST {_V}/backups": ("backup:create", _MEMBER),
        f"GET {_BACKUP}": ("backup:get", _READER),
        f"PUT {_BACKUP}": ("backup:update", _MEMBER),
        f"DELETE {_BACKUP}": ("backup:delete", _MEMBER),
        f"POST {_BACKUP}/restore": ("backup:restore", _MEMBER),
        f"POST {_BACKUP}/action": (None, _DEPENDS),
        f"GET {_BACKUP}/export_record": ("backup:export-import", _ADMIN),
        f"POST {_V}/backups/import_record": ("backup:backup-import", _ADMIN),
        # There are none.
        **{
            f"GET {_V}/{path}/<resource_id>": (None, _ANY)
            for path in ("groups", "group_snapshots", "consistencygroups", "cgsnapshots")
        },
    },
    "compute": compute_policy.ROUTES,
    "image": {
        "GET /v2/images": ("get_images", _ANY),
        f"GET {_IMAGE}": ("get_image", _ANY),
        f"GET {_IMAGE}/file": ("download_image", _ANY),
        f"GET {_IMAGE}/members": ("get_members", _ANY),
        "GET /v2/schemas/image": (None, _ANY),
        "GET /v2/schemas/images": (None, _ANY),
        # Nobody may change the one image.
        "POST /v2/images": ("add_image", _DEPENDS),
        f"PUT {_IMAGE}/file": ("upload_image", _DEPENDS),
        f"PATCH {_IMAGE}": ("modify_image", _DEPENDS),
        f"DELETE {_IMAGE}": ("delete_image", _DEPENDS),
        f"PUT {_IMAGE}/tags/<tag>": ("modify_image", _DEPENDS),
        f"DELETE {_IMAGE}/tags/<tag>": ("modify_image", _DEPENDS),
        f"POST {_IMAGE}/members": ("add_member", _DEPENDS),
    },
}
_VOLUME_ACTIONS = "volume_extension:volume_actions:"
_IMAGE_METADATA = "volume_extension:volume_image_metadata:"
_BACKUP_ACTIONS = "volume_extension:backup_admin_actions:"
_ADMIN_ACTIONS = "volume_extension:volume_admin_actions:"
_SNAPSHOT_ACTIONS = "volume_extension:snapshot_admin_actions:"
_ACTIONS: dict[str, dict[str, tuple[Optional[str], Who]]] = {
    "volume": {
        "os-extend": ("volume:extend", _MEMBER),
        **{
            f"os-{name}": (_VOLUME_ACTIONS + name, _MEMBER)
            for name in (
                *("attach", "detach", "begin_detaching", "roll_detaching", "reserve", "unreserve"),
                *("initialize_connection", "terminate_connection"),
            )
        },
        "os-set_bootable": ("volume:update", _MEMBER),
        "os-update_readonly_flag": ("volume:update_readonly_flag", _MEMBER),
        "os-show_image_metadata": ("volume:get", _READER),
        "os-set_image_metadata": (_IMAGE_METADATA + "set", _MEMBER),
        "os-unset_image_metadata": (_IMAGE_METADATA + "remove", _MEMBER),
        "os-volume_upload_image": (_VOLUME_ACTIONS + "upload_image", _MEMBER),
        # Forbidden to everybody, once the request is right.
        "revert": ("volume:revert_to_snapshot", _MEMBER),
        "os-retype": ("volume:retype", _MEMBER),
        "os-reimage": ("volume:reimage", _MEMBER),
        "os-unmanage": ("volume_extension:volume_unmanage", _ADMIN),
        **{
            f"os-{name}": (_ADMIN_ACTIONS + name, _ADMIN)
            for name in (
                *("force_detach", "migrate_volume", "migrate_volume_completion"),
                "extend_volume_completion",
            )
        },
        "os-reset_status": (_ADMIN_ACTIONS + "reset_status", _ADMIN),
        "os-force_delete": (_ADMIN_ACTIONS + "force_delete", _ADMIN),
        "snapshot os-reset_status": (_SNAPSHOT_ACTIONS + "reset_status", _ADMIN),
        "snapshot os-force_delete": (_SNAPSHOT_ACTIONS + "force_delete", _ADMIN),
        "backup os-reset_status": (_BACKUP_ACTIONS + "reset_status", _ADMIN),
        "backup os-force_delete": (_BACKUP_ACTIONS + "force_delete", _ADMIN),
        "addProjectAccess": (_ACCESS + "addProjectAccess", _ADMIN),
        "removeProjectAccess": (_ACCESS + "removeProjectAccess", _ADMIN),
        # A parameter of the request to delete.
        "force": ("volume:force_delete", _ADMIN),
    },
    "compute": compute_policy.ACTIONS,
}
#: The rules by service and route, such as ``GET /v3/<project_id>/volumes``.
ROUTES: Mapping[tuple[str, str], Rule] = {
    (service, route): Rule(*row) for service, rows in _ROUTES.items() for route, row in rows.items()
}
#: The rules by service and action.
ACTIONS: Mapping[tuple[str, str], Rule] = {
    (service, name): Rule(*row) for service, rows in _ACTIONS.items() for name, row in rows.items()
}

__all__ = ["ACTIONS", "ROUTES", "Rule", "Who"]
