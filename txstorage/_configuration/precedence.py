# -*- test-case-name: tests._configuration.test_cloud_keys -*-
"""
The keys of a cloud of ``clouds.yaml`` that a given key replaces.

Some keys are alternatives: a project's id or name, a password or a token.  A given alternative
replaces the cloud's, because the two must not be mixed.
"""

from __future__ import absolute_import, division, print_function

MYPY = False
if MYPY:
    from typing import Any, Dict, Iterable, List, Text, Tuple  # noqa: F401

_APPLICATION = ("application_credential_id", "application_credential_name")
_APPLICATION_SECRET = ("application_credential_secret", "application_credential_secret_file")
_USER = ("password", "password_file", "token", "token_file")

#: Each given key of the first tuple replaces the cloud's keys of the second.
_GROUPS = [
    (names, names)
    for names in (
        ("username", "user_id"),
        ("user_domain_id", "user_domain_name"),
        ("project_name", "project_id", "trust_id", "system_scope"),
        ("project_domain_id", "project_domain_name"),
        ("default_domain_id", "default_domain_name"),
        ("client_certificate", "client_key"),
    )
] + [
    (_USER, _USER + _APPLICATION + _APPLICATION_SECRET + ("auth_plugin",)),
    (_APPLICATION, _USER + _APPLICATION + ("auth_plugin",)),
    (_APPLICATION_SECRET, _USER + _APPLICATION_SECRET + ("auth_plugin",)),
]  # type: List[Tuple[Tuple[str, ...], Tuple[str, ...]]]

#: The keys that a given key replaces, besides itself.
REPLACES = {name: replaced for names, replaced in _GROUPS for name in names}


def without_replaced(values, given):
    # type: (Dict[Text, Any], Iterable[str]) -> Dict[Text, Any]
    """
    :param dict values: a cloud's values by txstorage's key names.
    :param given: the names of the keys that are given besides the cloud.
    :return: the cloud's values that still apply.
    """
    replaced = set(given)
    for name in given:
        replaced.update(REPLACES.get(name, ()))
    return {name: value for name, value in values.items() if name not in replaced}


__all__ = ["REPLACES", "without_replaced"]
