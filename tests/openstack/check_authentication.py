"""
Each way to authenticate, against a real Keystone; endpoints and versions, against a real Cinder and
a
real Nova.
"""

import os
from uuid import uuid4

import yaml
from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import TestCase

from txstorage._assembly import credential_source, http_client, volume_service
from txstorage._configuration.configuration import Configuration
from txstorage._http.connections import agent_for
from txstorage.clouds.openstack.cinder import SERVICE_TYPES as VOLUME_TYPES
from txstorage.clouds.openstack.session import Session
from txstorage.clouds.openstack.versions import APIS, version_base
from txstorage.errors import (
    AuthenticationFailed,
    EndpointMissing,
    MicroversionMissing,
    PermissionDenied,
    RequestRefused,
)

from .client import Client, Refused
from .cloud import NOBODY, description

DOMAIN = "Default"


class CountingAgent:
    """
    An agent that records the requests.

    :ivar list seen: of ``"METHOD path"``.
    """

    def __init__(self):
        self._agent = agent_for(reactor)
        self.seen = []
        self.close = self._agent.close

    def request(self, method, uri, headers=None, bodyProducer=None):  # noqa: N803
        """See ``IAgent``."""
        path = uri.split(b"/", 3)[3].split(b"?")[0]
        self.seen.append("{} /{}".format(method.decode(), path.decode()))
        return self._agent.request(method, uri, headers, bodyProducer)


class Authenticating(TestCase):
    """Base: services made from configuration keys."""

    timeout = 120

    def setUp(self):
        there = description()
        self.auth_url, self.region = there["auth_url"], there["region"]
        self.users = there["users"]
        self.agent = CountingAgent()
        self.addCleanup(self.agent.close)

    def client(self, user="demo"):
        """:return: a waiting client, logged in."""
        names = ("username", "password", "project_name")
        return Client(self.auth_url, self.region, *(self.users[user][name] for name in names))

    def configuration(self, **keys):
        """:return: a ``Configuration`` of keys, in the rig's region."""
        keys = dict({"auth_url": self.auth_url, "region": self.region}, **keys)
        return Configuration.from_mapping({k: v for k, v in keys.items() if v is not None})

    def service(self, **keys):
        """:return: a volume service on these keys."""
        return volume_service(reactor, self.configuration(**keys), self.agent)

    def of_demo(self, *names, **keys):
        """:return: keys of the user ``demo``."""
        return dict({name: self.users["demo"][name] for name in names}, **keys)

    def token(self, client):
        """:return: Keystone's description of a client's own token."""
        secret = client._headers["X-Auth-Token"]
        return client.request("GET", "identity", "/auth/tokens", X_Subject_Token=secret)["token"]

    @inlineCallbacks
    def works(self, user, project, **keys):
        """The login is the expected user's, and may list volumes and get a server."""
        service = self.service(**keys)
        identity = yield service.authenticate()
        self.assertEqual((user, project), (identity.user_name, identity.project_name))
        self.assertGreater(identity.expires_in, 0)
        yield service.list_volumes({"flocker-cluster-id": str(uuid4())})
        yield service.list_servers()


class PasswordTests(Authenticating):
    """A user's password."""

    def test_names(self):
        """User and project by name, in the default domain."""
        keys = self.of_demo("username", "password", "project_name")
        return self.works("demo", "demo", **keys)

    def test_ids(self):
        """User and project by id."""
        user_id = self.token(self.client())["user"]["id"]
        return self.works(
            "demo", "demo", user_id=user_id, **self.of_demo("password", "project_id")
        )

    def test_domains(self):
        """Domains by name and by id, and one for both."""
        keys = self.of_demo("username", "password", "project_name")
        d = self.works("demo", "demo", user_domain_name=DOMAIN, project_domain_id="default", **keys)
        d.addCallback(
            lambda _: self.works("demo", "demo", default_domain_name=DOMAIN, **keys)
        )
        return d

    @inlineCallbacks
    def test_refused(self):
        """Wrong passwords, projects and domains are refused, and the error names the user."""
        right = self.of_demo("username", "password", "project_name")
        for wrong in (
            {"password": "no"},
            {"project_name": "nobody's"},
            {"project_name": None, "project_id": self.users["other"]["project_id"]},
            {"user_domain_name": "nowhere"},
            {"trust_id": uuid4().hex, "project_name": None},
            {"system_scope": "all", "project_name": None},
        ):
            service = self.service(**dict(right, **wrong))
            caught = yield self.assertFailure(
                service.authenticate(), AuthenticationFailed, PermissionDenied
            )
            self.assertNotIn(right["password"], str(caught))

    @inlineCallbacks
    def test_file(self):
        """A replaced password file is used by the next login."""
        path = self.mktemp()
        with open(path, "w") as opened:
            opened.write(self.users["demo"]["password"] + "\n")
        configuration = self.configuration(
            password_file=path, **self.of_demo("username", "project_name")
        )
        source = credential_source(configuration)
        session = Session(
            reactor, http_client(reactor, configuration, self.agent), self.auth_url, source,
            region=self.region,
        )
        token = yield session.token()
        with open(path, "w") as opened:
            opened.write("no longer right")
        # As after a 401: the file's credential is refused, and the working one stays in use.
        session._tokens.discard(token)
        yield session.token()
        self.assertEqual(3, len(self.agent.seen))


