# -*- test-case-name: tests.embedded.testing.test_double -*-
"""
The interface that all doubles of OpenStack have.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, TypeVar

import attr
import yaml

from ..accounts.openrc import client_variables
from ..settings import DOMAIN, PROJECT, REGION, USER

#: The name of the cloud in ``clouds.yaml``.
CLOUD = "txstorage"
_Self = TypeVar("_Self", bound="OpenStackDouble")


class ControlRefused(Exception):
    """
    A double has refused a request of its controls; the text gives the reason.

    :ivar status: of the answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class RecordedRequest:
    """
    One request that a double has answered, or whose connection has ended.

    :ivar number: counted from 1.
    :ivar time: the end, in seconds since the epoch, on the double's clock.
    :ivar duration: seconds.
    :ivar path: without the query.
    :ivar query: the text after the question mark; empty for EC2, whose signatures are there.
    :ivar status: of the answer; ``None`` if there was none.
    :ivar request_id: the double's, which the answer has in ``x-openstack-request-id``.
    :ivar microversion: the version that the client asked for, such as ``3.60``, or ``None``.
    :ivar action: EC2's, such as ``CreateVolume``; ``None`` for other services.
    :ivar body: the JSON value of the request, or the parameters of EC2's; ``None`` for none, for a
        long one, and for all of Identity's and of ``sts``, which have passwords.
    """

    number: int
    time: float
    duration: float
    method: str
    path: str
    query: str
    status: int | None
    request_id: str
    microversion: str | None
    action: str | None
    body: Any


class RequestedFault:
    """
    A fault that a test has requested.

    :ivar fault_id: its number.
    """

    def __init__(self, double: OpenStackDouble, fault_id: int) -> None:
        self.fault_id = fault_id
        self._double = double

    def remove(self) -> None:
        """
        End the fault; the transitions that it keeps are carried out.

        :raises ControlRefused: it has ended already.
        """
        self._double.ask("DELETE", f"/faults/{self.fault_id}")


class OpenStackDouble:
    """
    An OpenStack for tests, and its controls.

    It is also a context manager, which closes it.

    :ivar auth_url: the address of Identity.
    :ivar username: of the user, who has the role ``member``.
    :ivar password: of the user.
    """

    username = USER
    project_name = PROJECT
    region_name = REGION
    auth_url: str
    password: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """
        Make one request to the controls.

        :param path: such as ``/faults``.
        :param body: a JSON value.
        :return: the JSON value of the answer; ``None`` for an empty one.
        :raises ControlRefused: the answer is an error.
        """
        raise NotImplementedError()

    def close(self) -> None:
        """End it, and remove everything that it has made."""
        raise NotImplementedError()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- for clients -----------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """The variables that OpenStack's clients read."""
        names = (self.username, self.project_name, self.region_name)
        return {**client_variables(self.auth_url, *names), "OS_PASSWORD": self.password}

    @property
    def cloud(self) -> dict[str, Any]:
        """The cloud's entry in ``clouds.yaml``."""
        return {
            "auth": {
                "auth_url": self.auth_url,
                "username": self.username,
                "password": self.password,
                "project_name": self.project_name,
                "user_domain_name": DOMAIN["name"],
                "project_domain_name": DOMAIN["name"],
            },
            "region_name": self.region_name,
            "identity_api_version": 3,
        }

    @property
    def clouds_yaml(self) -> str:
        """The text of a ``clouds.yaml``, in which the cloud is named ``txstorage``."""
        return yaml.safe_dump({"clouds": {CLOUD: self.cloud}}, sort_keys=False)

    # -- faults ----------------------------------------------------------------

    def fail(
        self,
        route: str,
        *,
        times: int | None = 1,
        status: int | None = None,
        code: str | None = None,
        message: str | None = None,
        retry_after: int | None = None,
        carried_out: bool = False,
        delay: float | None = None,
        lost: str | None = None,
    ) -> RequestedFault:
        """
        Let the next answers of a route have a fault.

        :param route: such as ``POST /volume/v3/volumes``; see the documentation for all names.
        :param times: how often; ``None``: until the fault is removed.
        :param status: of an error in the service's form, such as 500, 503, 429.
        :param code: of an error of EC2's.
        :param message: of the error.
        :param retry_after: seconds, for the error's header ``Retry-After``.
        :param carried_out: whether the request is carried out, although the answer is an error.
        :param delay: seconds on the double's clock until the answer, whose request is carried out
            at once.
        :param lost: ``request`` to end the connection before the request is carried out,
            ``answer`` to end it afterwards.
        :raises ControlRefused: there is no such route, or no such fault.
        """
        return self._add(
            route=route,
            times=times,
            status=status,
            code=code,
            message=message,
            retry_after=retry_after,
            carried_out=carried_out or None,
            delay=delay,
            lost=lost,
        )

    def fail_transition(
        self,
        transition: str,
        *,
        times: int | None = 1,
        resource: str = "volume",
        resource_id: str | None = None,
        stuck: bool = False,
        seconds: float | None = None,
        error: str | None = None,
    ) -> RequestedFault:
        """
        Let the next transitions of resources have a fault.

        :param transition: the status meanwhile, such as ``creating``, ``attaching``, or a server's
            ``BUILD``; that of a server which is deleted is ``DELETING``, although clients see none.
        :param times: how often; ``None``: until the fault is removed.
        :param resource: ``volume``, ``snapshot``, ``backup`` or ``server``.
        :param resource_id: the only one with the fault; by default any.
        :param stuck: whether the status stays until the fault is removed.
        :param seconds: the transition's duration on the double's clock.
        :param error: the reason with which the transition fails.
        :raises ControlRefused: there is no such transition, or no such fault.
        """
        return self._add(
            transition=transition,
            times=times,
            resource=resource,
            resource_id=resource_id,
            stuck=stuck or None,
            seconds=seconds,
            error=error,
        )

    def _add(self, times: int | None, **members: Any) -> RequestedFault:
        given = {name: value for name, value in members.items() if value is not None}
        return RequestedFault(
            self, self.ask("POST", "/faults", {"times": times, **given})["fault"]["id"]
        )

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The faults that will still happen, or that keep transitions, the oldest first."""
        found: list[dict[str, Any]] = self.ask("GET", "/faults")["faults"]
        return found

    @property
    def routes(self) -> list[str]:
        """The names of all routes."""
        found: list[str] = self.ask("GET", "/faults")["routes"]
        return found

    def clear_faults(self) -> None:
        """End all faults; the transitions that they keep are carried out."""
        self.ask("DELETE", "/faults")

    # -- the rest --------------------------------------------------------------

    @property
    def requests(self) -> list[RecordedRequest]:
        """The last requests to the services, the oldest first: at most 1000."""
        return [RecordedRequest(**each) for each in self.ask("GET", "/requests")["requests"]]

    @property
    def now(self) -> str:
        """The double's time, as ISO 8601 has it."""
        found: str = self.ask("GET", "/clock")["clock"]["now"]
        return found

    def advance(self, seconds: float) -> None:
        """
        Advance the double's clock, by which transitions, tokens and late answers go.  Afterwards,
        everything that is due has happened.
        """
        self.ask("POST", "/clock", {"advance": seconds})

    def reset(self) -> None:
        """
        Return to the beginning: without volumes, snapshots, backups, faults, recorded requests, and
        servers that clients have made, at the real time.  The user, the tokens and the nodes stay.
        """
        self.ask("POST", "/reset")
