# -*- test-case-name: tests.driver.test_create -*-
"""
Profiles of volumes, and the volume types that they map to.
"""

from __future__ import absolute_import, division, print_function

from ..._log import PROFILE_NOT_MAPPED
from ...errors import UnknownProfile
from ...interfaces import MandatoryProfiles

MYPY = False
if MYPY:
    from typing import Mapping, Optional, Text  # noqa: F401
    from uuid import UUID  # noqa: F401


def volume_type_of(profile, profiles, dataset_id):
    # type: (Optional[Text], Mapping[Text, Text], UUID) -> Optional[Text]
    """
    Return a profile's volume type.

    A mandatory profile (gold, silver, bronze) without a configured type gets the cloud's default
    type, which the log reports.

    :param profile: text, or ``None`` for no profile.
    :param dict profiles: the configured profiles: name to volume type.
    :param UUID dataset_id: the dataset, for the log.
    :return: text, or ``None`` for the cloud's default.
    :raises UnknownProfile: neither mandatory nor configured.
    """
    if profile is None:
        return None
    if profile in profiles:
        return profiles[profile]
    if profile not in {constant.value for constant in MandatoryProfiles.iterconstants()}:
        raise UnknownProfile(
            u"Profile {!s} is not configured; configured are: {}".format(
                profile, u", ".join(sorted(profiles)) or u"none"
            )
        )
    PROFILE_NOT_MAPPED(dataset_id=dataset_id, profile=profile).write()
    return None


__all__ = ["volume_type_of"]