class ApplicationCredentialTests(Authenticating):
    """An application credential."""

    def made(self):
        """:return: a new credential, as Keystone describes it."""
        client = self.client()
        path = "/users/{}/application_credentials".format(self.token(client)["user"]["id"])
        name = "txstorage-" + uuid4().hex
        made = client.post("identity", path, {"application_credential": {"name": name}})
        made = made["application_credential"]
        self.addCleanup(self.forget, client, "{}/{}".format(path, made["id"]))
        return made

    def forget(self, client, path):
        """Delete the credential, if it exists."""
        try:
            client.delete("identity", path)
        except Refused:
            pass

    def test_id(self):
        """By its id alone."""
        made = self.made()
        return self.works(
            "demo", "demo", application_credential_id=made["id"],
            application_credential_secret=made["secret"],
        )

    @inlineCallbacks
    def test_name(self):
        """By its name and its user's name or id."""
        made = self.made()
        keys = {
            "application_credential_name": made["name"],
            "application_credential_secret": made["secret"],
        }
        yield self.works("demo", "demo", username="demo", **keys)
        user_id = self.token(self.client())["user"]["id"]
        yield self.works("demo", "demo", user_id=user_id, **keys)

    @inlineCallbacks
    def test_refused(self):
        """A wrong secret and another user's credential are refused."""
        made = self.made()
        for keys in (
            {"application_credential_id": made["id"], "application_credential_secret": "no"},
            {
                "application_credential_name": made["name"],
                "application_credential_secret": made["secret"],
                "username": "other",
            },
        ):
            yield self.assertFailure(self.service(**keys).authenticate(), AuthenticationFailed)


    @inlineCallbacks
    def test_replaced(self):
        """
        A credential replaced by another in ``clouds.yaml`` is used from the next refused request
        on, without
        a restart.
        """
        first, second = self.made(), self.made()
        path = self.mktemp()

        def write(credential):
            auth = {
                "auth_url": self.auth_url,
                "application_credential_id": credential["id"],
                "application_credential_secret": credential["secret"],
            }
            cloud = {"auth": auth, "region_name": self.region}
            cloud["auth_type"] = "v3applicationcredential"
            with open(path + ".new", "w") as opened:
                yaml.safe_dump({"clouds": {"rig": cloud}}, opened)
            os.rename(path + ".new", path)

        write(first)
        configuration = Configuration.from_mapping(
            {"cloud": "rig"}, {"OS_CLIENT_CONFIG_FILE": path}
        )
        service = volume_service(reactor, configuration, self.agent)
        yield service.list_volumes({})
        write(second)
        client = self.client()
        user_id = self.token(client)["user"]["id"]
        client.delete(
            "identity", "/users/{}/application_credentials/{}".format(user_id, first["id"])
        )
        yield service.list_volumes({})
        # The rig's services check each token, so the first token is over.
        self.assertEqual(2, self.agent.seen.count("POST /v3/auth/tokens"), self.agent.seen)


class TokenTests(Authenticating):
    """A token that another program obtained."""

    def test_token(self):
        """The token is exchanged for one of the project."""
        token = self.client()._headers["X-Auth-Token"]
        return self.works(
            "demo", "demo", auth_plugin="token", token=token, project_name="demo"
        )

    @inlineCallbacks
    def test_without_project(self):
        """Without a project there is no catalog, and the error gives the reason."""
        token = self.client()._headers["X-Auth-Token"]
        service = self.service(auth_plugin="token", token=token)
        caught = yield self.assertFailure(service.list_volumes({}), EndpointMissing)
        self.assertIn("the token has no project", str(caught))


class TrustTests(Authenticating):
    """A trust that one user gives another."""

    @inlineCallbacks
    def test_trust(self):
        """The trustee acts in the trustor's project, as the user that the trust names."""
        demo, other = self.client(), self.client("other")
        for impersonation in (True, False):
            trust = demo.post("identity", "/OS-TRUST/trusts", {"trust": {
                "trustor_user_id": self.token(demo)["user"]["id"],
                "trustee_user_id": self.token(other)["user"]["id"],
                "project_id": demo.project_id,
                "impersonation": impersonation,
                "roles": [{"name": "member"}],
            }})["trust"]
            path = "/OS-TRUST/trusts/" + trust["id"]
            self.addCleanup(demo.delete, "identity", path)
            yield self.works(
                "demo" if impersonation else "other", "demo", username="other",
                password=self.users["other"]["password"], trust_id=trust["id"],
            )


