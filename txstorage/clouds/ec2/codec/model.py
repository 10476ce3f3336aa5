# -*- test-case-name: tests.clouds.ec2.test_codec -*-
"""
botocore's model of a service, cut down to the operations in use.

The whole model of EC2 has thousands of shapes, which would stay in memory.
"""

from __future__ import absolute_import, division, print_function

MYPY = False
if MYPY:
    from typing import Any, Dict, Iterator, Mapping, Set  # noqa: F401

    from .operations import UsedAPI  # noqa: F401


def _references(shape):
    # type: (Mapping[str, Any]) -> Iterator[str]
    """Yield the names of the shapes that one shape consists of."""
    for each in shape.get("members", {}).values():
        yield each["shape"]
    for part in ("member", "key", "value"):
        if part in shape:
            yield shape[part]["shape"]


def _reach(shapes, name, found):
    # type: (Mapping[str, Any], str, Set[str]) -> None
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting.extend(_references(shapes[each]))


def _with_members(shape, added, read):
    # type: (Mapping[str, Any], Mapping[str, Any], Any) -> Dict[str, Any]
    # A member that the model has itself is newer than the table's.
    members = dict(added, **shape["members"])
    if read is not None:
        members = {name: member for name, member in members.items() if name in read}
    return dict(shape, members=members)


def cut_model(model, used):
    # type: (Mapping[str, Any], UsedAPI) -> Dict[str, Any]
    """
    :param dict model: botocore's.
    :param UsedAPI used: the operations, and what an old model lacks of them.
    :return: dict: a model of these operations alone, without documentation.
    :raises KeyError: the model lacks an operation that the table does not add.
    """
    shapes = dict(used.added_shapes, **model["shapes"])
    for name in set(used.added_members) | set(used.read_members):
        if name in shapes:
            shapes[name] = _with_members(
                shapes[name], used.added_members.get(name, {}), used.read_members.get(name)
            )
    known = dict(used.added_operations, **model["operations"])
    operations = {
        name: {
            key: value
            for key, value in known[name].items()
            if key in ("name", "http", "input", "output")
        }
        for name in used.operations
    }
    reached = set()  # type: Set[str]
    for operation in operations.values():
        for part in ("input", "output"):
            if part in operation:
                _reach(shapes, operation[part]["shape"], reached)
    return {
        "metadata": model["metadata"],
        "operations": operations,
        "shapes": {name: _undocumented(shapes[name]) for name in reached},
    }


def _undocumented(shape):
    # type: (Mapping[str, Any]) -> Dict[str, Any]
    kept = {key: value for key, value in shape.items() if key != "documentation"}
    if "members" in kept:
        kept["members"] = {
            name: {key: value for key, value in member.items() if key != "documentation"}
            for name, member in kept["members"].items()
        }
    return kept


__all__ = ["cut_model"]
