"""
A real OpenStack on this machine, and the driver's tests on it.

Its modules of tests are called ``check_...``, so that running ``tests`` does not run them: they
need the services, which ``make test-openstack`` brings up.
"""

from __future__ import absolute_import, division, print_function
