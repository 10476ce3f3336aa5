# -*- test-case-name: tests.clouds.openstack.cinder -*-
"""The common parts of Cinder's and Nova's APIs: ids in paths, lists in pages."""

from __future__ import absolute_import, division, print_function

import re

from ..._support.compat import parse_qsl, quote, text_type
from ..._support.json_values import MAX_ID, Malformed, objects_in, same_id, text_member
from ...errors import NotTheService, RequestRefused, ResourceNotFound

MYPY = False
if MYPY:
    from typing import (  # noqa: F401
        Any,
        Callable,
        Iterable,
        Iterator,
        List,
        Optional,
        Text,
        Tuple,
        TypeVar,
    )

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..._http.messages import Response  # noqa: F401
    from ..._support.slices import Slices  # noqa: F401

    T = TypeVar("T")

_CONTROL = re.compile(u"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# The number of times that a list is begun after its place was lost.
_BEGINNINGS = 5

#: The maximum number of a list's pages, and of the entries on all of them.  Cinder's and Nova's
#: pages have 1,000 entries unless the service is configured otherwise.
MAX_PAGES = 1000
MAX_ITEMS = 100000

# The number of entries that are read in one step.
_STEP = 16

# The maximum number of characters of a page's query.
_MAX_QUERY = 4096

# Path segments that are not ids: ``/volumes/detail`` is a list.  Proxies resolve the dots.
_NO_IDS = frozenset([u".", u"..", u"detail", u"summary"])


def path_segment(identifier):
    # type: (Any) -> Optional[Text]
    """
    :param text identifier: of a volume or a server.
    :return: the id as one segment of a path, percent-encoded; ``None`` when it can't be a segment,
        or would name something else: proxies resolve ``%2F``, too.
    """
    if not isinstance(identifier, text_type) or not 0 < len(identifier) <= MAX_ID:
        return None
    if u"/" in identifier or identifier in _NO_IDS or _CONTROL.search(identifier):
        return None
    return quote(identifier)


def label_segment(label):
    # type: (Any) -> Optional[Text]
    """
    :param text label: a label's key.
    :return: the key as one segment of a path, percent-encoded; ``None`` when it can't be one.
        Cinder's router takes ``.json``, and that of older releases ``.xml``, for the format of the
        response, and the rest for the key.
    """
    if label in _NO_IDS:
        return None if label.startswith(u".") else quote(label)
    segment = path_segment(label)
    return None if segment is None or segment.endswith((u".json", u".xml")) else segment


def is_missing(error):
    # type: (Any) -> bool
    """
    Check whether the service itself reports that an object does not exist.

    A 404 from a router or a proxy means nothing for a volume: believed, it would make a volume
    count as destroyed.

    :param error: an exception.
    """
    return isinstance(error, ResourceNotFound) and error.kind is not None


def understood(response, read, *arguments):
    # type: (Response, Callable[..., T], *Any) -> T
    """
    Read a part of a response.

    :param response: a :class:`~txstorage._http.client.Response`.
    :param read: called with the arguments; raises :class:`Malformed`.
    :return: the result of ``read``.
    :raises NotTheService: the part is malformed.
    """
    try:
        return read(*arguments)
    except Malformed as error:
        raise NotTheService(response.method, response.url, error.problem)


def check_id(thing, expected, found):
    # type: (Text, Text, Text) -> None
    """
    Check that a response concerns the object of the request: a confused proxy may deliver the
    response to another request.

    :param text thing: the kind of object, e.g. ``u"volume"``.
    :raises Malformed: it concerns another object.
    """
    if not same_id(expected, found):
        raise Malformed(
            u"the answer is about {thing} {}, not about {thing} {}".format(
                found, expected, thing=thing
            )
        )


def _next_params(document, links):
    # type: (Any, Text) -> Any
    """
    Return the query of the next page, or ``None``.

    Only the query is used: behind a proxy the link's host is often wrong, and the token must go
    nowhere but to the endpoint.

    :raises Malformed: the link can't be followed.
    """
    for link in objects_in(document.get(links)):
        if link.get(u"rel") == u"next":
            href = text_member(link, u"href").partition(u"#")[0]
            query = href.partition(u"?")[2]
            if len(query) > _MAX_QUERY or _CONTROL.search(query):
                raise Malformed(u"the link to the list's next page is malformed")
            return parse_qsl(query)
    return None


def read_each(slices, items, read):
    # type: (Slices, List[Any], Callable[[Any], T]) -> Deferred[List[T]]
    """
    Read the entries of a list, which may be long, without blocking the reactor.

    :param slices: a :class:`~txstorage._support.slices.Slices`.
    :param list items: the entries.
    :param read: called with each entry; returns the value to collect.
    :return: a ``Deferred`` that fires with a list of the values, and fails as ``read`` does.
    """
    values = []  # type: List[T]

    def steps():
        # type: () -> Iterator[None]
        for begin in range(0, len(items), _STEP):
            values.extend(read(item) for item in items[begin : begin + _STEP])
            yield

    return slices.run(steps()).addCallback(lambda _: values)


class PagedList(object):
    """
    A list that is being read, page by page.

    A page begins behind the last entry of the one before.  When that entry has been deleted
    meanwhile, the service refuses: Cinder with 404, Nova with 400.  Then the list is read again, a
    bounded number of times, since the refusal may have another reason.

    :ivar int left: the number of times that it may still be begun.
    """

    def __init__(self, slices, fetch, params, key, read, links):
        # type: (Slices, Callable[[Any], Deferred[Response]], Iterable[Tuple[Text, Text]], Text, Callable[[Response, Any], Any], Optional[Text]) -> None
        self._slices = slices
        self._fetch = fetch
        self._params = list(params)
        self._key = key
        self._read = read
        self._links = links or key + u"_links"
        self._requests = 0
        self.left = _BEGINNINGS

    def begin(self):
        # type: () -> Deferred[Any]
        self.left -= 1
        self._items = []  # type: List[Any]
        self._asked = []  # type: List[Any]
        return self._turn(self._params)

    def _turn(self, params):
        # type: (Any) -> Deferred[Any]
        self._requests += 1
        self._asked.append(sorted(params))
        return self._fetch(params).addCallbacks(self._arrived, self._refused)

    def _refused(self, failure):
        # type: (Failure) -> Any
        if len(self._asked) > 1 and self.left and failure.check(RequestRefused, ResourceNotFound):
            return self.begin()
        return failure

    def _arrived(self, response):
        # type: (Response) -> Deferred[Any]
        items = response.field(self._key, list)
        values = read_each(self._slices, items, lambda item: self._read(response, item))
        return values.addCallback(self._follow, response)

    def _follow(self, values, response):
        # type: (List[Any], Response) -> Any
        self._items.extend(values)
        following = understood(response, _next_params, response.body, self._links)
        if following is None:
            return self._items, self._requests
        endless = None
        if sorted(following) in self._asked:
            endless = u"a page names an earlier one as the next"
        elif len(self._asked) >= MAX_PAGES:
            endless = u"it has more than {} pages".format(MAX_PAGES)
        elif len(self._items) > MAX_ITEMS:
            endless = u"it has more than {} entries".format(MAX_ITEMS)
        if endless is not None:
            raise NotTheService(
                response.method, response.url, u"the list never ends: {}".format(endless)
            )
        return self._turn(following)


def all_pages(slices, fetch, params, key, read, links=None):
    # type: (Slices, Callable[[Any], Deferred[Response]], Iterable[Tuple[Text, Text]], Text, Callable[[Response, Any], Any], Optional[Text]) -> Deferred[Any]
    """
    Read all pages of a list.

    :param slices: the :class:`~txstorage._support.slices.Slices` in which pages are read.
    :param fetch: called with the query, a list of pairs; returns a ``Deferred`` that fires with a
        :class:`~txstorage._http.client.Response`.
    :param params: the first page's query.
    :param text key: the list's name in the response.
    :param read: called with the response and each item; returns the value to collect.
    :param text links: the name of the list's links; ``None`` for the list's name with ``_links``.
    :return: a ``Deferred`` that fires with ``(items, requests)``, where requests is their number;
        fails with :class:`~txstorage.errors.NotTheService` when a page names an earlier page as the
        next, and when there are more than :data:`MAX_PAGES` or :data:`MAX_ITEMS`.
    """
    return PagedList(slices, fetch, params, key, read, links).begin()


__all__ = [
    "MAX_ITEMS",
    "MAX_PAGES",
    "all_pages",
    "check_id",
    "is_missing",
    "path_segment",
    "read_each",
    "understood",
]
