# -*- test-case-name: tests._node.test_search -*-
"""
The search for this node's instance id, from source to source.

Volumes are attached to that id, so no source is trusted alone: an id counts only when it has the
form of the cloud's ids, and the cloud knows it.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError, maybeDeferred, succeed

from .._log import INSTANCE_ID_SOURCE
from .._support.compat import as_text
from .._support.deferreds import SharedCall
from .._support.eliot_context import in_current_context
from ..errors import UnidentifiedNode, UnknownServer

MYPY = False
if MYPY:
    from typing import Any, Callable, List, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..clouds.interface import IVolumeService  # noqa: F401

    Source = Tuple[Text, Callable[[], Any]]


class NothingHere(Exception):
    """A source has no instance id; the text gives the reason."""


class SearchedIdentity(object):
    """
    Base of the searches for this node's instance id.

    :param service: provides ``IVolumeService``.
    :param configured: text; ``None`` to look for the id.

    :ivar text source: the source of the id; ``None`` until it is found.
    :cvar text form: the form of the cloud's ids, for messages: ``a UUID``.
    """

    source = None  # type: Optional[Text]
    form = u""

    def __init__(self, service, configured):
        # type: (IVolumeService, Optional[Text]) -> None
        self._service = service
        self._configured = configured
        self._found = None  # type: Optional[Text]
        self._search = SharedCall(self._look)

    def __str__(self):
        # type: () -> str
        return "this node"

    def canonical(self, text):
        # type: (Text) -> Optional[Text]
        """
        :param text text: a source's.
        :return: the id in its usual form, text; ``None`` when it is not an id of this cloud.
        """
        raise NotImplementedError()

    def sources(self):
        # type: () -> List[Source]
        """
        :return: a list of pairs of a name and a function that returns a list of texts or a
            ``Deferred`` of one, or fails; in order.
        """
        raise NotImplementedError()

    def instance_id(self):
        # type: () -> Deferred[Text]
        """
        Find the id once; callers share a search, and only success is kept.

        :return: a ``Deferred`` that fires with text; fails with ``UnknownInstanceID``, which lists
            the attempts, or as ``IVolumeService.get_server`` does when the cloud fails.
        """
        return succeed(self._found) if self._found else self._search.join()

    def _look(self):
        # type: () -> Deferred[Text]
        sources = self.sources()
        if self._configured is not None:
            configured = self._configured
            sources = [(u"configuration", lambda: [configured])]
        return _Search(self, self._service, sources).run().addCallback(self._keep)

    def _keep(self, source_and_id):
        # type: (Tuple[Text, Text]) -> Text
        self.source, self._found = source_and_id
        return source_and_id[1]


class _Search(object):
    """
    One search, from source to source until one has a known id.

    :param node: the :class:`SearchedIdentity`.
    :param service: provides ``IVolumeService``.
    :param list sources: see :meth:`SearchedIdentity.sources`.
    """

    def __init__(self, node, service, sources):
        # type: (SearchedIdentity, IVolumeService, List[Source]) -> None
        self._node = node
        self._service = service
        self._sources = iter(sources)
        self._attempts = []  # type: List[Tuple[Text, Text]]
        self._log = in_current_context(_log)

    def run(self):
        # type: () -> Deferred[Tuple[Text, Text]]
        """:return: a ``Deferred`` that fires with the source's name and the instance id."""
        try:
            name, source = next(self._sources)
        except StopIteration:
            raise UnidentifiedNode(self._node, self._attempts)
        d = maybeDeferred(source)
        d.addCallbacks(
            lambda candidates: self._first_known(name, candidates),
            lambda failure: self._source_failed(name, failure),
        )
        return d.addCallback(lambda found: self.run() if found is None else found)

    def _source_failed(self, name, failure):
        # type: (Text, Failure) -> Optional[Failure]
        if failure.check(CancelledError):
            return failure
        kind = getattr(failure.type, "__name__", failure.type)
        self._note(name, as_text(failure.value) or as_text(kind))
        return None

    def _first_known(self, name, candidates):
        # type: (Text, List[Text]) -> Any
        if not candidates:
            return None
        candidate = self._node.canonical(candidates[0])
        if candidate is None:
            self._note(name, u"{} is not {}".format(candidates[0], self._node.form))
            return self._first_known(name, candidates[1:])
        d = self._service.get_server(candidate)
        d.addCallbacks(
            lambda _: self._accept(name, candidate),
            lambda failure: self._not_known(name, candidate, failure),
        )
        return d.addCallback(
            lambda found: self._first_known(name, candidates[1:]) if found is None else found
        )

    def _accept(self, name, candidate):
        # type: (Text, Text) -> Tuple[Text, Text]
        self._note(name, candidate)
        return name, candidate

    def _not_known(self, name, candidate, failure):
        # type: (Text, Text, Failure) -> None
        failure.trap(UnknownServer)
        self._note(name, u"the cloud has no instance {}".format(candidate))

    def _note(self, name, outcome):
        # type: (Text, Text) -> None
        self._attempts.append((name, outcome))
        self._log(name, outcome)


def _log(source, outcome):
    # type: (Text, Text) -> None
    INSTANCE_ID_SOURCE(source=source, outcome=outcome).write()


__all__ = ["NothingHere", "SearchedIdentity"]
