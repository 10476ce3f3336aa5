"""
The failures of Amazon EBS in the field, each scripted, and the whole driver's answer to it.

``docs/ec2.rst`` lists them with the reports that they are known from.
"""

from __future__ import annotations
