"""
The version, for modules that must not import the package root.
"""

from __future__ import absolute_import, division, print_function

VERSION = u"0.1.0"