class SystemTests(Authenticating):
    """The whole system, instead of a project."""

    def keys(self):
        """:return: the administrator's client."""
        return {
            "username": "admin",
            "password": self.users["admin"]["password"],
            "system_scope": "all",
        }

    @inlineCallbacks
    def test_identity(self):
        """Keystone gives a token without a project, whose catalog has no Block Storage."""
        service = self.service(**self.keys())
        identity = yield service.authenticate()
        self.assertEqual(("admin", ""), (identity.user_name, identity.project_name))
        caught = yield self.assertFailure(service.list_volumes({}), EndpointMissing)
        self.assertIn("the token has no project", str(caught))

    @inlineCallbacks
    def test_endpoint(self):
        """With its own endpoint, Block Storage is reached, and decides itself."""
        url = self.client().endpoints["block-storage"].rpartition("/")[0]
        service = self.service(volume_endpoint=url, **self.keys())
        try:
            yield service.list_volumes({})
        except (PermissionDenied, RequestRefused):
            # Cinder's policies may want a project.
            pass
        self.assertIn("GET /v3/volumes/detail", self.agent.seen[-1])


class CloudsTests(Authenticating):
    """``clouds.yaml``."""

    @inlineCallbacks
    def test_clouds(self):
        """A cloud of the file is reached."""
        directory = self.mktemp()
        os.mkdir(directory)
        user = self.users["demo"]
        files = {
            "clouds.yaml": {
                "auth": {
                    "auth_url": self.auth_url, "username": "demo", "project_name": "demo",
                    "user_domain_name": DOMAIN, "project_domain_name": DOMAIN,
                },
                "region_name": self.region,
                "interface": "internal",
                "identity_api_version": 3,
                "volume_api_version": 3,
            },
            "secure.yaml": {"auth": {"password": user["password"]}},
        }
        environ = {}
        for variable, name in (
            ("OS_CLIENT_CONFIG_FILE", "clouds.yaml"), ("OS_CLIENT_SECURE_FILE", "secure.yaml"),
        ):
            environ[variable] = os.path.join(directory, name)
            with open(environ[variable], "w") as opened:
                yaml.safe_dump({"clouds": {"rig": files[name]}}, opened)
        configuration = Configuration.from_mapping({"cloud": "rig"}, environ)
        self.assertEqual("internal", configuration.interface)
        service = volume_service(reactor, configuration, self.agent)
        identity = yield service.authenticate()
        self.assertEqual("demo", identity.user_name)
        yield service.list_volumes({})


class EndpointTests(Authenticating):
    """The choice of endpoints and of versions."""

    def password(self, **keys):
        """:return: a service on demo's password."""
        return self.service(**self.of_demo("username", "password", "project_name", **keys))

    def roots(self):
        """:return: the addresses of Block Storage and Compute, without a version."""
        endpoints = self.client().endpoints
        services = (("v3", "block-storage"), ("v2.1", "compute"))
        bases = [version_base(APIS[version], endpoints[name]) for version, name in services]
        return [base.rpartition("/")[0] + "/" for base in bases]

    @inlineCallbacks
    def test_unversioned(self):
        """
        Endpoints without a version are queried for their versions once, with status 300 or not.
        """
        volume, compute = self.roots()
        service = self.password(volume_endpoint=volume, compute_endpoint=compute)
        for _ in range(2):
            yield service.list_volumes({})
            yield service.list_servers()
        self.assertEqual(2, self.agent.seen.count("GET /"))
        # Cinder 3.67 and Nova 2.18 do without the project's id.
        self.assertEqual(2, self.agent.seen.count("GET /v3/volumes/detail"))
        self.assertEqual(2, self.agent.seen.count("GET /v2.1/servers/detail"))

    @inlineCallbacks
    def test_nothing_is_asked_in_vain(self):
        """Endpoints with a version are not queried, unless a microversion is needed."""
        service = self.password()
        yield service.list_volumes({})
        yield service.list_servers()
        self.assertEqual(3, len(self.agent.seen), self.agent.seen)

    @inlineCallbacks
    def test_microversion(self):
        """A request with a microversion queries once whether the service has it."""
        service = self.password()
        for _ in range(2):
            reason = yield service.failure_reason(NOBODY)
            self.assertEqual("", reason)
        self.assertEqual(1, self.agent.seen.count("GET /v3/"))
        self.assertEqual(4, len(self.agent.seen), self.agent.seen)

    @inlineCallbacks
    def test_no_such_microversion(self):
        """A microversion that no Cinder has is never sent."""
        configuration = self.configuration(
            **self.of_demo("username", "password", "project_name")
        )
        session = Session(
            reactor, http_client(reactor, configuration, self.agent), self.auth_url,
            credential_source(configuration), region=self.region,
        )
        asked = session.request(VOLUME_TYPES, "GET", "/volumes", microversions=("3.9999",))
        yield self.assertFailure(asked, MicroversionMissing)
        yield session.request(VOLUME_TYPES, "GET", "/volumes", microversions=("3.9999", "3.3"))
        self.assertEqual(3, len(self.agent.seen), self.agent.seen)

    @inlineCallbacks
    def test_catalog(self):
        """A missing region or interface is an error that lists the existing ones."""
        for keys in ({"region": "Atlantis"}, {"interface": "admin", "region": "Atlantis"}):
            caught = yield self.assertFailure(
                self.password(**keys).list_volumes({}), EndpointMissing
            )
            self.assertIn("block-storage (public, {})".format(self.region), str(caught))
