"""
Values in the notations of people and of the wire: addresses, sizes and UUIDs.
"""

from __future__ import absolute_import, division, print_function
