# -*- test-case-name: tests.clouds.openstack.test_versions -*-
"""
The versions of a service's API: negotiated, never assumed.

The driver works with plain 3.0 of Block Storage and 2.1 of Compute, which need no negotiation.  A
service's version document is fetched only when the catalog names no version, or when a request can
use a microversion.  A document is kept for an hour.  Any other response is not kept, because it may
have come from a proxy or a load balancer.  See "API versions" in the reference of either API.
"""

from __future__ import absolute_import, division, print_function

import re

import attr
from twisted.internet.defer import succeed

from ..._support.compat import quote, text_type, urlsplit
from ..._support.deferreds import SharedCalls
from ..._support.json_values import member, objects_in, text_member
from ...errors import (
    EndpointMissing,
    MicroversionMissing,
    NotTheService,
    PermissionDenied,
    RequestRefused,
    ResourceNotFound,
    VersionsUnknown,
)

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..._http.messages import Response  # noqa: F401
    from .tokens import Token  # noqa: F401

# The last version counts: a gateway before the service may have versions of its own.
_UP_TO_VERSION = re.compile(u"^.*/(v[0-9]+)(\\.[0-9]+)?(?=/|$)")
_SEGMENT = re.compile(u"v[0-9]+(\\.[0-9]+)?\\Z")
_NUMBER = re.compile(u"v?([0-9]{1,4})\\.([0-9]{1,6})\\Z")

# The errors of a service without a version document.  Other errors may be transient, and are the
# caller's to handle.
_NO_DOCUMENT = (NotTheService, PermissionDenied, RequestRefused, ResourceNotFound)

# Seconds that a version document is kept: a service may be upgraded while the driver runs.
_LIFETIME = 3600.0

# The maximum number of versions that an error lists.
_LISTED = 20

# The maximum number of versions, and of a version's links, that are read; real ones have fewer
# than ten.
_READ = 100


@attr.s(frozen=True)
class API(object):
    """
    One of the APIs that the driver speaks.

    :ivar text name: its name in ``OpenStack-API-Version``.
    :ivar text title: its name for people.
    :ivar text version: as in URLs.
    :ivar tuple project_optional: the first microversion whose URLs need no project id.
    :ivar text service: the official type of its service.
    """

    name = attr.ib()  # type: Text
    title = attr.ib()  # type: Text
    version = attr.ib()  # type: Text
    project_optional = attr.ib()  # type: Tuple[int, int]
    service = attr.ib()  # type: Text

    @property
    def major(self):
        # type: () -> Text
        """The part of the version that must not differ (text)."""
        return self.version.split(u".")[0]


#: The APIs, by the version in URLs.
APIS = {
    api.version: api
    for api in (
        API(u"volume", u"Block Storage", u"v3", (3, 67), u"block-storage"),
        API(u"compute", u"Compute", u"v2.1", (2, 18), u"compute"),
    )
}


@attr.s(frozen=True)
class ServiceVersions(object):
    """
    The base URL and the microversions of a service's API.

    :ivar text url: the base of paths, without a slash at its end.
    :ivar minimum: ``(major, minor)``; ``None`` when there are no microversions.
    :ivar maximum: likewise.
    :ivar unknown_because: the reason why the service's version document is unknown (text), so that
        these are the plain API's versions; ``None`` for the versions of a document.
    """

    url = attr.ib()  # type: Text
    minimum = attr.ib(default=None)  # type: Optional[Tuple[int, int]]
    maximum = attr.ib(default=None)  # type: Optional[Tuple[int, int]]
    unknown_because = attr.ib(default=None)  # type: Optional[Text]

    def has(self, microversion):
        # type: (Text) -> bool
        """
        :param text microversion: e.g. ``u"3.5"``.
        """
        wanted = as_numbers(microversion)
        if self.minimum is None or self.maximum is None or wanted is None:
            return False
        return self.minimum <= wanted <= self.maximum


def as_numbers(version):
    # type: (Any) -> Optional[Tuple[int, int]]
    """
    :param version: e.g. ``u"3.71"`` or ``u"v3.0"``.
    :return: e.g. ``(3, 71)``, or ``None`` for anything else.
    """
    match = _NUMBER.match(version) if isinstance(version, text_type) else None
    return None if match is None else (int(match.group(1)), int(match.group(2)))


def major_version(url):
    # type: (Text) -> Optional[Text]
    """
    :param text url: an endpoint's.
    :return: text: the last version in the URL's path without its minor part, e.g. ``u"v3"``; or
        ``None``.
    """
    match = _UP_TO_VERSION.match(urlsplit(url)[2])
    return None if match is None else match.group(1)


def version_base(api, url):
    # type: (API, Text) -> Optional[Text]
    """
    :param API api: the API.
    :param text url: an endpoint's.
    :return: the URL up to and including the API's version, without a slash at its end; ``None``
        when the last version in the URL is not one of the API's.
    """
    parts = urlsplit(url)
    match = _UP_TO_VERSION.match(parts[2])
    if match is None or match.group(1) != api.major:
        return None
    return u"{}://{}{}".format(parts[0], parts[1], match.group(0))


def _described(document):
    # type: (Any) -> List[Dict[Text, Any]]
    """The versions of a document, as the root and each version's own page give them."""
    versions = member(document, u"versions")
    described = objects_in([member(document, u"version")] if versions is None else versions)
    return described[:_READ]


