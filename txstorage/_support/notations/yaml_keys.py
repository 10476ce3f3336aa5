# -*- test-case-name: tests._support.test_yaml_keys -*-
"""YAML whose mappings have each key once.  PyYAML takes the last value of a repeated key."""

from __future__ import absolute_import, division, print_function

import yaml

MYPY = False
if MYPY:
    from typing import IO, Any, Iterator, Text, Tuple  # noqa: F401


class RepeatedKey(ValueError):
    """A mapping has a key twice; the text names the key and the line."""


def load_unique(stream):
    # type: (IO[Text]) -> Any
    """
    Load a YAML document.

    :param stream: an open file.
    :return: its content; ``None`` for an empty file.
    :raises RepeatedKey: a mapping has a key twice.
    :raises yaml.YAMLError: the text is not YAML.
    """
    loader = yaml.SafeLoader(stream)
    try:
        node = loader.get_single_node()
        for key, line in _repeated(node):
            raise RepeatedKey("line {} repeats the key '{}'".format(line, key))
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _repeated(root):
    # type: (Any) -> Iterator[Tuple[Text, int]]
    """The repeated keys in a document, with their lines."""
    pending, visited = [root], set()
    while pending:
        node = pending.pop()
        # An alias may name a node that contains it.
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            seen = set()
            for key, value in node.value:
                pending.append(value)
                if isinstance(key, yaml.ScalarNode):
                    if key.value in seen:
                        yield key.value, key.start_mark.line + 1
                    seen.add(key.value)


__all__ = ["RepeatedKey", "load_unique"]
