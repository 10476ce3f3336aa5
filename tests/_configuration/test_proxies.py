# -*- coding: utf-8 -*-
"""
Tests of the choice of a proxy.
"""

from __future__ import absolute_import, division, print_function

import io

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txstorage._configuration.configuration import Configuration
from txstorage._configuration.environment import proxies
from txstorage._configuration.environment.proxies import (
    Proxies,
    read_proxy,
    variables_of_proxies,
)
from txstorage._support.compat import PY2, as_text, native
from txstorage._support.notations.addresses import MalformedAddress
from txstorage.errors import InvalidConfiguration

#: A busy machine is slow; the old Hypothesis counts in its own way.
RELAXED = {} if PY2 else {"deadline": None}

KEYS = {
    u"auth_url": u"https://cloud.example:5000/v3",
    u"username": u"flocker",
    u"password": u"s3cr3t-w0rd",
    u"project_name": u"storage",
}
HTTP, HTTPS, ALL = "http://h:1", "http://s:2", "http://a:3"


def chosen(url, **environ):
    """:return: the variable and the address of the proxy for a URL, or ``None``."""
    proxy = Proxies(given=variables_of_proxies(environ)).for_url(url)
    return None if proxy is None else (proxy.origin, proxy.url)


class VariablesTests(SynchronousTestCase):
    """Variables of proxies, and the schemes of URLs."""

    def test_schemes(self):
        """The variable of a URL's scheme wins over that of all schemes."""
        for url, environ, expected in (
            (u"http://c/", {"http_proxy": HTTP}, (u"http_proxy", u"http://h:1")),
            (u"https://c/", {"https_proxy": HTTPS}, (u"https_proxy", u"http://s:2")),
            (u"https://c/", {"http_proxy": HTTP}, None),
            (u"http://c/", {"https_proxy": HTTPS}, None),
            (u"http://c/", {"all_proxy": ALL}, (u"all_proxy", u"http://a:3")),
            (u"HTTPS://c/", {"all_proxy": ALL, "https_proxy": HTTPS}, (u"https_proxy", u"http://s:2")),
            (u"https://c/", {"ftp_proxy": ALL, "no": ALL}, None),
            (u"https://c/", {}, None),
        ):
            self.assertEqual(chosen(url, **environ), expected)

    def test_read_once(self):
        """The address in a variable is read once, regardless of the number of requests."""
        read = []
        real = proxies.read_proxy
        self.patch(proxies, "read_proxy", lambda *given: read.append(given) or real(*given))
        given = Proxies(given=variables_of_proxies({"http_proxy": HTTP, "https_proxy": HTTPS}))
        for scheme in (u"http", u"https") * 3:
            self.assertIsNot(None, given.for_url(scheme + u"://c/"))
        self.assertEqual([(HTTP, u"http_proxy"), (HTTPS, u"https_proxy")], read)

    def test_cases(self):
        """Lower case wins over upper case; an empty lower-case variable switches a proxy off."""
        for environ, expected in (
            ({"HTTPS_PROXY": HTTPS}, u"HTTPS_PROXY"),
            ({"Https_Proxy": HTTPS}, u"Https_Proxy"),
            ({"HTTPS_PROXY": ALL, "https_proxy": HTTPS}, u"https_proxy"),
            ({"HTTPS_PROXY": HTTPS, "https_proxy": ""}, None),
            ({"HTTPS_PROXY": "", "ALL_PROXY": ALL}, u"ALL_PROXY"),
        ):
            found = chosen(u"https://c/", **environ)
            self.assertEqual(found and found[0], expected, environ)

    def test_cgi(self):
        """In a CGI script the upper-case HTTP_PROXY may come from a request, and is ignored."""
        environ = {"HTTP_PROXY": HTTP, "REQUEST_METHOD": "GET"}
        self.assertIs(chosen(u"http://c/", **environ), None)
        self.assertEqual(chosen(u"http://c/", http_proxy=HTTP, **environ)[0], u"http_proxy")
        self.assertEqual(
            chosen(u"https://c/", HTTPS_PROXY=HTTPS, REQUEST_METHOD="GET")[0], u"HTTPS_PROXY"
        )

    def test_loopback(self):
        """This machine is reached without a proxy, unless the key names one."""
        proxies = Proxies(read_proxy(u"http://p:1", u"the key proxy"))
        for host in (
            u"localhost", u"LOCALHOST", u"a.localhost", u"127.0.0.1", u"127.8.9.10", u"[::1]",
            u"[0:0::1]", u"[::ffff:127.0.0.1]", u"0.0.0.0", u"[::]",
        ):
            url = u"http://{}:8780/identity/v3".format(host)
            self.assertIs(chosen(url, http_proxy=HTTP, all_proxy=ALL), None, url)
            self.assertEqual(proxies.for_url(url).url, u"http://p:1")
        for host in (u"localhost.example", u"128.0.0.1", u"[::2]"):
            self.assertTrue(chosen(u"http://{}/".format(host), http_proxy=HTTP), host)


