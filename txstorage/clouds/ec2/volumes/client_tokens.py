# -*- test-case-name: tests.clouds.ec2.test_creation -*-
"""
Client tokens: EC2 creates one volume for all requests with the same token.

A token is computed from the cluster, the dataset and a generation, so that a repetition after a
lost answer, a restarted process and another node all send the same one.  A token is burnt when
another request has it, or when its volume no longer exists; then the next generation counts.
"""

from __future__ import absolute_import, division, print_function

import json
from collections import OrderedDict
from hashlib import sha256
from uuid import uuid4

from ...._support.compat import as_text

MYPY = False
if MYPY:
    from typing import Mapping, Optional, Text, Tuple  # noqa: F401

    Owner = Optional[Tuple[Text, Text]]

_LABELS = (u"flocker-cluster-id", u"flocker-dataset-id")

# The number of datasets whose generations are remembered.  A forgotten one is counted up again, by
# one request each.
_REMEMBERED = 10000


def owner_of(labels):
    # type: (Mapping[Text, Text]) -> Owner
    """
    :param dict labels: a volume's, text to text.
    :return: the ids of the cluster and the dataset (texts), or ``None`` when the volume is not a
        dataset's.
    """
    cluster, dataset = [labels.get(name) for name in _LABELS]
    return (cluster, dataset) if cluster and dataset else None


def client_token(owner, generation):
    # type: (Owner, int) -> Text
    """
    :param owner: from :func:`owner_of`.
    :param int generation: from 0.
    :return: text, at most 64 characters; a new one each time for ``None``.
    """
    if owner is None:
        return as_text(uuid4())
    named = json.dumps([owner[0], owner[1], generation]).encode("ascii")
    return as_text(sha256(named).hexdigest())


class Generations(object):
    """The present generation of each dataset's token."""

    def __init__(self):
        # type: () -> None
        self._burnt = OrderedDict()  # type: OrderedDict[Tuple[Text, Text], int]

    def of(self, owner):
        # type: (Owner) -> int
        """:return: ``int``: the generation of an owner's next token."""
        return 0 if owner is None else self._burnt.get(owner, 0)

    def burn(self, owner, generation):
        # type: (Owner, int) -> None
        """
        Take note that a token is burnt.

        :param owner: from :func:`owner_of`.
        :param int generation: the token's.
        """
        if owner is not None:
            self._burnt[owner] = max(self._burnt.pop(owner, 0), generation + 1)
            while len(self._burnt) > _REMEMBERED:
                self._burnt.popitem(last=False)


__all__ = ["Generations", "client_token", "owner_of"]
