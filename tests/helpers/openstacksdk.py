"""
The reason to skip tests of ``clouds.yaml``, where openstacksdk is not installed.
"""

from __future__ import absolute_import, division, print_function

from txstorage._support.compat import PY2

#: Text for ``skip``, or ``None`` where openstacksdk is installed.
NO_OPENSTACKSDK = "openstacksdk reads clouds.yaml on Python 3 only"
if not PY2:
    from importlib.util import find_spec

    NO_OPENSTACKSDK = None if find_spec("openstack") else "openstacksdk is not installed"
