# -*- coding: utf-8 -*-
"""Tests of the addresses of HTTP services."""

from __future__ import absolute_import, division, print_function

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.compat import PY2
from txstorage._support.notations.addresses import (
    Address,
    MalformedAddress,
    as_ip_address,
    in_brackets,
    is_loopback,
    read_address,
)

#: A busy machine is slow; the old Hypothesis counts in its own way.
RELAXED = {} if PY2 else {"deadline": None}

GOOD = [
    (u"http://cloud", u"http", u"cloud", 80),
    (u"https://cloud.example/identity/v3", u"https", u"cloud.example", 443),
    (u"HTTP://cloud_1:5000/", u"http", u"cloud_1", 5000),
    (u"http://10.0.0.5:5000/v3", u"http", u"10.0.0.5", 5000),
    (u"http://[::1]", u"http", u"::1", 80),
    (u"https://[fd00:0::A]/v3", u"https", u"fd00:0::A", 443),
    (u"http://[::ffff:10.0.0.5]:5000/v3?a=b", u"http", u"::ffff:10.0.0.5", 5000),
]

BAD = [
    (u"", u""),
    (u"cloud:5000", u""),
    (u"ftp://cloud", u""),
    (u"http://", u"no host"),
    (u"http:///v3", u"no host"),
    (u"http://:5000/", u"no host"),
    (u"http://u:p@cloud/", u"user or password"),
    (u"http://cloud:port/", u"port is not a number"),
    (u"http://cloud:/", u"port is not a number"),
    (u"http://cloud:0/", u"between 1 and 65535"),
    (u"http://cloud:65536/", u"between 1 and 65535"),
    (u"http://cloud:123456/", u"port is not a number"),
    (u"http://::1:5000/v3", u"brackets"),
    (u"http://fe80::1/v3", u"brackets"),
    (u"http://[::1/v3", u"malformed"),
    (u"http://::1]/v3", u"brackets"),
    (u"http://[]/", u"do not hold an IPv6 address"),
    (u"http://[cloud]:5000/", u"do not hold an IPv6 address"),
    (u"http://[10.0.0.5]/", u"do not hold an IPv6 address"),
    (u"http://[::1]x/", u"malformed"),
    (u"http://[fe80::1%25eth0]:5000/v3", u"with a zone"),
    (u"http://[fe80::1%eth0]:5000/v3", u"with a zone"),
    (u"http://clo ud/", u"malformed"),
    (u"http://cloud/v3 ", u""),
    (u"http://cloud/v3\r", u""),
    (u"http://cl\toud/v3", u"malformed"),
    (u"http://cloud/v3\u00a0", u""),
    (u"http://fa\u00df.example/", u"in ASCII"),
    (u"http://cloud\uff0fevil/", u"malformed"),
]


class AddressTests(SynchronousTestCase):
    """The reading of addresses."""

    def test_good(self):
        """Scheme, host and port are read; an IPv6 address loses its brackets."""
        for url, scheme, host, port in GOOD:
            self.assertEqual(read_address(url), Address(scheme, host, port, url))

    def test_bad(self):
        """Any other text is refused, with the reason."""
        for url, reason in BAD:
            caught = self.assertRaises(MalformedAddress, read_address, url)
            self.assertIn(reason, caught.reason, url)
            self.assertEqual(bool(reason), bool(caught.reason), url)

    def test_international(self):
        """A host name with other letters becomes its ASCII form."""
        address = read_address(u"https://b\u00fccher.example:5000/v3")
        self.assertEqual(address.host, u"xn--bcher-kva.example")
        self.assertEqual(address.url, u"https://xn--bcher-kva.example:5000/v3")

    @settings(**RELAXED)
    @given(st.text())
    def test_any_text(self, text):
        """Any text is read or refused, and an address that is read is printable ASCII."""
        for url in (text, u"http://" + text, u"http://[" + text + u"]/"):
            try:
                address = read_address(url)
            except MalformedAddress:
                continue
            self.assertTrue(all(u"!" <= each <= u"~" for each in address.url), address)
            self.assertNotIn(u"@", address.host)

    def test_brackets(self):
        """IPv6 addresses have brackets in URLs; nothing else has."""
        for host, shown in ((u"::1", u"[::1]"), (u"10.0.0.5", u"10.0.0.5"), (u"c", u"c")):
            self.assertEqual(in_brackets(host), shown)
        self.assertIs(as_ip_address(u"cloud"), None)
        self.assertEqual(as_ip_address(u"0::1"), as_ip_address(u"::1"))

    def test_loopback(self):
        """Only the loopback's addresses and its name are of loopback."""
        for host in (u"127.0.0.1", u"127.8.8.8", u"::1", u"localhost"):
            self.assertTrue(is_loopback(host), host)
        for host in (u"0.0.0.0", u"::", u"10.0.0.5", u"cloud", u"localhost.example"):
            self.assertFalse(is_loopback(host), host)
