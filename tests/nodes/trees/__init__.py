"""The trees that nodes are made of: the root of each, and the images of their engines."""

from __future__ import annotations
