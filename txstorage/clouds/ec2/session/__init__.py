"""
A session with EC2: signed requests, their rates and retries, and EC2's errors.
"""

from .failures import NO_INSTANCE, NO_SNAPSHOT, NO_VOLUME
from .pages import all_entries
from .session import EC2Session

__all__ = ["EC2Session", "NO_INSTANCE", "NO_SNAPSHOT", "NO_VOLUME", "all_entries"]
