# -*- test-case-name: tests.embedded.test_agent_yml -*-
"""The files for clients of the embedded service; people may edit an ``agent.yml``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attr
import yaml

from .._support.notations.addresses import in_brackets
from .accounts.openrc import Login, openrc
from .disk import is_full, write_private
from .memory import ServiceMemory
from .settings import DEFAULT_TYPE, DOMAIN, PROJECT, REGION, USER, VOLUME_TYPES
from .state_directory import StateDirectory

#: The wildcard addresses.  The devices are this machine's, so an agent is on this
#: machine too.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def reachable(host: str) -> str:
    """The host by which an agent reaches a service that listens on an address."""
    return _LOOPBACK.get(host, host)


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class Access:
    """
    The address and the trust of the service.

    :ivar cluster_id: of the one cluster that the nodes form.
    :ivar certificate: path of the certificate to trust; ``None`` without TLS.
    :ivar device_directory: the directory of the regular files that stand for devices; ``None`` with
        real devices.
    """

    host: str
    port: int
    password_file: str
    cluster_id: str
    certificate: str | None = None
    device_directory: str | None = None

    @property
    def auth_url(self) -> str:
        """The URL of Identity."""
        host = reachable(self.host)
        return "{}://{}:{}/identity/v3".format(
            "https" if self.certificate else "http",
            in_brackets(host),
            self.port,
        )


def agent_configuration(access: Access, instance_id: str) -> dict[str, Any]:
    """
    One node's ``agent.yml``, which names the file with the password and does not contain it.

    :param instance_id: the node's.
    """
    dataset = {
        "backend": "txstorage",
        "region": REGION,
        "auth_plugin": "password",
        "auth_url": access.auth_url,
        "username": USER,
        "password_file": access.password_file,
        "project_name": PROJECT,
        "user_domain_name": DOMAIN["name"],
        "project_domain_name": DOMAIN["name"],
        "cluster_id": access.cluster_id,
        "instance_id": instance_id,
        "profiles": {name: name for name in VOLUME_TYPES if name != DEFAULT_TYPE},
    }
    if access.certificate is not None:
        dataset["verify_ca_path"] = access.certificate
    if access.device_directory is not None:
        dataset["device_directory"] = access.device_directory
    return {"version": 1, "control-service": {"hostname": "127.0.0.1"}, "dataset": dataset}


def as_yaml(configuration: Mapping[str, Any]) -> str:
    """The text of an ``agent.yml``."""
    text: str = yaml.safe_dump(dict(configuration), sort_keys=False)
    return text


class UnreadableAgent(Exception):
    """An edited ``agent.yml`` can't be read; the text gives the reason."""


_MISSING = object()
#: The keys that were always the service's, for files of versions that remembered nothing.
_OURS = frozenset(
    ["auth_url", "password_file", "cluster_id", "instance_id", "verify_ca_path"]
    + ["device_directory", "profiles"]
)


def with_edits_kept(
    text: str, written: Sequence[Mapping[str, Any]], configuration: Mapping[str, Any]
) -> str:
    """
    Bring an existing ``agent.yml`` up to date, and keep what people have changed in it.

    :param text: the file's.
    :param written: the ``dataset`` sections that the service may have written last.
    :param configuration: as the service would write it now.
    :return: the new text; comments and the order stay.
    :raises UnreadableAgent: the text is no ``agent.yml``.
    """
    found = _dataset(text)
    now: Mapping[str, Any] = configuration["dataset"]
    for name in dict.fromkeys([*found, *now, *(each for one in written for each in one)]):
        value, new = found.get(name, _MISSING), now.get(name, _MISSING)
        if value != new and _is_unedited(name, value, written):
            text = _with_line(text, name, new)
    return text


def _is_unedited(name: str, value: object, written: Sequence[Mapping[str, Any]]) -> bool:
    """Check that the service, and no person, has given a key its value, or left it out."""
    if not written:
        return name in _OURS
    return any(each.get(name, _MISSING) == value for each in written)


def _dataset(text: str) -> dict[str, Any]:
    """
    :raises UnreadableAgent: there is none.
    """
    try:
        dataset = yaml.safe_load(text)["dataset"]
    except (yaml.YAMLError, TypeError, KeyError) as error:
        raise UnreadableAgent(" ".join(str(error).split()) or type(error).__name__) from error
    if not isinstance(dataset, dict):
        raise UnreadableAgent("its 'dataset' is not a mapping")
    return dataset


