"""
The OpenStack that the rig brought up, for tests that run on 2.7 too.

``TXSTORAGE_OPENSTACK`` is the path of its description, from
:func:`tests.openstack.bootstrap.describe`.
"""

from __future__ import absolute_import, division, print_function

import json
import os
from uuid import uuid4

from twisted.internet import reactor
from twisted.trial.unittest import SkipTest

from txstorage._assembly import driver_for, volume_service
from txstorage._configuration.configuration import Configuration
from txstorage.flocker.backend import flocker_driver

from ..helpers import child

GIB = 2**30
NOBODY = u"00000000-0000-4000-8000-000000000000"
PROFILES = (u"gold", u"silver", u"bronze")

_described = []


def description():
    """:return: the description, a dict."""
    if not _described:
        path = os.environ.get("TXSTORAGE_OPENSTACK")
        if path is None:
            raise SkipTest("TXSTORAGE_OPENSTACK names no OpenStack; see make test-openstack")
        with open(path) as described:
            _described.append(json.load(described))
    return _described[0]


def configuration(node=0, user=u"demo", **changes):
    """
    :param int node: the index of one of the servers of the user's project.
    :return: the ``dataset`` section of that server's ``agent.yml``.
    """
    there = description()
    values = {key: there["users"][user][key] for key in ("username", "password", "project_name")}
    values.update(
        auth_url=there["auth_url"],
        region=there["region"],
        profiles=dict(zip(PROFILES, there["volume_types"])),
        # all waiting is the cloud's
        poll_interval=0.5,
    )
    if there["servers"][user]:
        values["instance_id"] = there["servers"][user][node]
    values.update(changes)
    return values


def faulty_driver(test_case, cluster_id=None, **options):
    """
    :return: a driver and its agent, as from ``child.faulty_driver``; the options are those of
        :func:`configuration`.
    """
    return child.faulty_driver(test_case, cluster_id, configuration(**options))


def driver(test_case, cluster_id=None, **options):
    """:return: as :func:`faulty_driver`, the driver only."""
    return faulty_driver(test_case, cluster_id, **options)[0]


def blocking_driver(test_case, **options):
    """:return: the driver that Flocker gets, for a new cluster."""
    made = flocker_driver(reactor, uuid4(), **configuration(**options))
    test_case.addCleanup(made.stop)
    return made


class Shared(object):
    """
    Drivers that share one login, which lasts from the first test to the last.

    :param changes: called without arguments; returns keys of the configuration besides the usual
        ones.
    """

    def __init__(self, changes):
        self._changes = changes
        self._service = None

    def __call__(self, test_case):
        """:return: an asynchronous driver, for a new cluster."""
        checked = Configuration.from_mapping(
            dict(configuration(**self._changes()), cluster_id=uuid4())
        )
        if self._service is None:
            self._service = volume_service(reactor, checked)
        return driver_for(reactor, checked, self._service)
