# -*- test-case-name: tests.contract.test_embedded -*-
"""
The errors about users, projects, application credentials, volume types and quotas, with the
messages of the real services (Keystone 27, Cinder 29): the second part of
:mod:`txstorage.embedded.wire.refusals`.
"""

from __future__ import annotations

from .refusal import cinder, keystone

_INCORRECT = (
    " The server could not comply with the request since it is either malformed or otherwise "
    "incorrect. The client is assumed to be in error."
)
# -- Identity ------------------------------------------------------------------

FORBIDDEN_BY_IDENTITY = keystone(403, "You are not authorized to perform the requested action.")
NO_USER = keystone(404, "Could not find user: {}.")
NO_PROJECT = keystone(404, "Could not find project: {}.")
NO_ROLE = keystone(404, "Could not find role: {}.")
NO_DOMAIN = keystone(404, "Could not find domain: {}.")
NO_CREDENTIAL = keystone(404, "Could not find credential: {}.")
NO_GRANT = keystone(
    404,
    "Could not find role assignment with role: {}, user or group: {}, project, domain, or system: "
    "{}.",
)
PROJECT_EXISTS = keystone(
    409,
    "Conflict occurred attempting to store project - it is not permitted to have two projects with "
    "either the same name or same id in the same domain: name is {}, project id {}.",
)
NO_SUCH_DOMAIN = keystone(400, "Could not find domain: {}.")
NO_SUCH_PARENT = keystone(400, "Could not find project: {}.")
#: As in a cloud that allows no projects within others.
TOO_DEEP = keystone(403, "Max hierarchy depth reached for {} branch.")
OTHER_ID = keystone(400, "Cannot change ID")
OTHER_DOMAIN = keystone(400, "Cannot change Domain ID")
OTHER_PARENT = keystone(403, "Update of `parent_id` is not allowed.")
OTHER_KIND = keystone(400, "Update of `is_domain` is not allowed.")
BAD_PROPERTY = keystone(400, "Invalid input for field/attribute {}. Value: {}. {}")
UNDEFINED_ROLE = keystone(404, "Role {} is not defined")
UNASSIGNED_ROLE = keystone(
    400,
    "Invalid application credential: Cannot create an application credential with unassigned role",
)
MISSING_CREDENTIAL_NAME = keystone(
    400,
    "Invalid input for field/attribute application_credential. Value: {}. 'name' is a required "
    "property",
)
BAD_EXPIRY = keystone(400, "Timestamp not in expected format." + _INCORRECT)
EXPIRY_IS_PAST = keystone(400, "The 'expires_at' must not be before now." + _INCORRECT)
DUPLICATE_CREDENTIAL = keystone(
    409,
    "Conflict occurred attempting to store application_credential - Duplicate entry found with "
    "name {}.",
)
RESTRICTED_CREDENTIAL = keystone(
    403,
    "You are not authorized to perform the requested action: Using method "
    "'application_credential' is not allowed for managing additional application credentials..",
)

# -- administrators' actions -------------------------------------------------------

BAD_SNAPSHOT_STATUS = cinder(
    400,
    "Snapshot status: {} is invalid, valid statuses are: {}.",
)

# -- volume types and quotas -----------------------------------------------------

SPEC_KEY = cinder(
    400,
    "Invalid input for field/attribute {}. Value: {}. {} match any of the "
    "regexes: '^[a-zA-Z0-9-_:.]{{1,255}}$'",
)
TOO_MANY_MEMBERS = cinder(400, "{!r} has too many properties")
TYPE_EXISTS = cinder(409, "Volume Type {} already exists.")
TYPE_NAME_IS_BLANK = cinder(
    400, "An invalid 'name' value was provided. The 'name' can not be empty."
)
NEW_TYPE_NAME_IS_BLANK = cinder(400, "Volume type name can not be empty.")
NO_TYPE_CHANGE = cinder(
    400, "Specify volume type name, description, is_public or a combination thereof."
)
TYPE_IN_USE = cinder(400, "Target volume type is still in use.")
DEFAULT_TYPE_STAYS = cinder(
    400, "The volume type {} is a default volume type and cannot be deleted."
)
NO_SPEC = cinder(404, "Volume Type {} has no extra specs with key {}.")
PUBLIC_TYPE_ACCESS = cinder(404, "Access list not available for public volume types.")
TYPE_ACCESS_EXISTS = cinder(409, "Volume type access for {} / {} combination already exists.")
NO_TYPE_ACCESS = cinder(404, "Volume type access not found for {} / {} combination.")
PUBLIC_TYPE = cinder(
    400, "Invalid volume type: Type access modification is not applicable to public volume type."
)
QUOTA_TOO_SMALL = cinder(400, "{} must be >= -1")
QUOTA_TOO_GREAT = cinder(400, "{} must be <= 2147483647")
QUOTA_IS_NO_NUMBER = cinder(400, "{} must be an integer")
QUOTA_BELOW_USE = cinder(
    400,
    "Quota {} limit must be equal or greater than existing resources. Current usage is {} and the "
    "requested limit is {}.",
)
BAD_PUBLICITY = cinder(400, "Invalid is_public filter [{}]")
UNKNOWN_QUOTA = cinder(400, "Invalid input received: Bad key(s) in quota set: {}")
