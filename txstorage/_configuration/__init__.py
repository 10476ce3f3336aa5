"""
A checked configuration, from ``agent.yml``, ``clouds.yaml`` and the environment.
"""

from __future__ import absolute_import, division, print_function
