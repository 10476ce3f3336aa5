# -*- test-case-name: tests.clouds.openstack.test_cinder -*-
"""
What Cinder and Nova have in common: ids in paths, lists in pages.
"""

from __future__ import absolute_import, division, print_function

import re

from ..._support.compat import as_text, parse_qsl, quote, text_type, urlsplit
from ...errors import NotTheService, RequestRefused, ResourceNotFound

_UUID = re.compile(u"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$", re.I)
_CONTROL = re.compile(u"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST = 255

# How often a list is begun whose place in it was lost.
_BEGINNINGS = 5

# What OpenStack has beside the ids: ``/volumes/detail`` is no volume.  The dots
# are resolved by proxies.
_NO_IDS = frozenset([u".", u"..", u"detail", u"summary"])


def is_uuid(text):
    """
    :return: whether text has the form of the ids that OpenStack gives.
    """
    return _UUID.match(text) is not None


def path_segment(identifier):
    """
    :param text identifier: of a volume or a server.
    :return: the id as one segment of a path, percent-encoded; ``None`` when
        it can't be one, or would name something else: proxies resolve
        ``%2F``, too.
    """
    if not isinstance(identifier, text_type) or not 0 < len(identifier) <= _LONGEST:
        return None
    if u"/" in identifier or identifier in _NO_IDS or _CONTROL.search(identifier):
        return None
    return quote(identifier)


def is_missing(error):
    """
    Whether the service says that a thing is not there.

    A 404 of a router or of a proxy says nothing about a volume: taken for the
    service's word, it would make a volume count as destroyed.

    :param error: an exception.
    """
    return isinstance(error, ResourceNotFound) and error.kind is not None


def text_or_empty(value):
    """
    :param value: of decoded JSON.
    :return: text; empty for ``null``.
    """
    return u"" if value is None else as_text(value)


def _next_params(document, links):
    """
    The query of the next page, or ``None``.

    Only the query is taken: behind a proxy the link's host is often wrong,
    and the token must go nowhere but to the endpoint.
    """
    links = document.get(links)
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get(u"rel") == u"next":
            return parse_qsl(urlsplit(text_or_empty(link.get(u"href")))[3])
    return None


class PagedList(object):
    """
    A list while it is read, page by page.

    A page begins behind the last entry of the one before.  When that entry is
    gone by then, the service refuses: Cinder with 404, Nova with 400.  So the
    list is read again, but not for ever: there may be another reason.

    :ivar int left: how often it may still be begun.
    """

    def __init__(self, fetch, params, key, read, links):
        self._fetch = fetch
        self._params = list(params)
        self._key = key
        self._read = read
        self._links = links or key + u"_links"
        self._requests = 0
        self.left = _BEGINNINGS

    def begin(self):
        self.left -= 1
        self._items, self._asked = [], []
        return self._turn(self._params)

    def _turn(self, params):
        self._requests += 1
        self._asked.append(sorted(params))
        return self._fetch(params).addCallbacks(self._arrived, self._refused)

    def _refused(self, failure):
        if len(self._asked) > 1 and self.left and failure.check(RequestRefused, ResourceNotFound):
            return self.begin()
        return failure

    def _arrived(self, response):
        items = response.field(self._key, list)
        self._items.extend(self._read(response, item) for item in items)
        following = _next_params(response.body, self._links)
        if following is None:
            return self._items, self._requests
        if sorted(following) in self._asked:
            raise NotTheService(
                response.method,
                response.url,
                u"the list goes in a circle: a page names an earlier one as the next",
            )
        return self._turn(following)


def all_pages(fetch, params, key, read=lambda response, item: item, links=None):
    """
    Follow a list through its pages.

    :param fetch: called with the query, a list of pairs; returns a
        ``Deferred`` that fires with a :class:`~txstorage._http.client.Response`.
    :param params: the first page's query.
    :param text key: the list's name in the answer.
    :param read: called with the response and each item, for what to return.
    :param text links: the name of the list's links; ``None`` for the list's
        with ``_links``.
    :return: a ``Deferred`` that fires with ``(items, requests)``, where
        requests is how many it took; fails with
        :class:`~txstorage.errors.NotTheService` when the pages go in a circle.
    """
    return PagedList(fetch, params, key, read, links).begin()


__all__ = ["all_pages", "is_missing", "is_uuid", "path_segment", "text_or_empty"]
