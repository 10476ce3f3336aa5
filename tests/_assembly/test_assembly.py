"""
Tests for ``txstorage._assembly``.
"""

from __future__ import absolute_import, division, print_function

import json
from uuid import UUID

import attr
from eliot.testing import capture_logging
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import fail, succeed
from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.error import SchemeNotSupported
from zope.interface.verify import verifyObject

from tests.helpers.openstacksdk import NO_OPENSTACKSDK
from tests.helpers.wire import Answer, FakeService
from txstorage._assembly import (
    block_device_driver,
    credential_source,
    driver_for,
    drivers,
    http_client,
    openstack,
    transport,
    volume_service,
)
from txstorage._configuration.configuration import Configuration
from txstorage._log import PEER_NOT_VERIFIED
from txstorage._support.compat import as_text
from txstorage.clouds import IVolumeService, Server
from txstorage.errors import InvalidConfiguration, NotTheService, UnknownServer
from txstorage.interfaces import IBlockDeviceAsyncAPI, ICloudAPI, IProfiledBlockDeviceAPI

CLUSTER = UUID("3f2b0f1e-58ab-4a1c-9a54-92dc8f5b1d3a")
NODE = u"0d6c1bb8-4a45-4fd0-a72e-7d6ae66d9e6e"

AUTH_URL = u"http://cloud.example/identity/v3"

DOMAIN = {u"id": u"default"}

BASE = {u"auth_url": AUTH_URL}
PASSWORD = dict(BASE, username=u"u", password=u"pw", tenant_name=u"p")

SCOPE = {u"project": {u"name": u"p", u"domain": DOMAIN}}
USER = {u"name": u"u", u"domain": DOMAIN}

WHO = [
    (
        u"a password",
        PASSWORD,
        {u"identity": {u"methods": [u"password"],
                       u"password": {u"user": dict(USER, password=u"pw")}},
         u"scope": SCOPE},
    ),
    (
        u"a password, everything by id",
        dict(BASE, user_id=u"uid", password=u"pw", project_id=u"pid"),
        {u"identity": {u"methods": [u"password"],
                       u"password": {u"user": {u"id": u"uid", u"password": u"pw"}}},
         u"scope": {u"project": {u"id": u"pid"}}},
    ),
    (
        u"a password in named domains",
        dict(PASSWORD, user_domain_name=u"ud", project_domain_id=u"pd"),
        {u"identity": {u"methods": [u"password"],
                       u"password": {u"user": {u"name": u"u", u"domain": {u"name": u"ud"},
                                               u"password": u"pw"}}},
         u"scope": {u"project": {u"name": u"p", u"domain": {u"id": u"pd"}}}},
    ),
    (
        u"an application credential by id",
        dict(BASE, application_credential_id=u"a", application_credential_secret=u"s"),
        {u"identity": {u"methods": [u"application_credential"],
                       u"application_credential": {u"id": u"a", u"secret": u"s"}}},
    ),
    (
        u"an application credential by name",
        dict(BASE, application_credential_name=u"a", application_credential_secret=u"s",
             username=u"u"),
        {u"identity": {u"methods": [u"application_credential"],
                       u"application_credential": {u"name": u"a", u"secret": u"s",
                                                   u"user": USER}}},
    ),
    (
        u"a trust",
        dict(BASE, username=u"u", password=u"pw", trust_id=u"t", default_domain_id=u"dd"),
        {u"identity": {u"methods": [u"password"],
                       u"password": {u"user": {u"name": u"u", u"domain": {u"id": u"dd"},
                                               u"password": u"pw"}}},
         u"scope": {u"OS-TRUST:trust": {u"id": u"t"}}},
    ),
    (
        u"the whole system, in a default domain",
        dict(BASE, username=u"u", password=u"pw", system_scope=u"all",
             default_domain_name=u"dn", user_domain_id=u"ud"),
        {u"identity": {u"methods": [u"password"],
                       u"password": {u"user": {u"name": u"u", u"domain": {u"id": u"ud"},
                                               u"password": u"pw"}}},
         u"scope": {u"system": {u"all": True}}},
    ),
    (
        u"a project in a default domain",
        dict(PASSWORD, default_domain_name=u"dn"),
        {u"identity": {u"methods": [u"password"],
                       u"password": {u"user": {u"name": u"u", u"domain": {u"name": u"dn"},
                                               u"password": u"pw"}}},
         u"scope": {u"project": {u"name": u"p", u"domain": {u"name": u"dn"}}}},
    ),
    (
        u"a token",
        dict(BASE, auth_plugin=u"v3token", token=u"t", project_name=u"p"),
        {u"identity": {u"methods": [u"token"], u"token": {u"id": u"t"}}, u"scope": SCOPE},
    ),
]


