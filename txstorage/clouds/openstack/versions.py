# -*- test-case-name: tests.clouds.openstack.test_versions -*-
"""
Which versions of its API a service has: negotiated, never assumed.

The driver works with plain 3.0 of Block Storage and 2.1 of Compute, for which
nobody has to be asked.  A service's version document is fetched only when the
catalog names no version, or when a request can use a microversion: once for
each endpoint.  See "API versions" in the reference of either API.
"""

from __future__ import absolute_import, division, print_function

import re

import attr
from twisted.internet.defer import succeed

from ..._support.compat import quote, text_type, urlsplit
from ..._support.deferreds import SharedCall
from ..._support.eliot_context import resume_context
from ...errors import (
    EndpointMissing,
    MicroversionMissing,
    NotTheService,
    PermissionDenied,
    RequestRefused,
    ResourceNotFound,
)

_UP_TO_VERSION = re.compile(u"^.*/v[0-9]+(\\.[0-9]+)?(?=/|$)")
_SEGMENT = re.compile(u"v[0-9]+(\\.[0-9]+)?$")
_NUMBER = re.compile(u"v?([0-9]{1,4})\\.([0-9]{1,6})$")

# What says that there is no version document.  Whatever else goes wrong may
# pass, and is the caller's to deal with.
_NO_DOCUMENT = (NotTheService, PermissionDenied, RequestRefused, ResourceNotFound)


@attr.s(frozen=True)
class API(object):
    """
    One of the APIs that the driver speaks.

    :ivar text name: its name in ``OpenStack-API-Version``.
    :ivar text title: its name for people.
    :ivar text version: as in URLs.
    :ivar tuple project_optional: the microversion from which on URLs do
        without the project's id.
    """

    name = attr.ib()
    title = attr.ib()
    version = attr.ib()
    project_optional = attr.ib()

    @property
    def major(self):
        """The part of the version that must not differ (text)."""
        return self.version.split(u".")[0]


#: By the version in URLs.
APIS = {
    api.version: api
    for api in (
        API(u"volume", u"Block Storage", u"v3", (3, 67)),
        API(u"compute", u"Compute", u"v2.1", (2, 18)),
    )
}


@attr.s(frozen=True)
class ServiceVersions(object):
    """
    Where an API is, and which microversions it has.

    :ivar text url: what paths are added to; no slash at its end.
    :ivar minimum: ``(major, minor)``; ``None`` when there are none.
    :ivar maximum: likewise.
    """

    url = attr.ib()
    minimum = attr.ib(default=None)
    maximum = attr.ib(default=None)

    def has(self, microversion):
        """
        :param text microversion: e.g. ``u"3.5"``.
        """
        if self.maximum is None:
            return False
        return self.minimum <= as_numbers(microversion) <= self.maximum


def as_numbers(version):
    """
    :param version: e.g. ``u"3.71"`` or ``u"v3.0"``; anything else is none.
    :return: e.g. ``(3, 71)``, or ``None``.
    """
    match = _NUMBER.match(version) if isinstance(version, text_type) else None
    return None if match is None else (int(match.group(1)), int(match.group(2)))


def version_base(url):
    """
    :param text url: an endpoint's.
    :return: the URL up to and with its version, no slash at its end; ``None``
        when it has no version.
    """
    parts = urlsplit(url)
    match = _UP_TO_VERSION.match(parts[2])
    return None if match is None else u"{}://{}{}".format(parts[0], parts[1], match.group(0))


def _described(document):
    """The versions of a document, as the root and each version's own page give them."""
    if not isinstance(document, dict):
        return []
    versions = document.get(u"versions", [document.get(u"version")])
    return [each for each in versions if isinstance(each, dict)] if isinstance(
        versions, list
    ) else []


def _segment(version):
    """
    A version's segment of the path, e.g. ``v3``.

    Nothing else of the link is taken: behind a proxy its host and what comes
    before the version are often wrong, and the token must go nowhere but to
    the endpoint.
    """
    for link in version.get(u"links") or ():
        if isinstance(link, dict) and link.get(u"rel") == u"self":
            path = urlsplit(u"{}".format(link.get(u"href")))[2].rstrip(u"/")
            segment = path.rpartition(u"/")[2]
            if _SEGMENT.match(segment):
                return segment
    return u"{}".format(version.get(u"id"))


