# -*- test-case-name: tests.clouds.ec2.test_sources -*-
"""
The places where access keys are looked for, in order.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import maybeDeferred

from ....errors import CredentialsUnavailable
from .container import ContainerKeys
from .environment import EnvironmentKeys
from .files import FileKeys
from .metadata import ADDRESS, InstanceKeys, InstanceMetadata
from .web_identity import WebIdentity

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Mapping, Optional, Sequence, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...._http.client import HTTPClient  # noqa: F401
    from .keys import AccessKeys  # noqa: F401

#: The order of Amazon's own tools.
ORDER = (u"environment", u"web identity", u"files", u"container", u"instance")


class KeyChain(object):
    """
    Several sources of access keys, of which the first that has keys counts.

    :param sources: pairs of a name (text) and an object with ``keys()``, which returns a
        ``Deferred`` that fires with :class:`AccessKeys` or ``None``, and ``absent``, the reason of
        ``None`` (text).
    """

    def __init__(self, sources):
        # type: (Sequence[Tuple[Text, Any]]) -> None
        self._sources = tuple(sources)

    def keys(self):
        # type: () -> Deferred[AccessKeys]
        """
        :return: a ``Deferred`` that fires with the :class:`AccessKeys`; fails with
            :class:`~txstorage.errors.CredentialsUnavailable` when no source has any, and as a
            source does that is configured and fails.
        """
        return self._from(0, [])

    def _from(self, index, attempts):
        # type: (int, List[Text]) -> Deferred[Any]
        name, source = self._sources[index]
        asked = maybeDeferred(source.keys)  # type: Deferred[Any]
        return asked.addCallbacks(
            self._found, self._failed, callbackArgs=(index, attempts), errbackArgs=(name, attempts)
        )

    def _found(self, keys, index, attempts):
        # type: (Optional[AccessKeys], int, List[Text]) -> Any
        if keys is not None:
            return keys
        name, source = self._sources[index]
        attempts.append(u"{}: {}".format(name, source.absent))
        if index + 1 == len(self._sources):
            raise CredentialsUnavailable(u"; ".join(attempts))
        return self._from(index + 1, attempts)

    def _failed(self, failure, name, attempts):
        # type: (Failure, Text, List[Text]) -> Failure
        if not failure.check(CredentialsUnavailable) or not attempts:
            return failure
        error = failure.value  # type: Any
        problem = u"{}: {}".format(name, error.problem)
        raise CredentialsUnavailable(u"; ".join(attempts + [problem]), error.remedy)


def default_chain(reactor, http, metadata_http, environ, region, profile=None):
    # type: (IReactorTime, HTTPClient, HTTPClient, Mapping[Text, Text], Text, Optional[Text]) -> KeyChain
    """
    Create the chain of all sources.

    :param reactor: provides ``IReactorTime``.
    :param http: a :class:`~txstorage._http.client.HTTPClient`.
    :param metadata_http: another one, without a proxy and with a short timeout, for services
        beside this process.
    :param dict environ: the environment, text to text.
    :param text region: the region.
    :param profile: the profile of Amazon's files (text); ``None`` for the environment's, or
        ``default``.
    :return: the :class:`KeyChain`, in the order of :data:`ORDER`.
    """
    address = environ.get(u"AWS_EC2_METADATA_SERVICE_ENDPOINT") or ADDRESS
    web_identity = WebIdentity(http, region, environ)
    sources = {
        u"environment": EnvironmentKeys(environ),
        u"web identity": web_identity,
        u"files": FileKeys(environ, web_identity.assume, profile),
        u"container": ContainerKeys(metadata_http, environ),
        u"instance": InstanceKeys(InstanceMetadata(reactor, metadata_http, address), environ),
    }  # type: Dict[Text, Any]
    return KeyChain([(name, sources[name]) for name in ORDER])


__all__ = ["ORDER", "KeyChain", "default_chain"]