def token_answer(endpoint=u"http://cloud.example/volume/v3/p"):
    """Keystone's response: a token, and a catalog with one volume endpoint."""
    endpoints = [
        {u"interface": interface, u"region_id": u"r", u"url": endpoint + u"-" + interface}
        for interface in (u"public", u"internal")
    ]
    return Answer(
        201,
        {u"token": {u"catalog": [{u"type": u"block-storage", u"endpoints": endpoints}]}},
        {"X-Subject-Token": "tok"},
    )


class BackendTestCase(SynchronousTestCase):
    """The base of tests that assemble the parts on a scripted service."""

    def service_over(self, script, **keys):
        """A volume service on the configuration, whose requests go to the script."""
        self.clock, self.wire = Clock(), FakeService(*script)
        self.agent = RequestTraversalAgent(self.wire)
        self.configuration = Configuration.from_mapping(keys)
        return volume_service(self.clock, self.configuration, self.agent)


class VolumeServiceTests(BackendTestCase):
    """Volume services, from configuration keys to requests on the wire."""

    def test_provides(self):
        """The result is an ``IVolumeService``."""
        self.assertTrue(verifyObject(IVolumeService, self.service_over([], **PASSWORD)))

    def test_credentials(self):
        """Each authentication method sends Keystone's request format, with the configured keys."""
        for name, keys, auth in WHO:
            service = self.service_over([token_answer()], **keys)
            self.successResultOf(service.authenticate())
            self.assertEqual(self.wire.seen[0].body, {u"auth": auth}, name)
            self.assertEqual(self.wire.targets(), [u"POST /identity/v3/auth/tokens"])

    def test_no_authentication(self):
        """Without Keystone, requests go to the configured endpoints, with a token if configured."""
        for token in (None, u"fixed"):
            service = self.service_over(
                [Answer(200, {u"volumes": []})],
                auth_plugin=u"none", token=token,
                volume_endpoint=u"http://v.example/v3/p", compute_endpoint=u"http://c.example/v2.1",
            )
            self.successResultOf(service.list_volumes({}))
            self.assertEqual(self.wire.seen[0].header("host"), u"v.example")
            self.assertEqual(self.wire.seen[0].header("x-auth-token"), token)

    def test_no_request_before_it_is_asked(self):
        """The assembly sends no request."""
        service = self.service_over([], **dict(PASSWORD, cluster_id=CLUSTER))
        driver_for(self.clock, self.configuration, service)
        self.assertEqual((self.wire.seen, self.clock.getDelayedCalls()), ([], []))

    def test_interface_and_override(self):
        """The interface selects a catalog endpoint; a configured endpoint replaces it."""
        for keys, target in (
            ({u"interface": u"internal"}, u"/volume/v3/p-internal"),
            ({u"volume_endpoint": u"http://cloud.example/mine/v3/p"}, u"/mine/v3/p"),
        ):
            service = self.service_over(
                [token_answer(), Answer(200, {u"volumes": []})], **dict(PASSWORD, **keys)
            )
            self.successResultOf(service.list_volumes({}))
            self.assertTrue(self.wire.seen[1].target.startswith(target + u"/volumes"))

    def test_rate_limit(self):
        """``max_requests_per_second`` delays requests."""
        service = self.service_over(
            [token_answer(), Answer(200, {u"volumes": []})],
            **dict(PASSWORD, max_requests_per_second=0.5)
        )
        listing = service.list_volumes({})
        self.assertEqual(len(self.wire.seen), 1)
        self.clock.advance(2.1)
        self.successResultOf(listing)

    def test_availability_zone(self):
        """``availability_zone`` is part of the request for a volume."""
        service = self.service_over([token_answer(), Answer(400, {})],
                                    **dict(PASSWORD, availability_zone=u"az1"))
        self.failureResultOf(service.create_volume(u"n", 1024 ** 3, {}))
        self.assertEqual(self.wire.seen[1].body[u"volume"][u"availability_zone"], u"az1")

    def test_certificate_file_without_certificate(self):
        """A ``verify_ca_path`` without a certificate is an error that names the key."""
        path = as_text(self.mktemp())
        open(path, "w").close()
        configuration = Configuration.from_mapping(dict(PASSWORD, verify_ca_path=path))
        error = self.assertRaises(InvalidConfiguration, volume_service, Clock(), configuration)
        self.assertEqual(error.key, u"verify_ca_path")


