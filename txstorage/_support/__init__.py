"""
Helpers with nothing of the project below them: Python 2 and 3, Deferreds, Eliot, old Twisted.
"""

from __future__ import absolute_import, division, print_function
