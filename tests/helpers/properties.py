"""Settings of property-based tests."""

from __future__ import absolute_import, division, print_function

from txstorage._support.compat import PY2

#: Arguments of Hypothesis's ``settings``: an example may be slow on a busy machine.  The release
#: for Python 2.7 has no deadline.
RELAXED = {} if PY2 else {"deadline": None}
