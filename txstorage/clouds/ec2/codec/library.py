# -*- test-case-name: tests.clouds.ec2.test_codec -*-
"""
botocore's own data: the models of the services, and the regions.

Functions import botocore, because it is an extra of the package, and the import is slow.  Nothing
of ``botocore.session`` is used: its credentials and its transport block.
"""

from __future__ import absolute_import, division, print_function

from ....errors import InvalidConfiguration

MYPY = False
if MYPY:
    from typing import Any, Dict, Text  # noqa: F401


def check_installed():
    # type: () -> None
    """
    :raises InvalidConfiguration: when botocore cannot be imported.
    """
    try:
        import botocore  # noqa: F401
    except ImportError:
        raise InvalidConfiguration(
            u"region",
            u"selects Amazon EC2, which needs botocore, and botocore is not installed",
            u"pip install 'txstorage[ec2]'",
        )


def _loader():
    # type: () -> Any
    check_installed()
    from botocore.loaders import Loader

    # Models below ~/.aws would replace botocore's own.
    return Loader(
        extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False
    )


def service_model(service, version):
    # type: (str, str) -> Dict[str, Any]
    """
    :param service: botocore's name of the service, such as ``ec2``.
    :param version: of its API, such as ``2016-11-15``.
    :return: dict: botocore's description of all of the service's operations.
    :raises InvalidConfiguration: botocore is not installed.
    """
    model = _loader().load_service_model(service, "service-2", version)  # type: Dict[str, Any]
    return model


def regions():
    # type: () -> Dict[str, Any]
    """
    :return: dict: botocore's description of all partitions and their regions.
    :raises InvalidConfiguration: botocore is not installed.
    """
    found = _loader().load_data("endpoints")  # type: Dict[str, Any]
    return found


__all__ = ["check_installed", "regions", "service_model"]
