"""The part of the durable state that only EC2's clients see."""

from __future__ import annotations
