# -*- test-case-name: tests.clouds -*-
"""
The entries of a cloud's lists.
"""

from __future__ import absolute_import, division, print_function

MYPY = False
if MYPY:
    from typing import Any, Callable, List, Mapping, Text, Tuple  # noqa: F401

# The maximum number of malformed entries of a list that become a message of the log each.
_LISTED = 100


def has_labels(found, labels):
    # type: (Mapping[Text, Any], Mapping[Text, Text]) -> bool
    """:return: whether the labels found include all of the requested ones."""
    return all(found.get(name) == value for name, value in labels.items())


def sorted_out(entries, id_of):
    # type: (List[Any], Callable[[Any], Text]) -> Tuple[Tuple[Any, ...], Tuple[Tuple[Text, Text], ...]]
    """
    :param list entries: values; ``None`` for entries that do not count; and, for malformed
        entries, ``(id, problem)`` pairs of texts.
    :param id_of: called with a value; returns its id.
    :return: the tuple of the values, each once; and the tuple of ``(id, problem)`` texts of the
        malformed entries, of which there are no more than can be logged.
    """
    values = [each for each in entries if each is not None and not isinstance(each, tuple)]
    malformed = [each for each in entries if isinstance(each, tuple)]
    if len(malformed) > _LISTED:
        more = u"{} more entries are malformed".format(len(malformed) - _LISTED)
        malformed[_LISTED:] = [(u"", more)]
    # A value may be on two pages, when others are created or deleted between the requests.
    latest = {id_of(each): each for each in values}
    return tuple(each for each in values if latest[id_of(each)] is each), tuple(malformed)


__all__ = ["has_labels", "sorted_out"]
