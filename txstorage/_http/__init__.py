"""
JSON over HTTP: connections, trust, retries, rate limit and typed errors.
"""

from __future__ import absolute_import, division, print_function
