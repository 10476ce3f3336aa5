"""
This node's identity: its instance id and its machine id.
"""

from __future__ import absolute_import, division, print_function