def read_versions(document, api, url):
    """
    :param document: a version document.
    :param API api: which one is looked for.
    :param text url: where it was got from; ends with the version, or is what
        a version is to be added to.
    :return: the :class:`ServiceVersions` one, or ``None`` when it is no such document.
    :raises EndpointMissing: when it names only other versions.
    """
    versions = _described(document)
    fitting = [
        (as_numbers(each.get(u"version")) or (0, 0), _segment(each), each)
        for each in versions
        if _segment(each).split(u".")[0] == api.major
    ]
    if not fitting:
        if not versions:
            return None
        raise EndpointMissing(
            u"{} at {} has {}, and {} is needed".format(
                api.title, url, u", ".join(map(_segment, versions)), api.version
            )
        )
    maximum, segment, version = max(fitting, key=lambda each: each[:2])
    minimum = as_numbers(version.get(u"min_version"))
    base = version_base(url) or u"{}/{}".format(url.rstrip(u"/"), segment)
    return ServiceVersions(base, minimum, maximum) if minimum is not None else ServiceVersions(base)


def negotiate(api, found, microversions):
    """
    :param API api: which one.
    :param ServiceVersions found: what the service has.
    :param microversions: texts, the best first, e.g. ``(u"3.44", u"3.27")``.
    :return: ``OpenStack-API-Version`` (text) for the first that it has.
    :raises MicroversionMissing: when it has none of them.
    """
    for microversion in microversions:
        if found.has(microversion):
            return u"{} {}".format(api.name, microversion)
    raise MicroversionMissing(api.title, found.url, microversions[-1], found.maximum)


class VersionDiscovery(object):
    """
    What the services' version documents say, once for each endpoint.

    :param get: called with a URL and a :class:`Token` for a ``Deferred`` that
        fires with a :class:`~txstorage._http.client.Response`.
    """

    def __init__(self, get):
        self._get = get
        self._found = {}
        self._calls = {}

    def find(self, api, url, token):
        """
        :param API api: which one.
        :param text url: the endpoint's.
        :param Token token: for services that show the document to nobody else.
        :return: a ``Deferred`` that fires with :class:`ServiceVersions`; without a
            document that is the plain API in the usual place.
        """
        if url in self._found:
            return succeed(self._found[url])
        if url not in self._calls:
            self._calls[url] = SharedCall(
                lambda: self._ask(api, url, token).addBoth(self._asked, url)
            )
        return resume_context(self._calls[url].join())

    def clear(self):
        """
        Forget everything: a service was up- or downgraded.
        """
        self._found.clear()

    def _ask(self, api, url, token):
        def read(response):
            return read_versions(response.body, api, where) or plain

        def missing(failure):
            failure.trap(*_NO_DOCUMENT)
            return plain

        def keep(found):
            self._found[url] = found
            return found

        base = version_base(url)
        where = base or url.rstrip(u"/")
        plain = ServiceVersions(base or u"{}/{}".format(where, api.version))
        asked = self._get(where + u"/", token).addCallbacks(read, missing)
        return asked.addCallback(keep)

    def _asked(self, result, url):
        del self._calls[url]
        return result


def with_project(api, found, project_id):
    """
    Services had the project's id in their URLs before they could do without.

    :param API api: which one.
    :param ServiceVersions found: of an endpoint that the catalog has no version for.
    :param text project_id: empty for none.
    :return: where requests go (text).
    """
    if not project_id or (found.maximum or (0, 0)) >= api.project_optional:
        return found.url
    return u"{}/{}".format(found.url, quote(project_id))


__all__ = [
    "API",
    "APIS",
    "VersionDiscovery",
    "ServiceVersions",
    "as_numbers",
    "negotiate",
    "read_versions",
    "version_base",
    "with_project",
]
