# -*- test-case-name: tests.contract.test_embedded -*-
"""
The errors of Block Storage's actions, transfers, backups, groups and QoS, with the messages of
Cinder 29: the third part of :mod:`txstorage.embedded.wire.refusals`.
"""

from __future__ import annotations

from .refusal import cinder, over_quota

# -- actions on volumes -----------------------------------------------------------

NOT_TO_BE_DETACHED = cinder(
    400,
    "Invalid volume: Unable to detach volume. Volume status must be 'in-use' and attach_status "
    "must be 'attached' to detach.",
)
NOT_TO_BE_DETACHED_NOW = cinder(
    400, "Invalid volume: The volume cannot be detached in maintenance mode."
)
OTHER_ATTACHMENT = cinder(400, "Invalid input received: Mismatched volume and attachment")
NOT_TO_BE_ATTACHED = cinder(
    400, "Invalid volume: The volume cannot be attached in maintenance mode."
)
BAD_ATTACH_MODE = cinder(400, "Invalid attaching mode '{}' for volume {}.")
#: Cinder adds the traceback of another of its processes.
ATTACHED_ALREADY = cinder(
    400,
    "Invalid volume: volume is already attached and multiple attachments are not enabled{}",
)
KEEPS_READONLY = cinder(
    400,
    "Invalid volume: Volume {} status must be available to update readonly flag, but current "
    "status is: {}.",
)
NO_IMAGE_METADATA = cinder(404, "Glance metadata for volume/snapshot {} cannot be found.")
NO_SNAPSHOTS = cinder(400, "Volume {} doesn't have any snapshots.")
NOT_THE_LATEST = cinder(400, "Specified snapshot {} is None or not the latest one of volume {}.")
OTHER_SIZE = cinder(
    400,
    "Can't revert volume {} to its latest snapshot {}. The volume size must be equal to the "
    "snapshot size.",
)
HOST_OR_CLUSTER = cinder(400, "Invalid input received: {}")
NO_HOST_NAMED = cinder(400, "Invalid host: No available service named '{}'")
NOT_TO_BE_MIGRATED = cinder(
    400,
    "Invalid volume: Volume {} status must be available or in-use, must not be migrating, have "
    "snapshots, be replicated, be part of a group and destination host/cluster must be different "
    "than the current one",
)
NOT_BEING_EXTENDED = cinder(400, "Invalid volume: Volume is not being extended.")
NO_EXTEND_METADATA = cinder(
    400, "Invalid volume: Required volume admin metadata is malformed or missing."
)
NOT_TO_BE_UPLOADED = cinder(400, "Invalid volume: Volume {} status must be available")
#: Cinder's client of the image service has no text for its error.
NO_IMAGE_SERVICE = cinder(400, "")
NO_CONNECTION = cinder(500, "Unable to fetch connection information from backend.")

BAD_ATTACH_STATUS = cinder(400, "Volume attach status: {} is invalid, valid statuses are: {}.")
BAD_MIGRATION_STATUS = cinder(
    400, "Volume migration status: {} is invalid, valid statuses are: {}."
)
NO_SNAPSHOT_MEANWHILE = cinder(
    400, "Invalid volume: Snapshot cannot be created while volume is migrating."
)

# -- transfers --------------------------------------------------------------------

NO_TRANSFER = cinder(404, "Transfer {} could not be found.")
NOT_TO_BE_OFFERED = cinder(400, "Invalid volume: status must be available")
SNAPSHOT_NOT_TO_BE_OFFERED = cinder(400, "Invalid snapshot: snapshot: {} status must be available")
BAD_KEY = cinder(400, "Invalid auth key: Attempt to transfer {} with invalid auth key.")
NOT_TO_BE_ACCEPTED = cinder(
    400, "Invalid volume: The volume cannot accept transfer in maintenance mode."
)
NOT_OFFERED = cinder(
    400, "Invalid volume: Transfer {}: Volume id {} expected in awaiting-transfer state."
)
SNAPSHOT_NOT_AVAILABLE = cinder(
    400, "Invalid snapshot: Transfer {}: Snapshot {} is not in the expected available state."
)
#: Also when a backup is restored to a new volume.
OVER_GIGABYTES_THEN = over_quota(
    "Requested volume or snapshot exceeds allowed {} quota. Requested {}G, quota is {}G and {}G "
    "has been consumed."
)

# -- QoS specs and encryption of volume types ---------------------------------------