class ExceptionsTests(SynchronousTestCase):
    """Hosts that ``no_proxy`` excepts."""

    TABLE = (
        # no_proxy, the excepted hosts, the others
        (u"cloud.example", u"cloud.example Cloud.Example a.cloud.example cloud.example:5000",
         u"mycloud.example example cloud.example.org"),
        (u".cloud.example", u"cloud.example a.b.cloud.example", u"mycloud.example"),
        (u"EXAMPLE", u"cloud.example", u"cloud.example2"),
        (u"cloud.example:5000", u"cloud.example:5000 a.cloud.example:5000",
         u"cloud.example cloud.example:5001"),
        (u"other, cloud.example ,", u"cloud.example", u"c"),
        (u"*", u"cloud.example 10.0.0.5 [fd00::5]", u""),
        (u"other,*", u"cloud.example", u""),
        (u"10.0.0.5", u"10.0.0.5 10.0.0.5:5000", u"10.0.0.50 110.0.0.5 cloud"),
        (u"10.0.0.0/8", u"10.1.2.3 10.1.2.3:99", u"11.0.0.1 [fd00::5] cloud"),
        (u"10.1.2.3/8", u"10.9.9.9", u"11.0.0.1"),
        (u"10.0.0.5:5000", u"10.0.0.5:5000", u"10.0.0.5 10.0.0.5:5001"),
        (u"fd00::/16", u"[fd00::5] [fd00:0:1::2]:8776", u"[fe00::5] 10.0.0.5"),
        (u"fd00::5", u"[fd00::5] [fd00:0::5]:99", u"[fd00::6]"),
        (u"[fd00::5]", u"[fd00::5]", u"[fd00::6]"),
        (u"[fd00::5]:5000", u"[fd00::5]:5000", u"[fd00::5]:5001"),
        (u"10.0.0.0/99,/,:,.,..", u"", u"10.0.0.5 cloud.example [fd00::5]"),
        (u"", u"", u"10.0.0.5 cloud.example"),
    )

    def test_table(self):
        """Hosts, suffixes, networks and ports, each alone or in a list, and everything."""
        for exceptions, excepted, others in self.TABLE:
            for name in ("no_proxy", "NO_PROXY"):
                environ = {name: native(exceptions), "http_proxy": HTTP}
                for host in excepted.split():
                    url = u"http://{}/v3".format(host)
                    self.assertIs(chosen(url, **environ), None, (exceptions, host))
                for host in others.split():
                    url = u"http://{}/v3".format(host)
                    self.assertTrue(chosen(url, **environ), (exceptions, host))

    def test_default_port(self):
        """A port in ``no_proxy`` also stands for the scheme's."""
        self.assertIs(chosen(u"https://c/", no_proxy="c:443", all_proxy=ALL), None)
        self.assertTrue(chosen(u"http://c/", no_proxy="c:443", all_proxy=ALL))

    def test_an_empty_lower_case_variable(self):
        """As in requests, an empty no_proxy leaves NO_PROXY in force."""
        environ = {"no_proxy": "", "NO_PROXY": "c", "all_proxy": ALL}
        self.assertIs(chosen(u"https://c/", **environ), None)

    @settings(**RELAXED)
    @given(st.text(), st.text())
    def test_any_text(self, exceptions, host):
        """Any ``no_proxy`` and any URL lead to a decision."""
        given_variables = {
            u"no": (u"no_proxy", exceptions), u"all": (u"all_proxy", u"http://a:3")
        }
        for url in (u"http://" + host, u"http://c", u"http://10.0.0.5", u"http://[fd00::5]"):
            proxy = Proxies(given=given_variables).for_url(url)
            self.assertIn(getattr(proxy, "url", None), (None, u"http://a:3"))


