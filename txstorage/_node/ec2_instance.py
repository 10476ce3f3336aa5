# -*- test-case-name: tests._node.test_ec2_instance -*-
"""
This node's instance id on EC2, from the metadata service of the instance.
"""

from __future__ import absolute_import, division, print_function

from .._support.compat import as_text
from .._support.notations.ec2_ids import is_ec2_id
from .search import NothingHere, SearchedIdentity

MYPY = False
if MYPY:
    from typing import Any, List, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from ..clouds.ec2.credentials import InstanceMetadata  # noqa: F401
    from ..clouds.interface import IVolumeService  # noqa: F401
    from .search import Source  # noqa: F401

PATH = u"/latest/meta-data/instance-id"


class EC2Identity(SearchedIdentity):
    """
    Finds this node's instance id on EC2.

    :param service: provides ``IVolumeService``.
    :param metadata: an :class:`~txstorage.clouds.ec2.credentials.InstanceMetadata`.
    :param configured: text; ``None`` to look for the id.
    """

    form = u"an instance id of EC2"

    def __init__(self, service, metadata, configured=None):
        # type: (IVolumeService, InstanceMetadata, Optional[Text]) -> None
        SearchedIdentity.__init__(self, service, configured)
        self._metadata = metadata

    def canonical(self, text):
        # type: (Text) -> Optional[Text]
        """See :class:`~txstorage._node.search.SearchedIdentity`."""
        found = text.strip()
        return found if is_ec2_id(u"i", found) else None

    def sources(self):
        # type: () -> List[Source]
        """See :class:`~txstorage._node.search.SearchedIdentity`."""
        return [(u"metadata service", self._from_metadata)]

    def _from_metadata(self):
        # type: () -> Deferred[List[Text]]
        d = self._metadata.get(PATH)  # type: Deferred[Any]
        return d.addCallback(_ids_in)


def _ids_in(response):
    # type: (Any) -> List[Text]
    if response is None:
        raise NothingHere(u"it has no instance-id")
    return [as_text(response.body)]


__all__ = ["PATH", "EC2Identity"]
