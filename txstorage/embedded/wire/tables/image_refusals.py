# -*- test-case-name: tests.embedded.apis.test_images -*-
"""
The errors of the Image service, in the words of Glance: another part of
:mod:`txstorage.embedded.wire.refusals`.
"""

from __future__ import annotations

from ..refusal import glance

NO_SUCH_IMAGE = glance(404, "No image found with ID {}")
IMAGE_LIMIT_IS_NO_NUMBER = glance(400, "limit param must be an integer")
IMAGE_LIMIT_IS_NEGATIVE = glance(400, "limit param must be positive")
FORBIDDEN_BY_IMAGES = glance(403, "You are not authorized to complete {} action.")
IMAGE_FAULT = glance(
    500,
    "The server has either erred or is incapable of performing the requested operation.",
)
