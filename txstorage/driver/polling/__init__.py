"""
Polling: the cloud's state, looked at for all waiting operations together.
"""

from .lists import DatasetSearch, ListPoll, SnapshotWatcher, Watcher
from .shared import SharedPoll, is_passing, until
from .timing import Intervals, Pace, make_timer

__all__ = [
    "DatasetSearch",
    "Intervals",
    "ListPoll",
    "Pace",
    "SharedPoll",
    "SnapshotWatcher",
    "Watcher",
    "is_passing",
    "make_timer",
    "until",
]
