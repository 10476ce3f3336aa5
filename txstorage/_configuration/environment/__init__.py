"""
Environment variables: txstorage's, those of OpenStack's clients, and those of proxies.
"""

from __future__ import absolute_import, division, print_function