QOS_EXISTS = cinder(409, "QoS Specs {} already exists.")
QOS_WITHOUT_NAME = cinder(400, "An invalid 'name' value was provided. The 'name' can not be None.")
QOS_NAME_TOO_LONG = cinder(
    400,
    "An invalid 'name' value was provided. The 'name' can not be greater than 255 characters.",
)
#: Cinder shows its field's own representation.
BAD_CONSUMER = cinder(
    400,
    "Invalid qos specs: Valid consumer of QoS specs are: QoSConsumerValues(default=<class "
    "'oslo_versionedobjects.fields.UnspecifiedDefault'>,nullable=False,valid_values=('back-end', "
    "'front-end', 'both'))",
)
QOS_KEY_IS_EMPTY = cinder(400, 'Invalid input received: Key "" has 0 characters, less than 1.')
QOS_VALUE_IS_NO_TEXT = cinder(
    400, 'Invalid input received: Value for key "{}" is not a string or unicode'
)
NOT_UNIQUE = cinder(
    400, "Invalid input for field/attribute {}. Value: {}. {} has non-unique elements"
)
NO_QOS = cinder(404, "No such QoS spec {}.")
NO_QOS_KEY = cinder(404, "QoS spec {} has no spec with key {}.")
QOS_IN_USE = cinder(400, "Qos specs still in use.")
NO_TYPE_GIVEN = cinder(400, "Volume Type id must not be None.")
OTHER_QOS = cinder(
    400, "Invalid volume type: Type {} is already associated with another qos specs: {}"
)
ENCRYPTION_EXISTS = cinder(400, "Volume type encryption for type {} already exists.")
NO_ENCRYPTION = cinder(404, "Volume type encryption for type {} does not exist.")
ENCRYPTION_IN_USE = cinder(400, "Cannot {} encryption specs. Volume type in use.")
KEY_SIZE_IS_NO_NUMBER = cinder(400, "Invalid input received: key_size must be an integer.")
NO_CIPHER = cinder(400, "Invalid encryption spec")
NO_KEYS = cinder(400, "Key manager error")

# -- features that there are none of ------------------------------------------------

UNKNOWN_CLUSTER_FILTER = cinder(400, "Invalid input received: Invalid filter keys: {}")
NO_GROUP_TYPE = cinder(404, "Group type {} could not be found.")
NO_DEFAULT_GROUP_TYPE = cinder(404, "Default group type can not be found.")
NO_CLUSTER = cinder(404, "Cluster {} could not be found.")
NO_GROUP_SNAPSHOT = cinder(404, "GroupSnapshot {} could not be found.")
NO_SERVICE = cinder(404, "Can't find service: {}")

# -- administration -----------------------------------------------------------------

NO_PROCESS = cinder(404, "Service {} could not be found on host {}.")
BAD_HOST = cinder(
    400,
    "Invalid input for field/attribute {}. Value: {}. {!r} does not match "
    "'^[a-zA-Z0-9-._#@:/+\\\\[\\\\]]*$'",
)
NO_ADMINISTRATOR = cinder(403, "User does not have admin privileges")
NO_HOST_OF_NAME = cinder(404, "Host {} could not be found.")
BAD_SETTING = cinder(400, "Invalid update setting: {!r}")
BLANK_REASON = cinder(
    400,
    "Invalid input for field/attribute disabled_reason. Value: {}. {!r} is not a 'disabled_reason'",
)
NOT_AUTHORIZED_HERE = cinder(403, "You are not authorized to perform this operation.")
NO_PROJECT_THERE = cinder(404, "Project with id {} not found.")
NO_DEFAULT_TYPE = cinder(404, "Default type for project {} not found.")
NO_TYPE_TO_CHOOSE = cinder(400, "Volume type {} could not be found.")
NO_TYPE_OF_NAME = cinder(400, "Volume type with name {} could not be found.")
NO_ALTERNATIVE = cinder(400, "{!r} is not valid under any of the given schemas")

# -- backups ----------------------------------------------------------------------

OTHER_VOLUMES_SNAPSHOT = cinder(
    400, "Invalid volume: Volume {} does not match with snapshot.volume_id {}."
)
NO_BACKUP_OF_SNAPSHOT = cinder(
    400,
    'Invalid snapshot: Snapshot to be backed up must be available, but the current status is "{}".',
)
NO_BACKUP_NOW = cinder(
    400,
    "Invalid volume: Volume to be backed up must be available or in-use, but the current status is "
    '"{}".',
)
NO_BACKUP_IN_USE = cinder(
    400, "Invalid volume: Backing up an in-use volume must use the force flag."
)
NO_PARENT = cinder(400, "Invalid backup: No backups available to do an incremental backup.")
BACKUP_NOT_DELETABLE = cinder(400, "Invalid backup: Backup status must be available or error")
HAS_DEPENDENTS = cinder(400, "Invalid backup: Incremental backups exist for this backup.")
BACKUP_NOT_RESTORABLE = cinder(400, "Invalid backup: Backup status must be available")
NOT_TO_BE_RESTORED_TO = cinder(400, "Invalid volume: Volume to be restored to must be available")
TOO_SMALL_FOR_BACKUP = cinder(
    400, "Invalid volume: volume size {} is too small to restore backup of size {}."
)
BAD_BACKUP_STATUS = cinder(400, "Backup status: {} is invalid, valid statuses are: {}.")
BACKUP_NOT_READY = cinder(
    400, "Invalid backup: Originating backup status must be one of 'available' values"
)
SMALLER_THAN_BACKUP = cinder(
    400,
    "Invalid input received: Volume size {}GB cannot be smaller than the backup size {}GB. It must "
    "be >= backup size.",
)
OVER_BACKUPS = over_quota("BackupLimitExceeded: Maximum number of backups allowed ({}) exceeded")
OVER_BACKUP_GIGABYTES = over_quota(
    "VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes "
    "quota. Requested {}G, quota is {}G and {}G has been consumed."
)
OVER_VOLUMES_THEN = over_quota("Maximum number of volumes allowed ({}) exceeded for quota '{}'.")
