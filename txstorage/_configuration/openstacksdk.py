# -*- test-case-name: tests._configuration.test_clouds_yaml -*-
"""
openstacksdk's loader of clouds, without access to the network and to files.

Functions import openstacksdk, because the import is slow and few configurations name a cloud.
"""

from __future__ import absolute_import, division, print_function

from .._support.compat import PY2, as_text, urlsplit
from ..errors import InvalidConfiguration
from .files import load_section

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Optional, Text, Tuple  # noqa: F401

    from openstack.config.cloud_region import CloudRegion  # noqa: F401


def check_installed():
    # type: () -> None
    """
    :raises InvalidConfiguration: when openstacksdk cannot be imported.
    """
    if PY2:
        raise InvalidConfiguration(
            u"cloud",
            u"needs Python 3, on which openstacksdk reads clouds.yaml",
            u"write the cloud's own keys instead",
        )
    try:
        import openstack.config  # noqa: F401
    except ImportError:
        raise InvalidConfiguration(
            u"cloud",
            u"needs openstacksdk, which is not installed",
            u"pip install 'txstorage[clouds]'",
        )


def _profile(cloud, public):
    # type: (Dict[Text, Any], Optional[str]) -> Tuple[Text, Optional[Dict[Text, Any]]]
    """
    :return: the name of a cloud's vendor profile, empty for none, and the profile; ``None`` for one
        that is unknown, or that openstacksdk would download.
    """
    from openstack.config.vendors import get_profile

    # "cloud" is the older name.
    name = cloud.get(u"profile", cloud.get(u"cloud")) or u""
    if not name:
        return name, None
    known = {} if public is None else load_section(public, u"public-clouds", u"cloud")
    if name in known:
        return name, known[name] or {}
    return name, None if urlsplit(name).netloc else get_profile(name)


def _check_profile(cloud, public):
    # type: (Dict[Text, Any], Optional[str]) -> None
    """Refuse a vendor profile that openstacksdk would download, or whose cloud has ended."""
    name, profile = _profile(cloud, public)
    remote = name if profile is None else profile.get(u"profile", u"")
    if urlsplit(remote).netloc:
        raise InvalidConfiguration(
            u"cloud",
            u"the profile {} would be downloaded; copy its keys into the file".format(remote),
        )
    if (profile or {}).get(u"status") == u"shutdown":
        raise InvalidConfiguration(
            u"cloud",
            u"the cloud of the profile {} no longer exists: {}".format(
                name, (profile or {}).get(u"message") or u"no reason is given"
            ),
        )


def profile_notes(cloud, public):
    # type: (Dict[Text, Any], Optional[str]) -> List[Text]
    """
    :param dict cloud: the cloud's keys and values, without empty ones.
    :param public: the path of a ``clouds-public.yaml``, or ``None``.
    :return: a list of texts: a note about a vendor profile that is deprecated or unknown.
    """
    name, profile = _profile(cloud, public)
    if not name or urlsplit(name).netloc:
        return []
    if profile is None:
        return [u"the vendor profile {} is unknown, and has no effect here".format(name)]
    if profile.get(u"status") == u"deprecated":
        message = profile.get(u"message") or u"no reason is given"
        return [u"the vendor profile {} is deprecated: {}".format(name, message)]
    return []


def _check_region(cloud, region):
    # type: (Dict[Text, Any], Optional[Text]) -> None
    regions = cloud.get(u"regions")
    if region is None or not isinstance(regions, list):
        return
    names = [as_text(each.get(u"name") if isinstance(each, dict) else each) for each in regions]
    if region not in names:
        raise InvalidConfiguration(
            u"cloud",
            u"no region {}; the regions are: {}".format(region, u", ".join(names)),
        )


def load(name, cloud, region, public):
    # type: (Text, Dict[Text, Any], Optional[Text], Optional[str]) -> CloudRegion
    """
    Have openstacksdk interpret a cloud, without network traffic.

    :param text name: the cloud's name.
    :param dict cloud: the cloud's keys and values, without empty ones.
    :param text region: one of the cloud's regions; ``None`` for the first.
    :param public: the path of a ``clouds-public.yaml``, or ``None``.
    :return: openstacksdk's ``CloudRegion``.
    :raises InvalidConfiguration: when the loader fails or would use the network.
    """
    from openstack.config import OpenStackConfig

    _check_region(cloud, region)
    if region is not None and u"regions" not in cloud:
        # The region of txstorage's own key replaces the cloud's.
        cloud = {key: value for key, value in cloud.items() if key != u"region_name"}
    try:
        _check_profile(cloud, public)
        config = OpenStackConfig(
            config_files=[],
            secure_files=[],
            vendor_files=[] if public is None else [public],
            load_envvars=False,
        )
        # openstacksdk's defaults would count as given.
        config.defaults = {}
        config.cloud_config = {"clouds": {name: cloud}}
        return config.get_one(cloud=name, region_name=region, validate=False)
    except InvalidConfiguration:
        raise
    except Exception as error:
        # The message may contain a secret.
        kind = as_text(type(error).__name__)
    raise InvalidConfiguration(u"cloud", u"openstacksdk cannot use it ({})".format(kind))


__all__ = ["check_installed", "load", "profile_notes"]
