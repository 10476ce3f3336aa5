# -*- coding: utf-8 -*-
"""
Any JSON value in any place of a response: an operation succeeds or fails with one of our errors.
"""

from __future__ import absolute_import, division, print_function

import copy
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txstorage._http.failures import retry_after
from txstorage._http.messages import shown_url
from txstorage._support.compat import text_type
from txstorage.clouds import Attachment, Server, Volume, VolumePage
from txstorage.clouds.openstack import OpenStackService, Session
from txstorage.clouds.openstack.cinder.host_attachments import HostAttachments
from txstorage.errors import StorageError
from txstorage.errors.base import MAX_MESSAGE
from txstorage.interfaces import VolumeException

from ...helpers.properties import RELAXED
from ...helpers.wire import VOLUME_VERSIONS, Answer, Wire, token_answer
from .cinder.test_volumes import ID, SERVER, described
from .support import BY_PASSWORD

HOST_ATTACHMENT = {
    u"id": ID,
    u"status": u"attached",
    u"instance": None,
    u"volume_id": ID,
    u"connection_info": {u"driver_volume_type": u"local"},
}
ATTACHED = dict(
    described(),
    attachments=[
        {u"id": ID, u"attachment_id": ID, u"volume_id": ID, u"server_id": SERVER, u"device": u"x"}
    ],
)
MESSAGE = {
    u"resource_uuid": ID,
    u"created_at": u"2026-11-22T16:27:07",
    u"request_id": u"req-1",
    u"user_message": u"no room",
}
NEXT = [{u"rel": u"next", u"href": u"http://cloud/v3/volumes/detail?marker=" + ID}]


class Cloud(object):
    """
    The responses of a well-behaved cloud by method and last parts of the path.

    :ivar set used: the keys of the responses that were requested.
    """

    def __init__(self):
        self.used = set()
        self.answers = {
            u"POST tokens": token_answer("tok"),
            u"GET v3": VOLUME_VERSIONS,
            u"GET detail": Answer(
                200, {u"volumes": [ATTACHED, described(SERVER)], u"volumes_links": NEXT}
            ),
            u"GET detail?marker": Answer(200, {u"volumes": [ATTACHED]}),
            u"GET volume": Answer(200, {u"volume": ATTACHED}),
            u"POST volumes": Answer(202, {u"volume": described()}),
            u"GET messages": Answer(200, {u"messages": [MESSAGE, MESSAGE]}),
            u"GET limits": Answer(
                200, {u"limits": {u"absolute": {u"maxTotalVolumes": 9, u"totalVolumesUsed": 1}}}
            ),
            u"GET types": Answer(200, {u"volume_types": [{u"id": ID, u"name": u"gold"}]}),
            u"GET os-availability-zone": Answer(
                200,
                {
                    u"availabilityZoneInfo": [
                        {u"zoneName": u"nova", u"zoneState": {u"available": True}}
                    ]
                },
            ),
            u"GET server": Answer(
                200, {u"server": {u"id": SERVER, u"status": u"ACTIVE", u"name": u"n"}}
            ),
            u"GET servers": Answer(
                200, {u"servers": [{u"id": SERVER, u"status": u"ACTIVE", u"name": u"n"}]}
            ),
            u"GET os-volume_attachments": Answer(
                200, {u"volumeAttachments": [{u"volumeId": ID, u"serverId": SERVER}]}
            ),
            u"POST os-volume_attachments": Answer(
                200, {u"volumeAttachment": {u"volumeId": ID, u"serverId": SERVER}}
            ),
            u"GET attachment": Answer(200, {u"attachment": HOST_ATTACHMENT}),
            u"POST attachments": Answer(200, {u"attachment": HOST_ATTACHMENT}),
            u"GET attachments": Answer(200, {u"attachments": [HOST_ATTACHMENT]}),
        }

    def key(self, seen):
        """:return: the key of a request's response."""
        path, _, query = seen.target.partition(u"?")
        parts = path.rstrip(u"/").split(u"/")
        last = parts[-1]
        if u"attachments/detail" in path:
            last = u"attachments"
        elif last == u"detail" and u"/servers/" in path:
            last = u"servers"
        elif last == u"detail" and query.startswith(u"marker"):
            last = u"detail?marker"
        elif last in (ID, SERVER):
            last = parts[-2][:-1]
        return u"{} {}".format(seen.method, last)

    def answer(self, seen):
        """:return: the :class:`Answer` to a request."""
        self.used.add(self.key(seen))
        return self.answers[self.key(seen)]


