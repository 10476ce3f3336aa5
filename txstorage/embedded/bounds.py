# -*- test-case-name: tests.embedded.wire.test_channel -*-
"""The bounds of the embedded service: the most that one client can take from it."""

from __future__ import annotations

from collections.abc import Mapping

import attr


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class ConnectionBounds:
    """
    The bounds, of a connection and of all.  A connection carries one request after the other.

    :ivar body: bytes of a request's body; ``osapi_max_request_body_size``, the real services'
        default.
    :ivar headers: bytes of the request line and the headers.
    :ivar header_lines: number of headers.
    :ivar headers_time: seconds to the end of the headers, from the connection, a TLS handshake
        included, or from the first byte of a later request.
    :ivar body_time: seconds from the end of the headers to the end of the body.
    :ivar idle_time: seconds from the end of a response to the first byte of the next request;
        Apache's default.
    :ivar answer_time: seconds from the end of the response to the end of the connection, in which
        the client receives the response.
    :ivar discard: bytes of a refused body that are received and discarded, so that the client can
        read the refusal.
    :ivar discard_time: seconds in which they are received.
    :ivar connections: number of open connections.
    :ivar connections_by_address: number of open connections from one address.
    """

    body: int = 114688
    headers: int = 16384
    header_lines: int = 100
    headers_time: float = 30.0
    body_time: float = 60.0
    idle_time: float = 5.0
    answer_time: float = 60.0
    discard: int = 1048576
    discard_time: float = 5.0
    connections: int = 512
    connections_by_address: int = 256


BOUNDS = ConnectionBounds()


def labels_fit(labels: Mapping[str, str]) -> bool:
    """
    Check that one request could set all labels of a resource, also when several have.

    :param labels: those that it is to have.
    """
    texts = "".join([*labels, *labels.values()])
    return len(texts.encode("utf-8", "surrogatepass")) <= BOUNDS.body