class AddressTests(SynchronousTestCase):
    """The addresses of proxies."""

    def test_read(self):
        """The scheme and the port may be missing; user and password are percent-decoded."""
        for text, url, authorization in (
            (u"proxy:3128", u"http://proxy:3128", None),
            (u"proxy", u"http://proxy:80", None),
            (u"http://proxy:3128/", u"http://proxy:3128", None),
            (u"https://proxy", u"https://proxy:443", None),
            (u"http://[fd00::5]:3128", u"http://[fd00::5]:3128", None),
            (u"http://u:p@proxy", u"http://proxy:80", u"Basic dTpw"),
            (u"u:p@proxy:1", u"http://proxy:1", u"Basic dTpw"),
            (u"http://u@proxy", u"http://proxy:80", u"Basic dTo="),
            (u"http://u%3A:p%40%2f@proxy", u"http://proxy:80", u"Basic dTo6cEAv"),
            (u"http://u:p@w/x@proxy:1", u"http://proxy:1", u"Basic dTpwQHcveA=="),
            (u"http://\u00e9:p@proxy", u"http://proxy:80", u"Basic w6k6cA=="),
        ):
            proxy = read_proxy(text, u"origin")
            self.assertEqual((proxy.url, proxy.authorization), (url, authorization), text)
            self.assertEqual(proxy.describe(), u"the proxy {} of origin".format(url))

    def test_not_shown(self):
        """No print of a proxy shows its user and password."""
        proxy = read_proxy(u"http://us3r:s3cr3t@proxy", u"x")
        proxies = Proxies(proxy, {u"all": (u"all_proxy", u"http://us3r:s3cr3t@proxy")})
        for text in (repr(proxy), repr(proxies), proxy.describe()):
            self.assertNotIn("s3cr3t", text)
            self.assertNotIn(proxy.authorization, text)

    def test_bad(self):
        """Another address is refused, and not shown."""
        for text, words in (
            (u"socks5://u:s3cr3t@proxy", u"SOCKS"),
            (u"socks5h://proxy", u"SOCKS"),
            (u"ftp://u:s3cr3t@proxy", u""),
            (u"http://u:s3cr3t@", u"no host"),
            (u"http://u:s3cr3t@proxy:port", u"port is not a number"),
            (u"http://u:s3cr3t@[fe80::1%25eth0]:3128", u"zone"),
            (u"http://u:s3cr3t@proxy\r", u"ends with a carriage return"),
            (u'"http://u:s3cr3t@proxy"', u"is in quotation marks"),
        ):
            error = self.assertRaises(MalformedAddress, read_proxy, text, u"x")
            self.assertIn(words, error.reason)
            self.assertNotIn(u"s3cr3t", error.reason)


class ConfigurationTests(SynchronousTestCase):
    """Proxies in a configuration."""

    def proxy(self, environ=None, **keys):
        """:return: the URL of the configuration's proxy for its cloud, or ``None``."""
        made = Configuration.from_mapping(dict(KEYS, **keys), environ or {})
        self.assertNotIn("s3cr3t", repr(made))
        proxy = made.proxies.for_url(made.auth_url)
        return proxy and proxy.url

    def test_sources(self):
        """The key wins over the variables; ``none`` means no proxy."""
        environ = {"https_proxy": HTTPS, "no_proxy": "other"}
        self.assertEqual(self.proxy(environ), u"http://s:2")
        self.assertEqual(self.proxy(environ, proxy=u"http://u:s3cr3t@k:4"), u"http://k:4")
        self.assertEqual(
            self.proxy({"no_proxy": "*"}, proxy=u"k:4"), u"http://k:4"
        )
        self.assertIs(self.proxy(environ, proxy=u"none"), None)
        self.assertIs(self.proxy(), None)

    def test_variable_of_the_key(self):
        """TXSTORAGE_PROXY is the key's variable."""
        environ = {"OS_" + native(name).upper(): native(value) for name, value in KEYS.items()}
        environ["TXSTORAGE_PROXY"] = "http://k:4"
        made = Configuration.from_environment(environ)
        self.assertEqual(made.proxies.for_url(u"http://localhost/").url, u"http://k:4")

    def test_bad_variable(self):
        """A variable that would be used and is wrong is an error before any traffic."""
        for environ, words in (
            ({"https_proxy": "socks5://u:s3cr3t@p"}, u"https_proxy is not the address of an HTTP"),
            ({"ALL_PROXY": "http://u:s3cr3t@p:port"}, u"ALL_PROXY is not the address"),
            ({"ALL_PROXY": "http://u:s3cr3t@p\r"}, u"carriage return"),
        ):
            error = self.assertRaises(
                InvalidConfiguration, Configuration.from_mapping, KEYS, environ
            )
            self.assertEqual(error.key, u"proxy")
            self.assertIn(words, error.message)
            self.assertNotIn(u"s3cr3t", str(error))
            self.assertIsNone(getattr(error, "__context__", None))
            # It would not be used.
            self.proxy(dict(environ, no_proxy="cloud.example"))
            self.proxy(environ, auth_url=u"http://localhost:5000/v3", proxy=u"none")

    def test_bad_key(self):
        """A wrong value of the key is an error with its line, and is not shown."""
        path = as_text(self.mktemp())
        for value in (u"socks5://u:s3cr3t@p", u"http://u:s3cr3t@p:port", u"'http://s3cr3t@p\u00a0'"):
            with io.open(path, "w", encoding="utf-8") as opened:
                opened.write(u"dataset:\n  auth_url: https://c\n  proxy: {}\n".format(value))
            error = self.assertRaises(InvalidConfiguration, Configuration.from_file, path)
            self.assertEqual(error.key, u"proxy")
            self.assertIn(u"line 3", error.message)
            self.assertNotIn(u"s3cr3t", str(error))
