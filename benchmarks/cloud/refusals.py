"""
The fake cloud's error responses.
"""

from __future__ import annotations

import json

#: The members in which Block Storage and Compute put an error, by status.
_KINDS = {400: "badRequest", 404: "itemNotFound", 406: "computeFault"}


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message

    def body(self) -> bytes:
        """The body of the response."""
        kind = _KINDS.get(self.status, "error")
        return json.dumps({kind: {"code": self.status, "message": self.message}}).encode()
