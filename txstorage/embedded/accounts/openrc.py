# -*- test-case-name: tests.embedded.accounts.test_openrc -*-
"""The ``openrc`` of a user: a shell's file with the variables that OpenStack's clients read."""

from __future__ import annotations

import shlex

import attr

from ..settings import DOMAIN, PROJECT, REGION, USER
from .declarations import Declaration

#: Variables of another cloud that stay in the shell would change what the new ones mean.
_FORGET = r"""for name in $(env | sed -n 's/^\(OS_[A-Z0-9_]*\)=.*/\1/p'); do unset "$name"; done"""


@attr.s(frozen=True, auto_attribs=True)
class Login:
    """
    A user's way into the service.

    :ivar project: the name of the user's first project.
    :ivar password_file: its path; the variables' file reads it and does not contain the password.
    """

    user: str
    project: str
    password_file: str

    @property
    def file_name(self) -> str:
        """The name of the ``openrc`` in the state directory."""
        return "openrc" if self.user == USER else f"openrc-{self.user}"


def first_login(password_file: str) -> Login:
    """The login of the user that always exists."""
    return Login(USER, PROJECT, password_file)


def login(user: Declaration, password_file: str) -> Login:
    """
    :param password_file: where the password is, unless the declaration names another file.
    """
    return Login(user.name, next(iter(user.roles)), user.password_file or password_file)


def client_variables(
    auth_url: str, username: str, project_name: str, region_name: str = REGION
) -> dict[str, str]:
    """:return: the variables that OpenStack's clients read, but the password."""
    return {
        "OS_AUTH_URL": auth_url,
        "OS_IDENTITY_API_VERSION": "3",
        "OS_REGION_NAME": region_name,
        "OS_USERNAME": username,
        "OS_USER_DOMAIN_NAME": DOMAIN["name"],
        "OS_PROJECT_NAME": project_name,
        "OS_PROJECT_DOMAIN_NAME": DOMAIN["name"],
    }


def openrc(found: Login, auth_url: str, certificate: str | None = None) -> str:
    """
    :param certificate: the path of the certificate to trust; ``None`` without TLS.
    :return: the text of the file.
    """
    variables = client_variables(auth_url, found.user, found.project)
    if certificate is not None:
        variables["OS_CACERT"] = certificate
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    password = f'export OS_PASSWORD="$(cat {shlex.quote(found.password_file)})"'
    head = "# 'txstorage serve' writes this file at each start.  Use it with: . FILE"
    return "\n".join([head, _FORGET, *lines, password, ""])


__all__ = ["Login", "client_variables", "first_login", "login", "openrc"]
