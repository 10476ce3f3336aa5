# -*- test-case-name: tests.embedded.ec2.test_ports -*-
"""
The ports of the EC2 face: one of the Query API, and one of each node's metadata after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import attr
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IListeningPort
from twisted.web.resource import IResource

from ...._support.notations.addresses import in_brackets
from ...disk import write_private
from ...settings import EC2Settings
from .call import EC2Context
from .face import QueryAPI
from .imds import MetadataService, NodeMetadata

#: Opens a port with a resource: a public one, with TLS if the service has it, or one that only this
#: machine reaches, without.  Returns the port.
Listen = Callable[[int, IResource, bool], IListeningPort]


@attr.s(frozen=True, auto_attribs=True)
class EC2Ports:
    """
    The addresses of the EC2 face.

    :ivar api: the URL of the Query API.
    :ivar metadata: the URL of each node's metadata, by the node's name.
    :ivar certificate: the path of the certificate to trust; ``None`` without TLS.
    """

    api: str
    metadata: dict[str, str]
    certificate: str | None = None

    def remarks(self, credentials: str, region: str) -> list[str]:
        """
        Return the environment of a client, for people.

        :param credentials: the path of the file with the access key.
        """
        trust = "" if self.certificate is None else f" AWS_CA_BUNDLE={self.certificate}"
        lines = [
            f"ec2: AWS_ENDPOINT_URL={self.api} AWS_DEFAULT_REGION={region} "
            f"AWS_SHARED_CREDENTIALS_FILE={credentials}{trust}"
        ]
        lines += [
            f"ec2: {name}: AWS_EC2_METADATA_SERVICE_ENDPOINT={url}"
            for name, url in self.metadata.items()
        ]
        return lines


def open_ports(
    context: EC2Context,
    listen: Listen,
    host: str,
    number: int,
    certificate: tuple[str, str] | None,
) -> EC2Ports:
    """
    Open the ports.

    :param host: by which clients reach the Query API.
    :param number: the port of the Query API; the nodes have the next ones; 0: any free ones.
    :param certificate: the paths of the certificate and its key; metadata has no TLS on EC2.
    :raises ServeError: a port is not free.
    """
    scheme = "http" if certificate is None else "https"
    api = listen(number, QueryAPI(context), True)
    found = {}
    # The first declared node has the first port.
    for index, server in enumerate(reversed(context.store.servers.every()), 1):
        metadata = MetadataService(NodeMetadata(server, context), context.now)
        opened = listen(number and number + index, metadata, False)
        address = _address(opened)
        found[server.name] = f"http://{in_brackets(address.host)}:{address.port}"
    certificate_path = None if certificate is None else certificate[0]
    url = f"{scheme}://{in_brackets(host)}:{_address(api).port}"
    return EC2Ports(url, found, certificate_path)


def _address(port: IListeningPort) -> IPv4Address:
    return cast(IPv4Address, port.getHost())


def write_credentials(path: str, settings: EC2Settings) -> None:
    """Write the access key in the form of a shared credentials file."""
    lines: Sequence[str] = (
        "[default]",
        f"aws_access_key_id = {settings.access_key_id}",
        f"aws_secret_access_key = {settings.secret_access_key}",
        "",
    )
    write_private(path, "\n".join(lines).encode("ascii"))