@attr.s
class OneNode(object):
    """The part of a volume service for one server."""

    allocation_unit = 1024 ** 3
    remedies = {}

    def get_server(self, server_id):
        """See ``IVolumeService``."""
        if server_id == NODE:
            return succeed(Server(server_id, u"ACTIVE"))
        return fail(UnknownServer(server_id))

    def list_attachments(self, server_id):
        """See ``IVolumeService``."""
        return succeed(())

    def list_device_names(self, server_id):
        """See ``IVolumeService``."""
        return succeed({})


class StorageTests(BackendTestCase):
    """``attach_through: storage``."""

    def driver(self, script, **keys):
        """A driver without Compute, whose requests go to the script."""
        service = self.service_over(
            script, cluster_id=CLUSTER, attach_through=u"storage", **keys
        )
        return driver_for(self.clock, self.configuration, service)

    def test_no_request_before_it_is_asked(self):
        """The assembly sends no request."""
        self.driver([], **PASSWORD)
        self.assertEqual((self.wire.seen, self.clock.getDelayedCalls()), ([], []))

    def test_instance_id(self):
        """The configured id is this host's, and no request checks it."""
        driver = self.driver([], instance_id=NODE, **PASSWORD)
        self.assertEqual(NODE, self.successResultOf(driver.compute_instance_id()))
        self.assertEqual(u"configuration", driver.instance_id_source)
        self.assertEqual([], self.wire.seen)

    def test_no_compute_endpoint(self):
        """Without Keystone, the address of Block Storage is sufficient."""
        driver = self.driver(
            [Answer(200, {u"volumes": []})] * 2,
            auth_plugin=u"none", volume_endpoint=u"http://v.example/v3/p", instance_id=NODE,
        )
        self.assertEqual([NODE], self.successResultOf(driver.list_live_nodes()))
        self.assertEqual([u"v.example"], [seen.header("host") for seen in self.wire.seen])


