# -*- test-case-name: tests.clouds.ec2.test_sources -*-
"""
Access keys in the files that Amazon's tools share, by profile.

The files are read again whenever keys are needed, so that changed keys come into use.
"""

from __future__ import absolute_import, division, print_function

import os

from twisted.internet.defer import succeed

from ...._support.compat import as_text, native
from ...._support.json_values import Malformed
from ....errors import CredentialsUnavailable, InvalidConfiguration
from ..codec.library import check_installed
from .keys import AccessKeys

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, List, Mapping, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    Assume = Callable[[Text, Text, Optional[Text]], Deferred[AccessKeys]]

# Bytes.
_MAXIMUM = 1024 * 1024
_KEY = u"aws_access_key_id"

#: Keys of a profile that need another program or another service, which txstorage does not use.
_UNSUPPORTED = (
    u"source_profile",
    u"credential_source",
    u"credential_process",
    u"sso_session",
    u"sso_start_url",
)


def _sections(path, load):
    # type: (Text, Callable[[str], Any]) -> Dict[Text, Any]
    """
    :return: dict of the names of a file's sections; an empty one when there is no file.
    :raises InvalidConfiguration: botocore is not installed.
    :raises CredentialsUnavailable: the file can't be read.
    """
    from botocore.exceptions import ConfigNotFound, ConfigParseError

    try:
        full = os.path.expanduser(native(path))
        if os.path.exists(full) and os.path.getsize(full) > _MAXIMUM:
            raise CredentialsUnavailable(u"{} has more than {} bytes".format(path, _MAXIMUM))
        with_texts = load(full)  # type: Dict[Any, Any]
    except ConfigNotFound:
        return {}
    except ConfigParseError:
        # botocore's message has the line, in which a secret may be.
        raise CredentialsUnavailable(u"{} is not an INI file".format(path), u"correct the file")
    except (IOError, OSError) as error:
        raise CredentialsUnavailable(
            u"{} can't be read: {}".format(path, as_text(error.strerror or u"?")),
            u"let this process read the file",
        )
    return {as_text(name): values for name, values in with_texts.items()}


def _texts(values):
    # type: (Any) -> Dict[Text, Text]
    found = values if isinstance(values, dict) else {}
    return {
        as_text(key): as_text(value) for key, value in found.items() if not isinstance(value, dict)
    }


class FileKeys(object):
    """
    A profile of the files ``credentials`` and ``config``.

    :param dict environ: the environment, text to text, with the files' places.
    :param assume: called with a role, the path of a web identity's token and the name of a
        session or ``None`` (texts); returns a ``Deferred`` that fires with :class:`AccessKeys`.
    :param profile: the profile (text); ``None`` for ``AWS_PROFILE``, or ``default``.
    """

    def __init__(self, environ, assume, profile=None):
        # type: (Mapping[Text, Text], Assume, Optional[Text]) -> None
        self._assume = assume
        self._chosen = (
            profile or environ.get(u"AWS_PROFILE") or environ.get(u"AWS_DEFAULT_PROFILE")
        )
        self._credentials = environ.get(u"AWS_SHARED_CREDENTIALS_FILE", u"~/.aws/credentials")
        self._config = environ.get(u"AWS_CONFIG_FILE", u"~/.aws/config")

    @property
    def absent(self):
        # type: () -> Text
        """The reason why there are no keys (text)."""
        return u"{} has no profile '{}' with keys".format(self._credentials, self._name)

    @property
    def _name(self):
        # type: () -> Text
        return self._chosen or u"default"

    def keys(self):
        # type: () -> Deferred[Optional[AccessKeys]]
        """
        :return: a ``Deferred`` that fires with the :class:`AccessKeys`, or ``None`` when the
            default profile has none.
        :raises CredentialsUnavailable: a profile that was chosen does not exist or has no keys, or
            a file or its keys are invalid.
        """
        parts = self._parts()
        if not parts:
            if self._chosen is not None:
                raise CredentialsUnavailable(
                    u"neither {} nor {} has the profile '{}'".format(
                        self._credentials, self._config, self._name
                    ),
                    u"correct the profile's name, or add the profile",
                )
            return succeed(None)
        profile = {}  # type: Dict[Text, Text]
        for _, each in parts:
            profile.update(each)
        role, token_file = profile.get(u"role_arn"), profile.get(u"web_identity_token_file")
        if role and token_file:
            assumed = self._assume(role, token_file, profile.get(u"role_session_name"))
            return assumed  # type: ignore[return-value]
        paths = [path for path, each in parts if each.get(_KEY)]
        if paths:
            return succeed(self._checked(profile, paths[-1]))
        self._refuse_unsupported(profile)
        return succeed(None)

    def _parts(self):
        # type: () -> List[Tuple[Text, Dict[Text, Text]]]
        """
        :return: list of pairs: the path of each file that has the profile, and the profile's
            settings there, text to text; those of the last file count.
        :raises CredentialsUnavailable: a file is invalid.
        """
        try:
            check_installed()
        except InvalidConfiguration:
            if self._chosen is None:
                return []
            raise
        from botocore.configloader import load_config, raw_config_parse

        config = _sections(self._config, load_config).get(u"profiles", {})
        secrets = _sections(self._credentials, raw_config_parse)
        return [
            (path, _texts(each[native(self._name)]))
            for path, each in ((self._config, config), (self._credentials, secrets))
            if native(self._name) in each
        ]

    def _checked(self, profile, path):
        # type: (Mapping[Text, Text], Text) -> AccessKeys
        try:
            return AccessKeys.checked(
                profile.get(_KEY),
                profile.get(u"aws_secret_access_key"),
                profile.get(u"aws_session_token"),
                origin=u"the profile '{}' in {}".format(self._name, path),
            )
        except Malformed as error:
            raise CredentialsUnavailable(
                u"the profile '{}' in {}: {}".format(self._name, path, error.problem),
                u"correct the profile",
            )

    def _refuse_unsupported(self, profile):
        # type: (Mapping[Text, Text]) -> None
        for key in _UNSUPPORTED:
            if profile.get(key):
                raise CredentialsUnavailable(
                    u"the profile '{}' uses '{}', which txstorage does not support".format(
                        self._name, key
                    ),
                    u"use a profile with access keys or with a web identity, or export the keys: "
                    u"'aws configure export-credentials --format env'",
                )


__all__ = ["FileKeys"]
