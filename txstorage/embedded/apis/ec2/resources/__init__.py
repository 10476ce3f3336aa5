"""The actions of the EC2 face, by the kind of resource."""

from __future__ import annotations
