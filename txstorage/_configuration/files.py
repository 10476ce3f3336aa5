# -*- test-case-name: tests._configuration.test_configuration -*-
"""
Files of a configuration: secrets and YAML.  No message shows what is in them.
"""

from __future__ import absolute_import, division, print_function

import errno
import io

import attr
import yaml

from .._support.compat import as_text
from ..errors import InvalidConfiguration


@attr.s(frozen=True)
class Secret(object):
    """
    A secret, given in the configuration or kept in a file, which is read
    again each time the secret is needed.  Its repr does not show it.

    :ivar text key: the configuration key it belongs to.
    """

    key = attr.ib()
    _value = attr.ib(default=None, repr=False)
    path = attr.ib(default=None)

    def __call__(self):
        """
        :return: the secret, text.
        :raises InvalidConfiguration: when its file can't be read (any more)
            or is empty.
        """
        if self.path is None:
            return self._value
        try:
            with io.open(self.path, encoding="utf-8") as opened:
                secret = opened.read().rstrip(u"\r\n")
            problem = u"it is empty"
        except (EnvironmentError, ValueError) as error:
            secret = None
            # A decoding error would show a piece of the secret.
            problem = as_text(getattr(error, "strerror", None) or u"it is not UTF-8 text")
        if not secret:
            raise InvalidConfiguration(
                self.key, u"can't use {}: {}".format(as_text(self.path), problem)
            )
        return secret


def place(path, line=None):
    """
    :return: text that says where something is.
    """
    return as_text(path) if line is None else u"{}, line {}".format(as_text(path), line)


def load_yaml(path, key, remedy):
    """
    :param path: the path of a YAML file.
    :param text key: the configuration key that an error is about.
    :param text remedy: what to do then.
    :return: the YAML's root node and what it says.
    :raises InvalidConfiguration: naming the file and the line.
    """
    try:
        with io.open(path, encoding="utf-8") as opened:
            loader = yaml.SafeLoader(opened.read())
        node = loader.get_single_node()
        return node, loader.construct_document(node) if node is not None else None
    except EnvironmentError as error:
        problem = u"can't be read: {}".format(as_text(error.strerror))
        line = None
        if error.errno == errno.EACCES:
            remedy = u"become a user who may read it, such as the one whose file it is"
    except (ValueError, yaml.YAMLError) as error:
        # What YAML stumbled over may be a secret, so only the place is told.
        mark = getattr(error, "problem_mark", None)
        problem, line = u"is not YAML", mark and mark.line + 1
    raise InvalidConfiguration(key, u"{} {}".format(place(path, line), problem), remedy)


__all__ = ["Secret", "load_yaml", "place"]
