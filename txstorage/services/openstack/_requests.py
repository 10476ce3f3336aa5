# -*- test-case-name: tests.test_cinder -*-
"""
What Cinder and Nova have in common: ids in paths, lists in pages.
"""

from __future__ import absolute_import, division, print_function

import re

from ..._compat import as_text, parse_qsl, quote, text_type, urlsplit
from ...errors import NotTheService, ResourceNotFound

_UUID = re.compile(u"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$", re.I)
_CONTROL = re.compile(u"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST = 255

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


def all_pages(fetch, params, key, read=lambda response, item: item, links=None):
    """
    Follow a list through its pages.

    :param fetch: called with the query, a list of pairs; returns a
        ``Deferred`` that fires with a :class:`~txstorage.http.Response`.
    :param params: the first page's query.
    :param text key: the list's name in the answer.
    :param read: called with the response and each item, for what to return.
    :param text links: the name of the list's links; ``None`` for the list's
        with ``_links``.
    :return: a ``Deferred`` that fires with ``(items, requests)``, where
        requests is how many it took; fails with
        :class:`~txstorage.errors.NotTheService` when the pages go in a circle.
    """
    items, asked = [], []

    def turn(following):
        asked.append(sorted(following))
        return fetch(following).addCallback(arrived)

    def arrived(response):
        items.extend(read(response, item) for item in response.field(key, list))
        following = _next_params(response.body, links or key + u"_links")
        if following is None:
            return items, len(asked)
        if sorted(following) in asked:
            raise NotTheService(
                response.method,
                response.url,
                u"the list goes in a circle: a page names an earlier one as the next",
            )
        return turn(following)

    return turn(list(params))


__all__ = ["all_pages", "is_missing", "is_uuid", "path_segment", "text_or_empty"]
