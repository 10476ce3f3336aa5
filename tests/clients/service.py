"""The embedded service as a child, with accounts for the clients."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from types import TracebackType
from urllib.request import Request, urlopen

from ..run import ROOT
from .accounts import DOMAIN, Account, Accounts

#: The users besides the one that the service declares itself, by what they are for: the name, the
#: project and the roles.
USERS = {
    # openstacksdk names the project.
    "other": ("other", "demo", "member"),
    "admin": ("administrator", "admin", "admin"),
    "reader": ("reader", "txstorage", "reader"),
    "manager": ("manager", "txstorage", "manager"),
}
#: The service's options: Cinder's default quota, beside a real service's speed.
OPTIONS = ("--max-gigabytes", "1000")


def account(url: str, username: str, password: str, project: str) -> Account:
    """
    :param url: Identity's, with ``/v3``.
    :return: the account, with the roles that Identity knows.
    """
    domain = {"name": DOMAIN}
    user = {"name": username, "domain": domain, "password": password}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"name": project, "domain": domain}}
    body = json.dumps({"auth": {"identity": identity, "scope": scope}}).encode("utf-8")
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(url + "/auth/tokens", body, headers)) as answer:
        token = json.load(answer)["token"]
    roles = tuple(role["name"] for role in token["roles"])
    ids = token["project"]["id"], token["user"]["id"]
    return Account(username, password, project, roles, *ids)


class Service:
    """
    A running service, until its end as a context manager.

    :ivar accounts: its :class:`~tests.clients.accounts.Accounts`.
    :param state: a directory.
    :param options: of ``serve``.
    :raises OSError: it did not start, with the end of its log.
    """

    def __init__(self, state: str, options: tuple[str, ...] = OPTIONS) -> None:
        arguments = ["--state-dir", state, "--port", "0", "--devices", "file", *options]
        for user in USERS.values():
            arguments += ["--user", ":".join(user)]
        self._log = open(os.path.join(os.path.dirname(state), "serve.log"), "wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "txstorage.cli", "--json", "serve", *arguments],
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=dict(os.environ, PYTHONPATH=ROOT),
        )
        document, _ = json.JSONDecoder().raw_decode(self._document())
        node = document["agent"]["dataset"]

        def made(path: str, username: str, project: str) -> Account:
            with open(path, encoding="utf-8") as opened:
                return account(document["auth_url"], username, opened.read().strip(), project)

        user = made(node["password_file"], node["username"], node["project_name"])
        more = {
            use: made(os.path.join(state, "password-" + name), name, project)
            for use, (name, project, _) in USERS.items()
        }
        self.accounts = Accounts(document["auth_url"], node["region"], user, **more)

    def _document(self) -> str:
        assert self._process.stdout is not None
        lines = []
        for line in iter(self._process.stdout.readline, b""):
            lines.append(line.decode("utf-8"))
            if line.rstrip() == b"}":
                return "".join(lines)
        self.__exit__(None, None, None)
        with open(self._log.name, encoding="utf-8", errors="replace") as opened:
            raise OSError("the service did not start: " + opened.read()[-2000:])

    @property
    def port(self) -> int:
        """The port."""
        return int(self.accounts.url.rpartition(":")[2].split("/")[0])

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate()
        self._log.close()