def _segment(version):
    # type: (Mapping[Text, Any]) -> Text
    """
    Return a version's segment of the path, e.g. ``v3``.

    The rest of the link is not used: behind a proxy its host and the path before the version are
    often wrong, and the token must go nowhere but to the endpoint.
    """
    for link in objects_in(version.get(u"links"))[:_READ]:
        if link.get(u"rel") == u"self":
            path = text_member(link, u"href").partition(u"?")[0].rstrip(u"/")
            segment = path.rpartition(u"/")[2]
            if _SEGMENT.match(segment):
                return segment
    named = text_member(version, u"id")
    return named if _SEGMENT.match(named) else u""


def read_versions(document, api, url):
    # type: (Any, API, Text) -> Optional[ServiceVersions]
    """
    :param document: a version document.
    :param API api: the API.
    :param text url: the document's URL; ends with the version, or is the base to add a version to.
    :return: the :class:`ServiceVersions`, or ``None`` when it is not a version document.
    :raises EndpointMissing: it lists only other versions.
    """
    versions = _described(document)
    fitting = [
        (as_numbers(each.get(u"version")) or (0, 0), _segment(each), each)
        for each in versions
        if _segment(each).split(u".")[0] == api.major
    ]
    if not fitting:
        others = [_segment(each) for each in versions if _segment(each)]
        if not others:
            return None
        raise EndpointMissing(
            u"{} at {} has {}, but {} is required".format(
                api.title, url, u", ".join(others[:_LISTED]), api.version
            )
        )
    maximum, segment, version = max(fitting, key=lambda each: each[:2])
    minimum = as_numbers(version.get(u"min_version"))
    base = version_base(api, url) or u"{}/{}".format(url.rstrip(u"/"), segment)
    return ServiceVersions(base, minimum, maximum) if minimum is not None else ServiceVersions(base)


def negotiate(api, found, microversions):
    # type: (API, ServiceVersions, Sequence[Text]) -> Text
    """
    :param API api: the API.
    :param ServiceVersions found: the service's versions.
    :param microversions: texts, the best first, e.g. ``(u"3.44", u"3.27")``.
    :return: ``OpenStack-API-Version`` (text) for the first that the service has.
    :raises MicroversionMissing: it has none of them.
    :raises VersionsUnknown: it has no version document, perhaps only at the moment.
    """
    for microversion in microversions:
        if found.has(microversion):
            return u"{} {}".format(api.name, microversion)
    if found.unknown_because is not None:
        raise VersionsUnknown(u"GET", found.url, found.unknown_because)
    raise MicroversionMissing(api.title, found.url, microversions[-1], found.maximum)


class VersionDiscovery(object):
    """
    The services' version documents, by endpoint.

    :param reactor: provides ``IReactorTime``.
    :param get: called with an :class:`API`, a URL and a :class:`Token` for a ``Deferred`` that
        fires with a :class:`~txstorage._http.client.Response`.
    """

    def __init__(self, reactor, get):
        # type: (IReactorTime, Callable[[API, Text, Token], Deferred[Response]]) -> None
        self._reactor = reactor
        self._get = get
        # With the time at which each was found.
        self._found = {}  # type: Dict[Text, Tuple[float, ServiceVersions]]
        self._calls = SharedCalls()

    def find(self, api, url, token):
        # type: (API, Text, Token) -> Deferred[ServiceVersions]
        """
        :param API api: the API.
        :param text url: the endpoint's.
        :param Token token: for services that show the document only to users.
        :return: a ``Deferred`` that fires with :class:`ServiceVersions`; without a document, the
            plain API at its usual URL.
        """
        at, found = self._found.get(url, (0.0, None))
        if found is not None and self._reactor.seconds() < at + _LIFETIME:
            return succeed(found)
        return self._calls.join(url, lambda: self._ask(api, url, token))

    def clear(self):
        # type: () -> None
        """Forget all documents: a service was up- or downgraded."""
        self._found.clear()

    def _ask(self, api, url, token):
        # type: (API, Text, Token) -> Deferred[ServiceVersions]
        def read(response):
            # type: (Response) -> ServiceVersions
            found = read_versions(response.body, api, where)
            if found is None:
                return otherwise(u"the answer is not a version document")
            self._found[url] = self._reactor.seconds(), found
            return found

        def missing(failure):
            # type: (Failure) -> ServiceVersions
            failure.trap(*_NO_DOCUMENT)
            error = failure.value  # type: Any
            return otherwise(error.message)

        def otherwise(reason):
            # type: (Text) -> ServiceVersions
            if url in self._found:
                # The last document is more credible than a sudden lack of one.
                return self._found[url][1]
            return ServiceVersions(
                base or u"{}/{}".format(where, api.version), unknown_because=reason
            )

        base = version_base(api, url)
        where = base or url.rstrip(u"/")
        return self._get(api, where + u"/", token).addCallbacks(read, missing)


def with_project(api, found, project_id):
    # type: (API, ServiceVersions, Text) -> Text
    """
    Return the base URL of requests, with the project's id where a service still needs it.

    :param API api: the API.
    :param ServiceVersions found: of an endpoint whose URL has no version.
    :param text project_id: empty for none.
    :return: the base URL (text).
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
    "major_version",
    "negotiate",
    "read_versions",
    "version_base",
    "with_project",
]
