# -*- test-case-name: tests.clouds.ec2.test_codec -*-
"""
The addresses of the services in each region, from botocore's own data.
"""

from __future__ import absolute_import, division, print_function

import re

from ...._support.compat import as_text, native
from ....errors import InvalidConfiguration
from .library import regions

MYPY = False
if MYPY:
    from typing import Any, Mapping, Text  # noqa: F401

# It becomes a part of a host name and of signatures.
_REGION = re.compile(u"[a-z0-9]+(-[a-z0-9]+)+\\Z")

#: The variable of Amazon's own tools for another address of the Security Token Service.
STS_ADDRESS = u"AWS_ENDPOINT_URL_STS"


def endpoint_of(service, region):
    # type: (str, Text) -> Text
    """
    :param str service: botocore's name of the service, such as ``ec2``.
    :param text region: such as ``eu-central-1``; one that is newer than botocore is accepted when
        its name is of a known form.
    :return: text: the URL of the service.
    :raises InvalidConfiguration: there can be no such region, or botocore is not installed.
    """
    data = regions()
    found = None  # type: Any
    if _REGION.match(region):
        from botocore.regions import EndpointResolver

        found = EndpointResolver(data).construct_endpoint(service, native(region))
    if not found:
        raise InvalidConfiguration(
            u"region",
            u"is not a region of Amazon's clouds: {!s}".format(region),
            u"correct the region, such as eu-central-1; for another cloud, set its address in "
            u"'ec2_endpoint'",
        )
    return u"https://" + as_text(found["hostname"])


def sts_endpoint(region, environ):
    # type: (Text, Mapping[Text, Text]) -> Text
    """
    :param text region: such as ``eu-central-1``.
    :param dict environ: the environment, text to text; may name another address.
    :return: text: the URL of the Security Token Service, without a slash at its end.
    :raises InvalidConfiguration: as :func:`endpoint_of` does.
    """
    named = environ.get(STS_ADDRESS, u"").rstrip(u"/")
    return named or endpoint_of("sts", region)


def check_region(service, region):
    # type: (str, Text) -> None
    """
    Check that botocore knows a region.

    :param str service: botocore's name of the service, such as ``ec2``.
    :param text region: such as ``eu-central-1``.
    :raises InvalidConfiguration: it does not, or botocore is not installed.
    """
    known = {
        as_text(name)
        for partition in regions()["partitions"]
        for name in partition["services"].get(service, {}).get("endpoints", {})
    }
    if region not in known:
        raise InvalidConfiguration(
            u"region",
            u"is not a region that the installed botocore knows: {!s}".format(region),
            u"correct the region; for one that is newer than botocore, set validate_region to "
            u"false",
        )


__all__ = ["STS_ADDRESS", "check_region", "endpoint_of", "sts_endpoint"]