def operations(session):
    """:return: the operations of a session's services, as functions."""
    service, hosts = OpenStackService(session), HostAttachments(session)
    return [
        lambda: service.get_volume(ID),
        lambda: service.list_volumes({u"flocker-cluster-id": u"c1"}),
        lambda: service.create_volume(u"n", 1024 ** 3, {u"flocker-cluster-id": u"c1"}),
        lambda: service.failure_reason(ID),
        lambda: service.request_attach(ID, SERVER),
        lambda: service.list_attachments(SERVER),
        lambda: service.list_device_names(SERVER),
        lambda: service.get_server(SERVER),
        service.list_servers,
        service.quota,
        service.volume_types,
        service.availability_zones,
        service.authenticate,
        lambda: service.endpoint((u"volumev3", u"block-storage")),
        lambda: hosts.create(ID, {}),
        lambda: hosts.get(ID),
        lambda: hosts.of_volume(ID),
        lambda: hosts.ids_on(ID, SERVER),
    ]


def places(value, path=()):
    """:return: the path to each value inside a JSON value, itself included."""
    found = [path]
    if isinstance(value, dict):
        inner = sorted(value.items())
    else:
        inner = enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        found += places(each, path + (key,))
    return found


def replaced(document, path, value):
    """:return: a copy of a document with another value at a path."""
    if not path:
        return value
    document = copy.deepcopy(document)
    target = document
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return document


PLACES = sorted(
    (key, path)
    for key, answer in Cloud().answers.items()
    for path in map(repr, places(answer.body))
)
BY_NAME = {
    (key, repr(path)): path
    for key, answer in Cloud().answers.items()
    for path in places(answer.body)
}

ODD = [
    None, True, -1, 0, 1.5, 10 ** 30, 1e308, float("inf"), float("nan"), u"", u"\xb2", u"\ud800",
    u"http://[::1", u"http://a:b/", u"https://h:99999/v3", u"//", u"?" + u"a" * 5000, u"\x1b]52;c;",
    u"9" * 5000, u"v3.0", u"2026-99-99T99:99:99", [], [[]], {}, {u"": None}, [None, 1, u"x", {}],
    {u"message": {}}, u"a b\nc",
]
VALUES = st.one_of(
    st.sampled_from(ODD),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.text(max_size=5), inner, max_size=3),
        ),
        max_leaves=5,
    ),
)


