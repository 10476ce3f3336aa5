# -*- test-case-name: tests.contract.test_embedded -*-
"""
The errors around servers that clients make, and around a project's use of Compute, in the words of
Nova 34: another part of :mod:`txstorage.embedded.wire.refusals`.
"""

from __future__ import annotations

from ..refusal import nova
from ..refusals import NOT_RESERVABLE

# -- requests for servers ------------------------------------------------------------

BAD_LENGTH = nova(400, "Invalid input for field/attribute {}. Value: {}. {!r} is too {}")
BAD_CHOICE = nova(400, "Invalid input for field/attribute {}. Value: {}. {!r} is not one of {}")
BAD_METADATA_KEY = nova(
    400,
    "Invalid input for field/attribute metadata. Value: {}. {!r} does not match any of the "
    "regexes: '^[a-zA-Z0-9-_:. ]{{1,255}}$'",
)
TOO_FEW_SERVERS = nova(
    400, "Invalid input for field/attribute {}. Value: {}. {} is less than the minimum of 1"
)
BAD_COUNTS = nova(400, "min_count must be <= max_count")
OVER_SERVERS = nova(403, "Quota exceeded for {}: Requested {}, but already used {} of {} {}")
NO_MAPPING = nova(404, "No volume Block Device Mapping with id {}.")
NOT_MUTABLE = nova(400, "The {} property is not mutable")
NOT_MIGRATING = nova(409, "volume {} is not migrating; this API should only be called by Cinder")
OVER_VOLUME_QUOTA = nova(403, "Volume resource quota exceeded")
BAD_PUBLIC_FLAVORS = nova(400, "Invalid is_public filter [{}]")
BAD_FLAVOR = nova(400, "Flavor {} could not be found.")
MISSING_IMAGE = nova(400, "Missing imageRef attribute")
NO_REQUESTED_IMAGE = nova(400, "Can not find requested image")
NO_KEY_MARKER = nova(400, "Marker {} could not be found.")
BAD_KEY_NAME = nova(400, "Invalid key_name provided.")
NO_NETWORK = nova(400, "Network {} could not be found.")
NO_PORT = nova(400, "Port id {} could not be found.")
NO_SECURITY_GROUP = nova(400, "Unable to find security_group with name or id {!r}")
NO_ZONE_FOR_SERVERS = nova(400, "The requested availability zone is not available")

# -- the volumes of a new server -----------------------------------------------------

BAD_DEVICE_MAPPING = nova(400, "Block Device Mapping is Invalid: {}")
IMAGE_WITHOUT_SIZE = nova(
    400, "Images with destination_type 'volume' need to have a non-zero size specified"
)
BLANK_WITHOUT_SIZE = nova(
    400, "Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size"
)
NO_EPHEMERAL_DISK = nova(
    400,
    "Ephemeral disks requested are larger than the instance type allows. If no size is given in "
    "one block device mapping, flavor ephemeral size will be used.",
)
BAD_BOOT_SEQUENCE = nova(
    400,
    "Block Device Mapping is Invalid: Boot sequence for the instance and image/block device "
    "mapping combination is not valid.",
)
NO_MAPPED_VOLUME = nova(400, "Block Device Mapping is Invalid: failed to get volume {}.")
NO_VOLUME_TO_ATTACH = nova(400, "Volume {} could not be found.")
NO_MAPPED_SNAPSHOT = nova(400, "Snapshot {} could not be found.")
NO_MAPPED_IMAGE = nova(400, "Block Device Mapping is Invalid: failed to get image {}.")
NOT_BOOTABLE = nova(400, "Block Device {} is not bootable.")
NOT_RESERVABLE_FOR_SERVER = nova(400, "Invalid volume: " + NOT_RESERVABLE.template)
SHARED_VOLUMES = nova(400, "Cannot attach one or more volumes to multiple instances")

# -- servers -------------------------------------------------------------------------

#: No real service has it: its servers are all made by clients.
NODE_STAYS = nova(
    409,
    "Instance {} is a node of this service, declared with --node: it stands for a host, and can "
    "neither be deleted nor renamed. Servers that clients make can.",
)
SERVER_BUSY = nova(409, "Cannot '{}' instance {} while it is in task_state {}")
NO_ITEM = nova(404, "Metadata item was not found")
ITEM_MISMATCH = nova(400, "Request body and URI mismatch")
TOO_MANY_ITEMS = nova(403, "Maximum number of metadata items exceeds {}")
NO_TAG = nova(404, "Server {} has no tag '{}'")
NO_TAG_TO_DELETE = nova(404, "Instance {} has no tag '{}'")
BAD_NEW_TAG = nova(
    400,
    "Tag '{}' is invalid. It must be a non empty string without characters '/' and ','. Validation "
    "error message: {!r} is too {}",
)
BAD_TAG = nova(
    400, "Invalid input for field/attribute {}. Value: {}. {!r} does not match '^[^,/]*$'"
)
TOO_MANY_TAGS = nova(400, "The number of tags exceeded the per-server limit {}")
NO_ADDRESSES = nova(404, "Instance is not a member of specified network")
NO_ACTION = nova(404, "Action {} not found")

# -- groups of servers -----------------------------------------------------------------

NO_GROUP_OF_SERVERS = nova(404, "Instance group {} could not be found.")
RULES_OF_OTHERS = nova(400, "Only anti-affinity policy supports rules.")
TOO_MANY_GROUPS = nova(403, "Quota exceeded, too many server groups.")
BAD_GROUP_NAME = nova(
    400,
    "An invalid 'name' value was provided. The name must be: printable characters. Can not start "
    "or end with whitespace.",
)
EMPTY_FIELD = nova(400, "Invalid input for field/attribute {}. Value: {}. {!r} should be non-empty")

# -- hosts, for administrators -----------------------------------------------------------

NO_UUID = nova(400, "Invalid uuid {}")
NO_COMPUTE_PROCESS = nova(404, "Service {} could not be found.")
KEEPS_STATUS = nova(
    400, "Updating a {} service is not supported. Only nova-compute services can be updated."
)
NO_CHANGE_OF_PROCESS = nova(
    400, "No updates were requested. Fields 'status' or 'forced_down' should be specified."
)
NEEDLESS_REASON = nova(400, "Specifying 'disabled_reason' with status 'enabled' is invalid.")
NO_HYPERVISOR = nova(404, "Hypervisor with ID '{}' could not be found.")
NO_HYPERVISOR_LIKE = nova(404, "No hypervisor matching '{}' could be found.")

# -- a project's use of Compute --------------------------------------------------------

NO_VALID_PROJECT = nova(400, "Project ID {} is not a valid project.")
BELOW_USE = nova(
    400,
    "Quota limit {} for {} must be greater than or equal to already used and reserved {}.",
)
NO_QUOTA = nova(
    400, "Invalid input for field/attribute {}. Value: {}. {!r} does not match '^-?[0-9]+$'"
)
BELOW_MINIMUM = nova(
    400, "Invalid input for field/attribute {}. Value: {}. {} is less than the minimum of -1"
)
ABOVE_MAXIMUM = nova(
    400, "Invalid input for field/attribute {}. Value: {}. {} is greater than the maximum of {}"
)
NO_KEY_PAIR = nova(404, "Keypair {} not found for user {}")
#: A path that only other microversions have.
NOT_IN_VERSION = nova(404, "The resource could not be found.")
