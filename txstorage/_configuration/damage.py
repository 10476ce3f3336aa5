# -*- test-case-name: tests._configuration.test_damage -*-
"""
Damage of values on their way into the configuration, which nobody sees in an ordinary print.

Windows' line ends leave a carriage return, files for containers keep quotation marks, and copies
from web pages contain characters that look like blanks.
"""

from __future__ import absolute_import, division, print_function

import sys
import unicodedata

from .._support.compat import as_text, text_type
from ..errors import InvalidConfiguration

MYPY = False
if MYPY:
    from typing import Any, List, Optional, Text, Tuple  # noqa: F401

_QUOTES = (u"\"\"", u"''", u"``", u"\u201c\u201d", u"\u2018\u2019")

# Blanks and joiners that belong to some scripts.
_ALLOWED = u" \u3000\u200c\u200d"

_NAMES = {u"\r": u"a carriage return", u"\n": u"a line feed", u"\t": u"a tab", u" ": u"a blank"}

_SECRET_IN_A_FILE = u"; a secret that really has it can be in a file, see the key {}_file"
_RETYPE = u"type the value again"
_REMOVE_QUOTES = u"remove the quotation marks, which not every program removes from its settings"


# Separators, controls, formats and surrogates; an interpreter with narrow characters has surrogates
# in any text beyond the basic plane.
_HIDDEN = ("Zs", "Zl", "Zp", "Cc", "Cf") + (("Cs",) if sys.maxunicode > 0xFFFF else ())


def _is_hidden(character):
    # type: (Text) -> bool
    return unicodedata.category(character) in _HIDDEN and character not in _ALLOWED


def _named(character):
    # type: (Text) -> Text
    name = unicodedata.name(character, u"").lower()
    return _NAMES.get(character) or u"a {} ({})".format(
        name or u"control character", visible(character).strip(u"'")
    )


def visible(text):
    # type: (Text) -> Text
    """
    :param text text: any text.
    :return: the text in quotation marks, with escapes for the characters that can't be seen.
    """
    return u"'{}'".format(
        u"".join(
            each.encode("unicode_escape").decode("ascii") if _is_hidden(each) else each
            for each in text
        )
    )


def show(text):
    # type: (Text) -> Text
    """
    :param text text: a value.
    :return: the value as messages show it: as it is, or as :func:`visible` if it is damaged.
    """
    return text if damage_of(text) is None and text.strip() else visible(text)


def damage_of(text):
    # type: (Text) -> Optional[Tuple[Text, Text]]
    """
    :param text text: a value.
    :return: the damage, which completes "the value ...", and the remedy; ``None`` for an
        undamaged or blank value.
    """
    if not text.strip():
        return None
    if text != text.lstrip():
        return u"begins with " + _named(text[0]), _RETYPE
    if text != text.rstrip():
        remedy = _RETYPE
        if text.endswith(u"\r"):
            remedy = u"remove it; files with Windows' line ends have one at the end of each line"
        return u"ends with " + _named(text[-1]), remedy
    if len(text) > 1 and text[0] + text[-1] in _QUOTES:
        return u"is in quotation marks", _REMOVE_QUOTES
    hidden = [each for each in text if _is_hidden(each)]
    return (u"contains " + _named(hidden[0]), _RETYPE) if hidden else None


def _texts_in(value):
    # type: (Any) -> List[Text]
    if isinstance(value, bytes):
        try:
            return [value.decode("utf-8")]
        except UnicodeError:
            return []
    if isinstance(value, text_type):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts_in(part)]
    return []


def refuse_damaged(name, value, secret=False):
    # type: (Text, Any, bool) -> None
    """
    :param text name: the configuration key.
    :param value: text, or a mapping of texts; no other value can be damaged in this way.
    :param bool secret: whether the message must not show the value.
    :raises InvalidConfiguration: the value is damaged; the message makes the damage visible.
    """
    for text in _texts_in(value):
        found = damage_of(text)
        if found is None:
            continue
        problem, remedy = found
        if secret:
            remedy += _SECRET_IN_A_FILE.format(as_text(name))
        shown = u"" if secret else u": " + visible(text)
        raise InvalidConfiguration(name, u"the value {}{}".format(problem, shown), remedy)


__all__ = ["damage_of", "refuse_damaged", "show", "visible"]
