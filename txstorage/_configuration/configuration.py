# -*- test-case-name: tests._configuration.test_configuration -*-
"""
A checked :class:`Configuration`, made from a mapping, ``agent.yml`` or the environment.

Nothing in this module uses the network.
"""

from __future__ import absolute_import, division, print_function

import os

import attr

from .._log import CONFIGURATION_NOTE
from .._support.compat import as_text
from ..errors import InvalidConfiguration
from .checks import (
    add_cloud,
    add_default_domain,
    check_cloud,
    check_required,
    check_scope,
    choose_plugin,
    parse_values,
    take_secrets,
)
from .clouds_yaml import CloudFiles
from .environment.proxies import Proxies, variables_of_proxies
from .environment.reading import from_variables, variables
from .files import Secret, place
from .sources import dataset_section, without_backend

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Text, Tuple  # noqa: F401
    from uuid import UUID  # noqa: F401

    from .clouds_yaml import CloudSettings  # noqa: F401


#: The keys whose proxies are chosen, and therefore checked, before any network traffic.
_ADDRESSES = ("auth_url", "volume_endpoint", "compute_endpoint", "ec2_endpoint")


@attr.s(frozen=True, hash=False)
class Configuration(object):
    """
    A checked configuration.

    Each key of :data:`txstorage._configuration.keys.KEYS` is an attribute, except the keys that
    end in ``_file``: a secret's attribute is the same whether or not a file contains the secret.

    :ivar text auth_plugin: the canonical name: ``password``, ``v3applicationcredential``,
        ``token``, ``none`` or ``ec2``.
    :ivar tuple secret_files: the paths of the ``clouds.yaml`` and ``secure.yaml`` that contain
        the configuration's secrets, text.
    :ivar Proxies proxies: the proxies of URLs, by the key ``proxy`` or the environment.
    :ivar tuple notes: texts about parts of the configuration without effect.
    """

    cloud = attr.ib(default=None)  # type: Optional[Text]
    region = attr.ib(default=None)  # type: Optional[Text]
    auth_plugin = attr.ib(default=None)  # type: Text
    auth_url = attr.ib(default=None)  # type: Optional[Text]
    username = attr.ib(default=None)  # type: Optional[Text]
    user_id = attr.ib(default=None)  # type: Optional[Text]
    user_domain_id = attr.ib(default=None)  # type: Optional[Text]
    user_domain_name = attr.ib(default=None)  # type: Optional[Text]
    password = attr.ib(default=None, repr=False)  # type: Optional[Secret]
    project_name = attr.ib(default=None)  # type: Optional[Text]
    project_id = attr.ib(default=None)  # type: Optional[Text]
    project_domain_id = attr.ib(default=None)  # type: Optional[Text]
    project_domain_name = attr.ib(default=None)  # type: Optional[Text]
    default_domain_id = attr.ib(default=None)  # type: Optional[Text]
    default_domain_name = attr.ib(default=None)  # type: Optional[Text]
    trust_id = attr.ib(default=None)  # type: Optional[Text]
    system_scope = attr.ib(default=None)  # type: Optional[Text]
    application_credential_id = attr.ib(default=None)  # type: Optional[Text]
    application_credential_name = attr.ib(default=None)  # type: Optional[Text]
    application_credential_secret = attr.ib(default=None, repr=False)  # type: Optional[Secret]
    token = attr.ib(default=None, repr=False)  # type: Optional[Secret]
    verify_peer = attr.ib(default=True)  # type: bool
    proxy = attr.ib(default=None)  # type: Any
    allow_insecure_endpoints = attr.ib(default=False)  # type: bool
    verify_ca_path = attr.ib(default=None)  # type: Optional[Text]
    client_certificate = attr.ib(default=None)  # type: Optional[Text]
    client_key = attr.ib(default=None)  # type: Optional[Text]
    interface = attr.ib(default=u"public")  # type: Text
    volume_endpoint = attr.ib(default=None)  # type: Optional[Text]
    compute_endpoint = attr.ib(default=None)  # type: Optional[Text]
    attach_through = attr.ib(default=u"compute")  # type: Text
    instance_id = attr.ib(default=None)  # type: Optional[Text]
    profiles = attr.ib(default=None)  # type: Optional[Dict[Text, Text]]
    availability_zone = attr.ib(default=None)  # type: Optional[Text]
    timeout = attr.ib(default=110.0)  # type: float
    copy_timeout = attr.ib(default=3600.0)  # type: float
    poll_interval = attr.ib(default=2.0)  # type: float
    max_requests_per_second = attr.ib(default=None)  # type: Optional[float]
    device_directory = attr.ib(default=None)  # type: Optional[Text]
    cluster_id = attr.ib(default=None)  # type: Optional[UUID]
    access_key_id = attr.ib(default=None)  # type: Optional[Text]
    secret_access_key = attr.ib(default=None, repr=False)  # type: Optional[Secret]
    session_token = attr.ib(default=None, repr=False)  # type: Optional[Secret]
    aws_profile = attr.ib(default=None)  # type: Optional[Text]
    validate_region = attr.ib(default=True)  # type: bool
    ec2_endpoint = attr.ib(default=None)  # type: Optional[Text]
    kms_key_id = attr.ib(default=None)  # type: Optional[Text]
    secret_files = attr.ib(default=(), repr=False, cmp=False)  # type: Tuple[Text, ...]
    proxies = attr.ib(default=Proxies(), repr=False, cmp=False)  # type: Proxies
    notes = attr.ib(default=(), repr=False, cmp=False)  # type: Tuple[Text, ...]
    _load = attr.ib(
        default=None, repr=False, cmp=False
    )  # type: Optional[Callable[[], Tuple[Configuration, Optional[CloudSettings]]]]

    @classmethod
    def from_mapping(cls, mapping, environ=None, notes=()):
        # type: (Mapping[Any, Any], Optional[Mapping[str, str]], Sequence[Text]) -> Configuration
        """
        Check a mapping of keys to values.

        :param mapping: keys and values as in the ``dataset`` section of an ``agent.yml``, with or
            without ``backend``.
        :param environ: the variables that locate ``clouds.yaml`` and name proxies, names to values;
            this process's by default.
        :param notes: texts about variables without effect.
        :rtype: Configuration
        :raises InvalidConfiguration: naming the key.
        """
        environ = os.environ if environ is None else environ
        given = parse_values(without_backend(mapping, u"the configuration"))
        proxies = Proxies(given.get("proxy"), variables_of_proxies(environ))
        files = CloudFiles(environ) if "cloud" in given else None

        def load():
            # type: () -> Tuple[Configuration, Optional[CloudSettings]]
            cloud = None
            if files is not None:
                cloud = files.cloud(given["cloud"], given.get("region"))
            return cls._checked(given, cloud, load, proxies, notes), cloud

        made, cloud = load()
        source = u"the environment" if cloud is None else cloud.describe()
        for note in made.notes:
            CONFIGURATION_NOTE(source=source, reason=note).write()
        return made

    @classmethod
    def _checked(
        cls,
        given,  # type: Dict[str, Any]
        cloud,  # type: Optional[CloudSettings]
        load,  # type: Callable[[], Tuple[Configuration, Optional[CloudSettings]]]
        proxies,  # type: Proxies
        notes,  # type: Sequence[Text]
    ):
        # type: (...) -> Configuration
        values = add_default_domain(given if cloud is None else add_cloud(given, cloud))
        plugin = choose_plugin(values)
        check_cloud(plugin, values)
        check_required(plugin, values)
        check_scope(plugin, values)
        for name in _ADDRESSES:
            if name in values:
                proxies.for_url(values[name])
        values = dict(take_secrets(values), auth_plugin=plugin.name)
        secret_files = () if cloud is None else cloud.secret_files
        notes = tuple(notes if cloud is None else cloud.notes)
        return cls(
            secret_files=secret_files, proxies=proxies, notes=notes, load=load, **values
        )

    @property
    def address(self):
        # type: () -> Text
        """The address of the cloud, or its region, for messages."""
        address = self.auth_url or self.volume_endpoint or self.ec2_endpoint
        return address or u"EC2 in {}".format(self.region)

    def reread(self):
        # type: () -> Configuration
        """
        Read the ``clouds.yaml`` and the files of secrets again.

        :return: a :class:`Configuration` with the files' current content.
        :raises InvalidConfiguration: naming the key.
        """
        return self if self._load is None else self._load()[0]

    @classmethod
    def from_file(cls, path, **overrides):
        # type: (Text, **Any) -> Configuration
        """
        Read and check an ``agent.yml``.

        :param path: the path of the file.
        :param overrides: keys that replace the file's.
        :rtype: Configuration
        :raises InvalidConfiguration: naming the key, the file and the line.
        """
        section, lines = dataset_section(path)
        try:
            return cls.from_mapping(dict(section, **overrides))
        except InvalidConfiguration as error:
            position = place(path, lines.get(error.key))
            raise InvalidConfiguration(
                error.key, u"{} (in {})".format(error.problem, position), error.remedy
            )

    @classmethod
    def from_environment(cls, environ, **overrides):
        # type: (Mapping[str, str], **Any) -> Configuration
        """
        Read and check environment variables.

        A key's variable is ``TXSTORAGE_<KEY>`` or, when that is not set, OpenStack's own
        ``OS_...``.  An empty variable counts as not set.

        :param environ: names to values, native strings.
        :param overrides: keys that replace the environment's.
        :rtype: Configuration
        :raises InvalidConfiguration: naming the key and its variables.
        """
        try:
            given = from_variables(environ)
            return cls.from_mapping(dict(given.values, **overrides), environ, given.notes)
        except InvalidConfiguration as error:
            names = u" or ".join(map(as_text, variables(error.key)))
            raise InvalidConfiguration(
                error.key,
                u"{} (in the environment{})".format(error.problem, names and u": " + names),
                error.remedy,
            )


__all__ = ["Configuration", "Secret", "dataset_section", "variables"]
