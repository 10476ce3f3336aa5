"""
The fake cloud's process: ``python -m benchmarks.cloud --delay 2``.

Prints one line of JSON when it accepts connections: the URL of Identity, the URL of the control,
the file of the certificate authority, and the ids of a node and of the servers to attach to.  The
end of its input ends it.

The control answers ``GET /counters``, ``GET /log`` and ``POST /reset``.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import gc
import ipaddress
import json
import os
import resource
import ssl
import sys
import tempfile
import time
from functools import partial
from typing import Any

from .api import API, PROJECT
from .http import Connection, Counters, Rate, Request, Response
from .servers import Cloud
from .volumes import Volumes

HOST = "127.0.0.1"


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """:return: the options."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--delay", type=float, default=0.0, help="seconds of each transition")
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--serial", action="store_true", help="one attach at a time on a server")
    parser.add_argument("--rate", type=float, default=0.0, help="requests per second; 0: any")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--others", type=int, default=0, help="volumes of other clusters")
    parser.add_argument("--owned", type=int, default=0, help="volumes of --cluster")
    parser.add_argument("--cluster", default="", help="the id of the cluster that has --owned")
    parser.add_argument("--idle", type=float, default=900.0, help="seconds of a kept connection")
    parser.add_argument("--log", action="store_true", help="keep the requests, for a replay")
    return parser.parse_args(arguments)


def certificate(directory: str) -> tuple[str, str]:
    """
    Make a certificate for this host, which is its own authority.

    :return: the paths of the certificate and of its key.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fake cloud")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address(HOST))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = os.path.join(directory, "certificate.pem"), os.path.join(directory, "key.pem")
    encoding = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    for path, content in zip(paths, (made.public_bytes(encoding), secret)):
        with open(path, "wb") as opened:
            opened.write(content)
    return paths


def populate(volumes: Volumes, options: argparse.Namespace) -> None:
    """Add the volumes that are there before a measurement."""
    for index in range(options.others + options.owned):
        owned = index >= options.others
        cluster = options.cluster if owned else f"00000000-0000-4000-8000-{index % 10:012}"
        dataset = f"00000000-0000-4000-9000-{index:012}"
        labels = {"flocker-cluster-id": cluster, "flocker-dataset-id": dataset}
        volume = volumes.add(f"flocker-{dataset}", 1, labels)
        volume.change(volumes.clock(), "available", None)


class Control:
    """The control's answers."""

    def __init__(self, counters: Counters, log: list[Any]) -> None:
        self._counters, self._log = counters, log
        self._cpu = time.process_time()

    def answer(self, request: Request) -> Response:
        """:return: the response to a request."""
        if request.path == "/reset":
            self._counters.reset()
            self._log.clear()
            self._cpu = time.process_time()
            return Response(204)
        if request.path == "/log":
            return Response(200, json.dumps(self._log).encode())
        counted = {**vars(self._counters), "cpu": time.process_time() - self._cpu}
        return Response(200, json.dumps(counted).encode())


async def serve(options: argparse.Namespace, directory: str) -> None:
    """Serve until the end of the input."""
    loop = asyncio.get_running_loop()
    context, authority = None, None
    if options.tls:
        authority, key = certificate(directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority, key)
    counters, log = Counters(), []
    # The port is known before the cloud, whose links name it.
    answers: list[Any] = []
    connection = partial(
        Connection, lambda request: answers[0](request), counters, Rate(options.rate), options.idle
    )
    server = await loop.create_server(connection, HOST, 0, ssl=context, backlog=8192)
    base = f"http{'s' if options.tls else ''}://{HOST}:{server.sockets[0].getsockname()[1]}"
    volumes = Volumes(base, PROJECT)
    populate(volumes, options)
    cloud = Cloud(loop, volumes, options.servers + 1, options.delay, options.serial)
    *servers, node = cloud.servers
    answers.append(API(base, cloud, counters, log if options.log else None).answer)
    control = Control(counters, log)
    controlled = partial(Connection, control.answer, Counters(), Rate(0))
    control_server = await loop.create_server(controlled, HOST, 0)
    ready = {
        "auth_url": base + "/identity/v3",
        "control": f"http://{HOST}:{control_server.sockets[0].getsockname()[1]}",
        "authority": authority,
        "node": node,
        "servers": servers,
    }
    gc.collect()
    gc.freeze()
    print(json.dumps(ready), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Run from the command line."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(serve(parsed(), directory))


if __name__ == "__main__":
    main()