class AnyAnswerTests(SynchronousTestCase):
    """Responses in which one value is replaced."""

    users = {}

    def users_of(self, key):
        """:return: the indices of up to four operations that request a response."""
        if not self.users:
            for index in range(17):
                cloud = Cloud()
                self.run_all(cloud, [index])
                for used in cloud.used:
                    self.users.setdefault(used, []).append(index)
        return self.users[key][:4]

    def run_all(self, cloud, indices=None):
        """
        Run operations, by default every one, and check their outcomes.

        :return: the errors, and the results.
        """
        errors, results = [], []
        wire = Wire(cloud.answer)
        session = Session(wire.clock, wire.http, u"http://cloud/identity", BY_PASSWORD)
        every = operations(session)
        for operation in every if indices is None else [every[index] for index in indices]:
            outcome = []
            operation().addBoth(outcome.append)
            for _ in range(200):
                if outcome:
                    break
                wire.clock.advance(60)
            failure = outcome[0]
            error = getattr(failure, "value", None)
            if error is None:
                results.append(failure)
                continue
            if not isinstance(error, (StorageError, VolumeException)):
                failure.raiseException()
            self.assertTrue(len(error.args[0]) <= MAX_MESSAGE)
            str(error)
            errors.append(error)
        return errors, results

    def test_none(self):
        """The responses as they are cause no error, so the other tests begin at a working cloud."""
        errors, results = self.run_all(Cloud())
        self.assertEqual([], errors)
        kinds = (Volume, VolumePage, Server)
        self.assertEqual(4, len([each for each in results if isinstance(each, kinds)]))
        self.assertIn((Attachment(ID, SERVER),), results)
        self.assertIn(u"no room", results)
        self.assertEqual(set(Cloud().answers), {key for key, _ in PLACES})
        for key in Cloud().answers:
            self.assertTrue(self.users_of(key), key)

    def check(self, key, path, value):
        cloud = Cloud()
        answer = cloud.answers[key]
        body = replaced(answer.body, path, value)
        cloud.answers[key] = Answer(
            answer.status, json.dumps(body).encode("ascii"), answer.headers
        )
        self.run_all(cloud, self.users_of(key))

    @settings(**RELAXED)
    @given(st.sampled_from(PLACES), VALUES)
    def test_any_value(self, place, value):
        """Any value in any place of any response raises nothing but our errors."""
        self.check(place[0], BY_NAME[place], value)

    def test_odd_values(self):
        """So do the values that broke something once, in every place."""
        for index, place in enumerate(PLACES):
            for value in ODD[index % 3 :: 3]:
                self.check(place[0], BY_NAME[place], value)

    @settings(**RELAXED)
    @given(st.sampled_from([400, 401, 403, 404, 409, 413, 429, 500, 503]), VALUES)
    def test_any_error(self, status, value):
        """Neither does any body of an error."""
        for body in (value, {u"itemNotFound": value}, {u"error": {u"message": value}}):
            cloud = Cloud()
            cloud.answers[u"GET volume"] = Answer(status, json.dumps(body).encode("ascii"))
            self.run_all(cloud, self.users_of(u"GET volume"))

    def test_huge_number(self):
        """A size with thousands of digits is an error like any other."""
        cloud = Cloud()
        body = json.dumps({u"volume": described(size=7777)}).replace("7777", "9" * 5000)
        cloud.answers[u"GET volume"] = Answer(200, body.encode("ascii"))
        errors, _ = self.run_all(cloud)
        self.assertIsInstance(errors[0], StorageError)

    def test_long_message(self):
        """The error for a catalog of many services is bounded, and names the missing one."""
        cloud = Cloud()
        services = [
            {
                u"type": u"service-{}".format(number),
                u"endpoints": [{u"interface": u"public", u"url": u"http://x" * 100}],
            }
            for number in range(2000)
        ]
        cloud.answers[u"POST tokens"] = token_answer("tok", services=services)
        errors, _ = self.run_all(cloud)
        self.assertIn(u"The catalog has no block-storage", errors[0].message)
        self.assertIn(u"1980 more", errors[0].message)

    @settings(**RELAXED)
    @given(st.text())
    def test_retry_after(self, value):
        """Any ``Retry-After`` and ``Date`` are seconds or nothing."""
        for headers in (
            {u"retry-after": value},
            {u"retry-after": value, u"date": u"Sun, 22 Nov 2026 16:27:07 GMT"},
            {u"retry-after": u"Sun, 22 Nov 2026 16:27:07 GMT", u"date": value},
        ):
            wait = retry_after(headers)
            self.assertTrue(wait is None or wait >= 0)

    def test_retry_after_once_broken(self):
        """Dates out of range, and digits that are not numbers, are nothing."""
        now = u"Sun, 22 Nov 2026 16:27:07 GMT"
        for value in (
            u"\xb2", u"9" * 400, u"Fri, 31 Dec 99999 23:59:59 GMT", u"Fri, 99 Dec 2026 99:99:99 +9",
            u"Fri, 31 Dec 0 23:59:59 -9999999", u"-1",
        ):
            wait = retry_after({u"retry-after": value, u"date": now})
            self.assertTrue(wait is None or 0 <= wait < 1e12, value)
        self.assertIs(None, retry_after({u"retry-after": u"\xb2", u"date": now}))

    def test_shown_url(self):
        """A location that is not a URL can be shown."""
        self.assertEqual(u"(not a URL)", shown_url(u"http://[::1"))
        self.assertIsInstance(shown_url(u"http://a:b/"), text_type)


