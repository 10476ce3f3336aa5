"""Tests for :mod:`txstorage.cli.docker_plugin.addresses`."""

from __future__ import annotations

import click
from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.docker_plugin.addresses import MetricsAddress, exposure


class AddressTests(SynchronousTestCase):
    """The argument of ``--metrics``."""

    def test_read(self) -> None:
        """A port alone is one of this machine; IPv6 addresses have brackets."""
        for text, address in (
            ("9108", ("127.0.0.1", 9108)),
            ("0.0.0.0:1", ("0.0.0.0", 1)),
            ("[::1]:9108", ("::1", 9108)),
            ("localhost:9108", ("localhost", 9108)),
        ):
            self.assertEqual(address, MetricsAddress().convert(text, None, None))
        for text in ("", "0", "65536", "x", "1:2:3", "a b:1", "::1:9108", "127.0.0.1:"):
            self.assertRaises(click.BadParameter, MetricsAddress().convert, text, None, None)

    def test_exposed(self) -> None:
        """An address that other machines can reach is worth a warning."""
        for host in ("127.0.0.1", "::1", "localhost"):
            self.assertEqual("", exposure((host, 1)))
        self.assertEqual("", exposure(None))
        for host in ("0.0.0.0", "::", "10.0.0.1", "node-1"):
            self.assertIn(host, exposure((host, 1)))