def _with_line(text: str, name: str, value: object) -> str:
    """
    Set a key of the ``dataset`` section, or remove it.

    :raises UnreadableAgent: people have laid the section out in another way.
    """
    lines = text.splitlines(keepends=True)
    begin = next((n for n, line in enumerate(lines) if re.match(r"dataset:\s*(#|$)", line)), None)
    if begin is None:
        raise UnreadableAgent("its 'dataset' begins on no line of its own")
    section = list(_section(lines, begin + 1))
    indent = next((re.match(r" *", lines[n])[0] for n in section if lines[n].strip()), "  ")  # type: ignore[index]
    new = [] if value is _MISSING else [f"{indent}{name}: {_flow(value)}\n"]
    place = [n for n in section if re.match(rf"{indent}{re.escape(name)}\s*:", lines[n])]
    if not place:
        lines[begin + 1 : begin + 1] = new
    else:
        # The lines of a mapping or of folded text stand further in.
        end = place[0] + 1
        while end in section and re.match(rf"{indent}\s+\S", lines[end]):
            end += 1
        lines[place[0] : end] = new
    changed = "".join(lines)
    if _dataset(changed).get(name, _MISSING) != value:
        raise UnreadableAgent(f"its key {name} could not be changed")
    return changed


def _section(lines: Sequence[str], begin: int) -> Iterator[int]:
    """The numbers of a section's lines."""
    for number in range(begin, len(lines)):
        if re.match(r"[^\s#]", lines[number]):
            return
        yield number


def _flow(value: object) -> str:
    """A value on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**9)
    return text.removesuffix("\n").removesuffix("...").rstrip()


class AgentFiles:
    """
    The files of nodes and of users in a state directory.

    :param nodes: server ids by name, the first declared first.
    :ivar remarks: the paths, and warnings, for people.
    """

    def __init__(self, state: StateDirectory, access: Access, nodes: Mapping[str, str]) -> None:
        self._state = state
        self._access = access
        self._nodes = nodes
        self.remarks: list[str] = []

    def write(self, facts: Mapping[str, str]) -> str:
        """
        Bring the files up to date.

        :param facts: ids, by their names in the store.
        :return: the text of the first node's.
        """
        former = ServiceMemory.load(self._state.memory).agents
        now = {name: agent_configuration(self._access, each) for name, each in self._nodes.items()}
        written = {name: _listed(former.get(name, []), each) for name, each in now.items()}
        # An interrupted start may have written a part of the files.
        self._put(self._state.memory, ServiceMemory(facts, self._nodes, written).as_bytes())
        texts = [self._update(name, former.get(name, []), each) for name, each in now.items()]
        only = {name: [each["dataset"]] for name, each in now.items()}
        self._put(self._state.memory, ServiceMemory(facts, self._nodes, only).as_bytes())
        return texts[0]

    def write_logins(self, logins: Iterable[Login]) -> None:
        """Write the users' files of variables for OpenStack's clients."""
        for each in logins:
            path = self._state.file(each.file_name)
            text = openrc(each, self._access.auth_url, self._access.certificate)
            self.remarks.append(f"clients of OpenStack, as {each.user}: . {shlex.quote(path)}")
            self._put(path, text.encode("utf-8"))

    def _update(
        self, name: str, written: Sequence[Mapping[str, Any]], configuration: Mapping[str, Any]
    ) -> str:
        path = self._state.agent(name)
        self.remarks.append(f"{name}: {path}")
        try:
            with open(path, encoding="utf-8", errors="surrogateescape", newline="") as opened:
                found = opened.read()
        except FileNotFoundError:
            text = as_yaml(configuration)
            self._put(path, text.encode("utf-8"))
            return text
        try:
            text = with_edits_kept(found, written, configuration)
        except UnreadableAgent as error:
            self.remarks.append(f"warning: {path} is left as it is: {error}")
            return found
        self._put(path, text.encode("utf-8"))
        return text

    def _put(self, path: str, content: bytes) -> None:
        """Write a file, unless that changes nothing, or the disk is full."""
        try:
            with open(path, "rb") as opened:
                if opened.read() == content:
                    return
        except FileNotFoundError:
            pass
        try:
            write_private(path, content)
        except OSError as error:
            if not is_full(error):
                raise
            self.remarks.append(f"warning: disk full: {path} could not be written")


def _listed(
    former: Sequence[dict[str, Any]], configuration: Mapping[str, Any]
) -> list[dict[str, Any]]:
    return [
        *(each for each in former if each != configuration["dataset"]),
        configuration["dataset"],
    ]