class DriverForTests(SynchronousTestCase):
    """Drivers, from configuration keys."""

    def driver(self, **keys):
        """A driver on :class:`OneNode`."""
        configuration = Configuration.from_mapping(dict(PASSWORD, **keys))
        return driver_for(Clock(), configuration, OneNode())

    def test_cluster_id_is_mandatory(self):
        """A configuration without a cluster is an error that names the key."""
        error = self.assertRaises(InvalidConfiguration, self.driver)
        self.assertEqual(error.key, u"cluster_id")
        self.assertNotEqual(error.remedy, u"")

    def test_instance_id(self):
        """A configured ``instance_id`` is used as this node's."""
        driver = self.driver(cluster_id=CLUSTER, instance_id=NODE)
        self.assertEqual(self.successResultOf(driver.compute_instance_id()), NODE)

    def test_every_key_reaches_the_driver(self):
        """The driver is made with the configured timeout and intervals."""
        made = []
        self.patch(drivers, "BlockDeviceDriver", lambda *args, **kw: made.append((args, kw)))
        self.patch(drivers, "DeviceFinder", lambda reactor, directory: directory)
        self.driver(
            cluster_id=CLUSTER, timeout=7, poll_interval=0.25, profiles={u"gold": u"ssd"},
            device_directory=u"/devices",
        )
        [(args, kw)] = made
        self.assertEqual(args[2:4], (CLUSTER, FilePath(u"/devices")))
        self.assertEqual(
            (kw["timeout"], kw["intervals"].longest, kw["profiles"]),
            (7.0, 0.25, {u"gold": u"ssd"}),
        )

    def test_verification_reaches_the_agent(self):
        """
        Connections are made with ``verify_peer``, ``verify_ca_path`` and the client's certificate.
        """
        made = []
        self.patch(transport, "agent_for", lambda *args, **kw: made.append((args, kw)))
        self.patch(transport, "ClientCertificate", lambda *args: args)
        path = as_text(self.mktemp())
        open(path, "w").close()
        clock = Clock()
        for keys in (
            {}, {u"verify_peer": False}, {u"verify_ca_path": path},
            {u"client_certificate": path}, {u"client_certificate": path, u"client_key": path},
        ):
            configuration = Configuration.from_mapping(dict(PASSWORD, **keys))
            http_client(clock, configuration)
        for _, options in made:
            options.pop("proxy_for")
        self.assertEqual(made, [
            ((clock, True, None), {"client": None}),
            ((clock, False, None), {"client": None}),
            ((clock, True, path), {"client": None}),
            ((clock, True, None), {"client": (path, None)}),
            ((clock, True, None), {"client": (path, path)}),
        ])

    def test_proxies_reach_the_agent(self):
        """The configuration's proxies are the agent's, but not those of the caller's own agent."""
        made = []
        self.patch(transport, "agent_for", lambda *args, **kw: made.append(kw["proxy_for"]))
        keys = dict(PASSWORD, proxy=u"http://proxy:3128")
        configuration = Configuration.from_mapping(keys)
        http_client(Clock(), configuration)
        [proxy_for] = made
        self.assertEqual(proxy_for(u"http://cloud/").url, u"http://proxy:3128")

        class Broken(object):
            def request(self, *args):
                return fail(SchemeNotSupported())

        http = http_client(Clock(), configuration, Broken())
        failed = self.failureResultOf(http.request(u"GET", u"http://cloud/"), NotTheService)
        self.assertNotIn("proxy", str(failed.value))

    @capture_logging(None)
    def test_unverified_peer(self, logger):
        """Each start without verification of certificates is logged, with the cloud's address."""
        for keys, expected in (({}, []), ({u"verify_peer": False}, [PASSWORD[u"auth_url"]])):
            configuration = Configuration.from_mapping(dict(PASSWORD, **keys))
            http_client(Clock(), configuration)
            found = [
                message[u"url"]
                for message in logger.messages
                if message.get(u"message_type") == PEER_NOT_VERIFIED.message_type
            ]
            self.assertEqual(expected, found)

    def test_insecure_endpoints(self):
        """``allow_insecure_endpoints`` reaches the session."""
        made = []
        self.patch(openstack, "Session", lambda *args, **kw: made.append(kw["allow_insecure"]))
        for keys in ({}, {u"allow_insecure_endpoints": True}):
            configuration = Configuration.from_mapping(dict(PASSWORD, **keys))
            volume_service(Clock(), configuration)
        self.assertEqual([False, True], made)

    def test_unusable_client_certificate(self):
        """An invalid client certificate is an error that names its key, before any traffic."""
        path = as_text(self.mktemp())
        open(path, "w").close()
        configuration = Configuration.from_mapping(dict(PASSWORD, client_certificate=path))
        error = self.assertRaises(InvalidConfiguration, volume_service, Clock(), configuration)
        self.assertEqual(error.key, u"client_certificate")


