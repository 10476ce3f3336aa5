"""
Polling: the cloud's state, looked at for all waiting operations together.
"""

from .lists import DatasetSearch, SnapshotWatcher, TransitionPoll, Watcher
from .shared import SharedPoll, is_passing, until
from .timing import Intervals, Pace, make_timer

__all__ = [
    "DatasetSearch",
    "Intervals",
    "Pace",
    "SharedPoll",
    "SnapshotWatcher",
    "TransitionPoll",
    "Watcher",
    "is_passing",
    "make_timer",
    "until",
]
