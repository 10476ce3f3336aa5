# -*- test-case-name: tests.clouds.ec2.test_attachments -*-
"""
The names of devices, which EC2 requires of every attachment.

The names mean nothing for instances with NVMe devices, but each may be in use only once on an
instance.  A name that is used again soon after a detach may leave the next volume attaching for
ever, so the names take turns.
"""

from __future__ import absolute_import, division, print_function

import re
from hashlib import sha256
from itertools import product

MYPY = False
if MYPY:
    from typing import Dict, Iterable, List, Text, Tuple  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401

#: The names in use, as aws-ebs-csi-driver has them: all that EC2 allows with two letters.
NAMES = tuple(
    u"/dev/xvd{}{}".format(first, second)
    for first, second in product(u"abcd", u"abcdefghijklmnopqrstuvwx")
)

# Names that differ only in this are the same device to EC2.
_PREFIX = re.compile(u"\\A(/dev/)?(sd|xvd|hd|vd)?")


def _letters(name):
    # type: (Text) -> Text
    return _PREFIX.sub(u"", name)


class DeviceNames(object):
    """
    The names of all instances' devices.

    :param reactor: provides ``IReactorTime``.
    """

    def __init__(self, reactor):
        # type: (IReactorTime) -> None
        self._seconds = reactor.seconds
        # By instance and name: the times of the last use, and of the last refusal.
        self._used = {}  # type: Dict[Tuple[Text, Text], float]
        self._refused = {}  # type: Dict[Tuple[Text, Text], float]

    def candidates(self, server_id, taken, volume_id):
        # type: (Text, Iterable[Text], Text) -> List[Text]
        """
        :param text server_id: the instance.
        :param taken: the names of its devices, as it describes them.
        :param text volume_id: the volume to attach, from which nodes that know nothing of each
            other derive different names.
        :return: list of texts, the best name first: never used ones, then those whose use is
            longest ago, and last those that EC2 refused.
        """
        in_use = {_letters(name) for name in taken}
        digest = int(sha256(volume_id.encode("utf-8")).hexdigest()[:8], 16)
        start = digest % len(NAMES)
        rotated = NAMES[start:] + NAMES[:start]

        def age(name):
            # type: (Text) -> Tuple[float, float]
            key = (server_id, name)
            return self._refused.get(key, 0.0), self._used.get(key, 0.0)

        return sorted((name for name in rotated if _letters(name) not in in_use), key=age)

    def used(self, server_id, name):
        # type: (Text, Text) -> None
        """Take note that an attachment was requested with a name, or that it ends."""
        self._used[server_id, name] = self._seconds() + 1.0

    def refused(self, server_id, name):
        # type: (Text, Text) -> None
        """Take note that EC2 holds a name in use that no device has, or never attaches with it."""
        self._refused[server_id, name] = self._seconds() + 1.0


__all__ = ["NAMES", "DeviceNames"]
