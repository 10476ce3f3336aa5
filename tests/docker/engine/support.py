"""
A client of the plugin's socket that sends what engines send, and what they do not.
"""

from __future__ import annotations

from typing import Any

from txstorage.testing.volume_plugins import client


async def exchange(path: str, call: str, body: bytes) -> tuple[int, str, bytes]:
    """
    Send a request as an engine does.

    :param path: the socket's.
    :return: a coroutine of the status, the content type and the body; of zero and nothing when the
        connection ends without an answer.
    """
    answer = await client.exchange(path, call, body)
    return answer.status, answer.content_type, answer.body


async def ask(path: str, call: str, **fields: Any) -> dict[str, Any]:
    """
    :param call: of the volume driver, such as ``Mount``.
    :return: a coroutine of the answer's fields; empty when there is no answer.
    """
    answer = await client.exchange(path, "VolumeDriver." + call, client.encoded(fields))
    return answer.fields
