# -*- test-case-name: tests.embedded.ec2.test_signatures -*-
"""The actions of the Security Token Service that clients of EC2 need."""

from __future__ import annotations

from collections.abc import Mapping

from ..call import Action, Content, EC2Call
from ..protocol import errors
from ..protocol.credentials import ACCOUNT, ROLE
from ..protocol.documents import ec2_time

#: The one user.
USER = f"arn:aws:iam::{ACCOUNT}:user/{ROLE}"
_SHORTEST, _LONGEST, _USUAL = 900, 43200, 3600


def caller_identity(call: EC2Call) -> Content:
    """Show the one user."""
    return {
        "Arn": USER,
        "UserId": "AIDATXSTORAGE0000000",
        "Account": ACCOUNT,
    }


def assume_role(call: EC2Call) -> Content:
    """
    Give temporary credentials for a web identity.

    No identity provider exists here, so that the user's secret access key stands for its token.
    """
    parameters = call.parameters
    arn, session = parameters.required("RoleArn"), parameters.required("RoleSessionName")
    token = parameters.required("WebIdentityToken")
    seconds = parameters.number("DurationSeconds") or _USUAL
    if not _SHORTEST <= seconds <= _LONGEST:
        raise errors.BAD_VALUE(
            seconds, "durationSeconds", f"It must be from {_SHORTEST} to {_LONGEST}."
        )
    if not call.context.keys.is_secret(token):
        raise errors.BAD_WEB_IDENTITY()
    made = call.context.keys.temporary(call.context.now() + seconds)
    return {
        "Credentials": {
            "AccessKeyId": made.access_key_id,
            "SecretAccessKey": made.secret_access_key,
            "SessionToken": made.session_token,
            "Expiration": ec2_time(made.expires_at),
        },
        "SubjectFromWebIdentityToken": ROLE,
        "AssumedRoleUser": {
            "AssumedRoleId": "AROATXSTORAGE0000000:" + session,
            "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{arn.rpartition('/')[2]}/{session}",
        },
        "Provider": ROLE,
        "Audience": ROLE,
    }


ACTIONS: Mapping[str, Action] = {
    "GetCallerIdentity": caller_identity,
    "AssumeRoleWithWebIdentity": assume_role,
}
#: The actions whose requests have no signature.
UNSIGNED = frozenset(["AssumeRoleWithWebIdentity"])
