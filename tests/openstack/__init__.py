"""
A real OpenStack on this machine, and what the driver is put through on it.

Its modules of tests are called ``check_...``, so that running ``tests`` runs
none of them: they need the services, which ``make test-openstack`` brings up.
"""

from __future__ import annotations
