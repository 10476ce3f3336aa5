# -*- test-case-name: tests.errors.test_errors -*-
"""
Errors that only Amazon's clouds have.
"""

from __future__ import absolute_import, division, print_function

from .base import StorageError
from .services import ServiceError
from .volumes import VolumeError

MYPY = False
if MYPY:
    from typing import Optional, Text  # noqa: F401


class CredentialsUnavailable(StorageError):
    """
    No source has usable access keys.

    :ivar text problem: the reason.
    :param remedy: text: the remedy of the cause; ``None`` for the class's.
    """

    remedy = (
        u"set 'access_key_id' and 'secret_access_key', or the variables AWS_ACCESS_KEY_ID and "
        u"AWS_SECRET_ACCESS_KEY, or attach an IAM role to the instance"
    )

    def __init__(self, problem, remedy=None):
        # type: (Text, Optional[Text]) -> None
        self.problem = problem
        StorageError.__init__(self, u"Can't get credentials for Amazon EC2: {}".format(problem))
        if remedy is not None:
            self.remedy = remedy


class ModifiedRecently(ServiceError):
    """The volume was modified so recently that EC2 does not modify it again."""

    certainly_unprocessed = True
    remedy = (
        u"wait until the volume's last modification is complete and six hours have passed since it "
        u"began; 'aws ec2 describe-volumes-modifications' shows it"
    )


class AttachmentLimitReached(VolumeError):
    """
    The instance has as many attachments as its type allows, or no device name is left.

    :ivar text server_id: the instance id.
    """

    remedy = (
        u"detach a volume that the instance no longer needs, or use an instance type that allows "
        u"more attachments; network interfaces and instance store volumes count, too"
    )

    def __init__(self, volume_id, server_id, problem):
        # type: (Text, Text, Text) -> None
        self.server_id = server_id
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't attach volume {} to instance {}: {}".format(volume_id, server_id, problem),
        )


__all__ = ["AttachmentLimitReached", "CredentialsUnavailable", "ModifiedRecently"]
