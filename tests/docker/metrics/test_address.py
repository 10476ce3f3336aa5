"""Tests for :mod:`txstorage.docker.metrics.address`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.metrics import MetricsAddress, exposure, read_metrics_address


class AddressTests(SynchronousTestCase):
    """The address of the metrics."""

    def test_read(self) -> None:
        """A port alone is one of loopback; an IPv6 address stands in brackets."""
        for text, host, port in [
            ("9108", "127.0.0.1", 9108),
            ("localhost:9108", "127.0.0.1", 9108),
            ("127.0.0.1:0", "127.0.0.1", 0),
            ("0.0.0.0:65535", "0.0.0.0", 65535),
            ("[::1]:9108", "::1", 9108),
        ]:
            self.assertEqual(MetricsAddress(host, port), read_metrics_address(text), text)
        self.assertEqual("[::1]:1", str(MetricsAddress("::1", 1)))

    def test_wrong(self) -> None:
        """Everything else is an error."""
        for text in (
            "", ":", "x", "-1", "65536", "1.5", "²", ":9108", "host:9108", "127.0.0.1", "::1:9108",
            "[127.0.0.1]:9108", "[::1:9108", "[fe80::1%lo]:9108", "127.0.0.1:", "1.2.3.4:99999",
            "http://127.0.0.1:9108",
        ):  # fmt: skip
            self.assertRaises(ValueError, read_metrics_address, text)

    def test_exposure(self) -> None:
        """All addresses but those of loopback get a warning."""
        for host in ("127.0.0.1", "127.1.2.3", "::1"):
            self.assertEqual("", exposure(MetricsAddress(host, 1)))
        for host in ("0.0.0.0", "::", "192.0.2.1"):
            self.assertIn(str(MetricsAddress(host, 7)), exposure(MetricsAddress(host, 7)))
