# -*- test-case-name: tests.testing.test_faults -*-
"""
The rewriting of addresses in answers, so that a client does not leave the proxy.
"""

from __future__ import absolute_import, division, print_function

import json

from ..._support.compat import text_type, urlsplit

MYPY = False
if MYPY:
    from typing import Any, Iterator, Mapping, Text  # noqa: F401

    from .exchanges import Answer  # noqa: F401


def origin_of(url):
    # type: (Text) -> Text
    """
    :param text url: an absolute URL.
    :return: text: its scheme, host and port, without the rest.
    """
    parts = urlsplit(url)
    return u"{}://{}".format(parts.scheme, parts.netloc)


def endpoints_in(document):
    # type: (Any) -> Iterator[Text]
    """
    Yield the endpoints' URLs of the catalog in a token's document.

    :param document: decoded JSON of any form.
    """
    try:
        services = document[u"token"][u"catalog"]
        for service in services:
            for endpoint in service[u"endpoints"]:
                if endpoint[u"url"].startswith((u"http://", u"https://")):
                    yield endpoint[u"url"]
    except (AttributeError, KeyError, TypeError):
        return


def rewritten(document, origins):
    # type: (Any, Mapping[Text, Text]) -> Any
    """
    Replace the origins of all URLs in a document.

    :param document: decoded JSON.
    :param origins: the origins to replace, each with its replacement.
    :return: the changed copy of the document.
    """
    if isinstance(document, dict):
        return {key: rewritten(value, origins) for key, value in document.items()}
    if isinstance(document, list):
        return [rewritten(value, origins) for value in document]
    if isinstance(document, text_type) and document.startswith((u"http://", u"https://")):
        origin = origin_of(document)
        if origin in origins:
            return origins[origin] + document[len(origin) :]
    return document


def rewritten_answer(answer, origins):
    # type: (Answer, Mapping[Text, Text]) -> Answer
    """
    Lead every URL of an answer through the proxy: in JSON, and in the header Location.

    :param Answer answer: the service's answer.
    :param origins: the origins to replace, each with its replacement.
    :return: the changed :class:`~txstorage.testing.faults.exchanges.Answer`; the same one if
        nothing is replaced.
    """
    document = answer.document()
    headers = tuple(
        (name, _rewritten_header(value, origins) if name.lower() == b"location" else value)
        for name, value in answer.headers
    )
    changed = rewritten(document, origins)
    body = answer.body if changed == document else json.dumps(changed).encode("ascii")
    return type(answer)(answer.status, headers, body)


def _rewritten_header(value, origins):
    # type: (bytes, Mapping[Text, Text]) -> bytes
    changed = rewritten(value.decode("latin-1"), origins)  # type: Text
    return changed.encode("latin-1")


__all__ = ["endpoints_in", "origin_of", "rewritten", "rewritten_answer"]
