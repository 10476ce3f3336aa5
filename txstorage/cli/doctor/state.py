# -*- test-case-name: tests.cli.doctor.test_command -*-
"""The state that the steps of ``txstorage doctor`` share, and the outcomes of a step."""

from __future__ import annotations

from typing import Any

from ..._configuration.configuration import Configuration
from ..._configuration.keys import EC2
from ..._http.client import HTTPClient
from ...clouds.ec2 import EC2Service, EC2Session
from ...clouds.openstack.service import OpenStackService
from ...driver.operations import BlockDeviceDriver
from ...errors import StorageError
from ..app import App
from ..running import IReactor

#: The name of the cloud that is not EC2.
OPENSTACK = "openstack"


class Skipped(Exception):
    """The step has nothing to check; the text gives the reason."""


class CheckFailed(StorageError):
    """The configuration works, but not safely."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class CheckWarning(CheckFailed):
    """The configuration works, but perhaps not for long, or not as intended."""


class DoctorRun:
    """
    One run of the doctor: the state that its steps share.

    :ivar app: the global options.
    :ivar reactor: the reactor.
    """

    configuration: Configuration
    http: HTTPClient
    service: OpenStackService
    driver: BlockDeviceDriver
    instance_id: str
    #: On EC2, the ARN of the caller, and the instance as EC2 describes it.
    caller: str = ""
    instance: dict[str, Any]
    volumes: tuple[Any, ...]

    def __init__(self, app: App, reactor: IReactor) -> None:
        self.app = app
        self.reactor = reactor

    @property
    def session(self) -> EC2Session:
        """The session with EC2."""
        service: Any = self.service
        assert isinstance(service, EC2Service)
        return service.session

    @property
    def cloud(self) -> str:
        """The cloud; OpenStack until the configuration names EC2."""
        configuration = getattr(self, "configuration", None)
        return EC2 if getattr(configuration, "auth_plugin", "") == EC2 else OPENSTACK


__all__ = ["CheckFailed", "CheckWarning", "DoctorRun", "OPENSTACK", "Skipped"]
