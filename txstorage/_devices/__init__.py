"""
This host's block devices: the verified device of a volume.
"""

from __future__ import absolute_import, division, print_function
