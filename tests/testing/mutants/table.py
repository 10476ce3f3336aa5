"""
The table of wrong drivers, which each of them enters itself in.
"""

from __future__ import absolute_import, division, print_function

#: ``(class, what must catch it)`` of each.
MUTANTS = []


def caught_by(*tests):
    """
    Enter a class in the table.

    :param tests: names of the tests that must fail; where a test asserts
        several things, after a colon and a space what its traceback has: the
        line that asserts this one, or the error that the test stumbles on.
    """

    def enter(cls):
        MUTANTS.append((cls, tests))
        return cls

    return enter
