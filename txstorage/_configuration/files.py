# -*- test-case-name: tests._configuration.test_configuration -*-
"""
Files that a configuration consists of: secrets and YAML.

No error message shows a file's content.
"""

from __future__ import absolute_import, division, print_function

import errno
import io
import re

import attr
import yaml

from .._support.compat import as_text
from ..errors import InvalidConfiguration, UnusableFile
from .damage import show

MYPY = False
if MYPY:
    from typing import Any, Dict, Optional, Text, Tuple  # noqa: F401


_CONTROL = re.compile(u"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@attr.s(frozen=True)
class Secret(object):
    """
    A secret, given in the configuration or kept in a file.

    The file is read again for each call.  The repr does not show the secret.

    :ivar text key: the secret's configuration key.
    :ivar path: the path of the file, text; ``None`` without a file.
    """

    key = attr.ib()  # type: Text
    _value = attr.ib(default=None, repr=False)  # type: Text
    path = attr.ib(default=None)  # type: Optional[Text]

    def __call__(self):
        # type: () -> Text
        """
        :return: the secret, text.
        :raises InvalidConfiguration: when the file cannot be read or is empty.
        """
        if self.path is None:
            return self._value
        secret = None
        try:
            # Some editors begin a file with a byte order mark.
            with io.open(self.path, encoding="utf-8-sig", newline=u"") as opened:
                secret = opened.read().rstrip(u"\r\n")
            problem = u"the file is empty"
            if _CONTROL.search(secret):
                secret, problem = None, u"the file contains more than one line of text"
        except EnvironmentError as error:
            problem = as_text(error.strerror)
        except ValueError:
            # The decoding error's message would show a part of the secret.
            problem = u"the file is not UTF-8 text"
        if not secret:
            raise InvalidConfiguration(
                self.key, u"can't use {}: {}".format(show(as_text(self.path)), problem)
            )
        return secret


def place(path, line=None):
    # type: (Text, Optional[int]) -> Text
    """
    :return: a path and a line number as text for messages.
    """
    shown = show(as_text(path))
    return shown if line is None else u"{}, line {}".format(shown, line)


# The remedies of a file that can't be read.
_UNREADABLE = {
    errno.ENOENT: u"correct the path",
    errno.EACCES: u"run as a user who may read the file, such as its owner",
    errno.EISDIR: u"give the path of a file in the directory",
}


def load_yaml(path, key, remedy):
    # type: (Text, Text, Text) -> Tuple[Any, Any]
    """
    Read a YAML file.

    :param path: the path of the file.
    :param text key: the configuration key that an error names.
    :param text remedy: the remedy for a file that is not YAML.
    :return: the YAML's root node and its content, both ``None`` for an empty file.
    :raises InvalidConfiguration: naming the file and the line.
    """
    line = None
    try:
        with io.open(path, encoding="utf-8") as opened:
            loader = yaml.SafeLoader(opened.read())
        node = loader.get_single_node()
        return node, loader.construct_document(node) if node is not None else None
    except EnvironmentError as error:
        problem = u"can't be read: {}".format(as_text(error.strerror))
        remedy = _UNREADABLE.get(error.errno or 0, u"")
    except (ValueError, yaml.YAMLError) as error:
        # The text at the error may be a secret, so the message has only the position.
        mark = getattr(error, "problem_mark", None)
        problem, line = u"is not YAML", mark and mark.line + 1
    raise UnusableFile(key, place(path, line), problem, remedy)


def load_section(path, name, key):
    # type: (Text, Text, Text) -> Dict[Text, Any]
    """
    Read one section of a YAML file.

    :param path: the path of the file.
    :param text name: the section's name.
    :param text key: the configuration key that an error names.
    :return: a ``dict`` with text for names; empty when the section is missing.
    :raises InvalidConfiguration: when the file is not YAML, or the section is not a mapping.
    """
    document = load_yaml(path, key, u"put values with special characters in quotes")[1]
    # A file that is being written may be empty.
    section = (document.get(name) or {}) if isinstance(document, dict) else None
    if not isinstance(section, dict):
        raise InvalidConfiguration(
            key, u"{} is empty, or '{}' is not a mapping there".format(as_text(path), name)
        )
    return {as_text(each): value for each, value in section.items()}


__all__ = ["Secret", "load_section", "load_yaml", "place"]