class CredentialSourceTests(SynchronousTestCase):
    """Credentials in files, which may change while the driver runs."""

    def write(self, path, text):
        """Write a file."""
        with open(path, "w") as opened:
            opened.write(text)
        return as_text(path)

    def test_files(self):
        """Each kind of secret is reread from its file."""
        path = self.mktemp()
        for keys in (
            dict(BASE, username=u"u", project_name=u"p", password_file=path),
            dict(BASE, application_credential_id=u"a", application_credential_secret_file=path),
            dict(BASE, auth_plugin=u"token", token_file=path),
            dict(auth_plugin=u"none", token_file=path, volume_endpoint=u"http://v",
                 compute_endpoint=u"http://c"),
        ):
            self.write(path, "one\n")
            source = credential_source(Configuration.from_mapping(keys))
            self.write(path, "two\n")
            self.assertEqual(source.current().secret, u"two")
            self.write(path, "")
            self.assertEqual(source.current().secret, u"two")

    def clouds(self, **auth):
        """A configuration from a ``clouds.yaml``, and a function that rewrites the file."""
        path = self.mktemp()

        def write(**auth):
            cloud = {"auth": dict({"auth_url": "http://k", "project_name": "p"}, **auth)}
            self.write(path, json.dumps({"clouds": {"mine": cloud}}))

        write(**auth)
        made = Configuration.from_mapping({"cloud": u"mine"}, {"OS_CLIENT_CONFIG_FILE": path})
        return made, write

    def test_clouds(self):
        """A cloud's user and password change together."""
        configuration, write = self.clouds(username="u", password="one")
        source = credential_source(configuration)
        write(username="v", password="two")
        current = source.current()
        self.assertEqual((current.user[u"name"], current.secret), (u"v", u"two"))

    test_clouds.skip = NO_OPENSTACKSDK

    def test_another_cloud(self):
        """New credentials are never sent to the address of another cloud."""
        configuration, write = self.clouds(username="u", password="one")
        source = credential_source(configuration)
        write(username="u", password="two", auth_url="http://other")
        self.assertEqual(source.current().secret, u"one")
        write(username="u", password="two")
        self.assertEqual(source.current().secret, u"two")

    test_another_cloud.skip = NO_OPENSTACKSDK


class BlockDeviceDriverTests(SynchronousTestCase):
    """The factory that is part of the public API."""

    def test_provides(self):
        """The driver provides the asynchronous interfaces."""
        driver = block_device_driver(
            Clock(), CLUSTER, agent=RequestTraversalAgent(FakeService()), **PASSWORD
        )
        for interface in (IBlockDeviceAsyncAPI, IProfiledBlockDeviceAPI, ICloudAPI):
            self.assertTrue(verifyObject(interface, driver))

    def test_default_agent(self):
        """Without an agent, a verifying one is created, and no request is sent."""
        clock = Clock()
        block_device_driver(clock, CLUSTER, device_directory=u"/nowhere", **PASSWORD)
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_lists_its_cluster(self):
        """The driver lists the volumes of its cluster in the configured cloud."""
        wire = FakeService(token_answer(), Answer(200, {u"volumes": []}))
        driver = block_device_driver(
            Clock(), CLUSTER, agent=RequestTraversalAgent(wire), **PASSWORD
        )
        self.assertEqual(self.successResultOf(driver.list_volumes()), [])
        self.assertIn(str(CLUSTER), wire.seen[1].target)

    def test_bad_configuration(self):
        """An invalid key is an error that names the key, before any other check."""
        error = self.assertRaises(
            InvalidConfiguration, block_device_driver, Clock(), CLUSTER, auth_ulr=u"x"
        )
        self.assertEqual(error.key, u"auth_ulr")
