"""
Values that several tests of the session share.
"""

from __future__ import absolute_import, division, print_function

from txstorage.clouds.openstack.session import (
    Credentials,
)

from ...helpers.wire import (
    error,
)

SECRET = u"hunter2"


TYPES = (u"block-storage", u"volumev3")


BY_PASSWORD = Credentials.password(SECRET, username=u"flocker", project_name=u"demo")


UNAUTHORIZED = error(401, u"error", u"The request you have made requires authentication.")
