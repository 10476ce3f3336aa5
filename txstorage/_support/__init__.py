"""
Helpers that import nothing else of the project: Python 2 and 3, Deferreds, Eliot, old Twisted.
"""

from __future__ import absolute_import, division, print_function
