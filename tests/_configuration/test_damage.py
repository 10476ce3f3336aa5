# -*- coding: utf-8 -*-
"""
Tests of damaged values: they are refused, and the error makes the damage visible.
"""

from __future__ import absolute_import, division, print_function

import io

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txstorage._configuration.configuration import Configuration
from txstorage._configuration.damage import damage_of, show, visible
from txstorage._configuration.keys import KEYS, SECRETS
from txstorage._configuration.value_types import FILE, PROXY
from txstorage._support.compat import PY2, as_text, native
from txstorage.errors import InvalidConfiguration

#: A busy machine is slow; the old Hypothesis counts in its own way.
RELAXED = {} if PY2 else {"deadline": None}

GOOD = {
    u"auth_url": u"https://cloud.example:5000/v3",
    u"username": u"flocker",
    u"password": u"s3cr3t-w0rd",
    u"project_name": u"storage",
}

#: Ways to damage a value: a format, the words of the problem, and the value as it is shown.
DAMAGE = (
    (u"{}\r", u"ends with a carriage return", u"'{}\\r'"),
    (u"{}\n", u"ends with a line feed", u"'{}\\n'"),
    (u"{} ", u"ends with a blank", u"'{} '"),
    (u" {}", u"begins with a blank", u"' {}'"),
    (u"{}\t", u"ends with a tab", u"'{}\\t'"),
    (u"{}\u00a0", u"ends with a no-break space (\\xa0)", u"'{}\\xa0'"),
    (u"\ufeff{}", u"contains a zero width no-break space (\\ufeff)", u"'\\ufeff{}'"),
    (u"{}\u200b", u"contains a zero width space (\\u200b)", u"'{}\\u200b'"),
    (u"{}\x00", u"contains a control character (\\x00)", u"'{}\\x00'"),
    (u"a\u00a0{}", u"contains a no-break space (\\xa0)", u"'a\\xa0{}'"),
    (u'"{}"', u"is in quotation marks", u"'\"{}\"'"),
    (u"'{}'", u"is in quotation marks", u"''{}''"),
    (u"\u201c{}\u201d", u"is in quotation marks", u"'\u201c{}\u201d'"),
)

UNDAMAGED = (
    u"storage", u"my project", u"it's", u"\u00e9t\u00e9", u"\u65e5\u672c\u3000\u8a9e", u"'",
    u"\"a' b", u"p\u00e4\u00df\u201cw\u00f6rd\u201d!", u"\u0646\u06cc\u200c\u062e\u0648",
    u"\U0001f600",
)


class DamageTests(SynchronousTestCase):
    """The recognition of damage, and its print."""

    def test_damage(self):
        """Each kind of damage has its words, a remedy and a print that shows it."""
        for form, words, shown in DAMAGE:
            problem, remedy = damage_of(form.format(u"value"))
            self.assertEqual(problem, words)
            self.assertTrue(remedy)
            self.assertEqual(show(form.format(u"value")), shown.format(u"value"))

    def test_undamaged(self):
        """Names of any language are not damaged, and are shown as they are."""
        for text in UNDAMAGED:
            self.assertIs(damage_of(text), None, text)
            self.assertEqual(show(text), text)

    @settings(**RELAXED)
    @given(st.text())
    def test_visible(self, text):
        """A print has no character that can't be seen, and blanks only inside quotation marks."""
        shown = visible(text)
        self.assertEqual(shown[:1] + shown[-1:], u"''")
        for character in u"\r\n\t\x00\u00a0\u200b\u2028\ufeff":
            self.assertNotIn(character, shown)
        if damage_of(text) is None and text.strip():
            self.assertEqual(show(text), text)


class ValuesTests(SynchronousTestCase):
    """Damaged values of keys, from each source."""

    def refused(self, function, *args):
        """:return: the error that a call raises."""
        return self.assertRaises(InvalidConfiguration, function, *args)

    def test_each_key(self):
        """A damaged text is refused for each key, with the damage; a secret itself is not shown."""
        for key in KEYS:
            if key.type in (FILE, PROXY):
                continue
            for form, words, shown in DAMAGE:
                value = form.format(u"x-v4lue")
                error = self.refused(
                    Configuration.from_mapping, dict(GOOD, **{key.name: value})
                )
                self.assertEqual(error.key, key.name)
                self.assertIn(words, error.message)
                if key.secret:
                    self.assertNotIn(u"x-v4lue", str(error))
                    self.assertIn(key.name + u"_file", error.remedy)
                else:
                    self.assertIn(shown.format(u"x-v4lue"), error.message)

    def test_environment(self):
        """A variable with a damaged value is refused, and named, whatever the key's type."""
        environ = {"OS_" + str(name).upper(): str(value) for name, value in GOOD.items()}
        self.assertEqual(Configuration.from_environment(environ), Configuration.from_mapping(GOOD))
        for name in sorted(environ) + ["TXSTORAGE_VERIFY_PEER", "TXSTORAGE_TIMEOUT"]:
            for form in (u'"{}"', u"{}\r", u"{}\u00a0", u" {}"):
                value = native(form.format(as_text(environ.get(name, "30"))))
                error = self.refused(
                    Configuration.from_environment, dict(environ, **{name: value})
                )
                self.assertIn(u"the value ", error.message)
                self.assertIn(as_text(name), error.message)
                self.assertNotIn(u"s3cr3t", str(error))

    def test_profiles(self):
        """The names and the volume types of profiles are checked, too."""
        for profiles in ({u"gold ": u"ssd"}, {u"gold": u"ssd\r"}):
            error = self.refused(Configuration.from_mapping, dict(GOOD, profiles=profiles))
            self.assertEqual(error.key, u"profiles")

    def test_bytes(self):
        """Native strings of Python 2 are checked as text."""
        region = u"r\u00a0".encode("utf-8")
        error = self.refused(Configuration.from_mapping, dict(GOOD, region=region))
        self.assertIn(u"'r\\xa0'", error.message)

    def test_yaml(self):
        """The error about a value of an ``agent.yml`` names its line."""
        path = as_text(self.mktemp())
        with io.open(path, "w", encoding="utf-8") as opened:
            opened.write(u'dataset:\n  backend: txstorage\n  region: "r\\r"\n')
        error = self.refused(Configuration.from_file, path)
        self.assertIn(u"the value ends with a carriage return: 'r\\r' (in ", error.message)
        self.assertIn(u"line 3", error.message)

    def test_paths(self):
        """A path may contain anything; the error about one that can't be read shows it visibly."""
        path = as_text(self.mktemp()) + u" \u00a0"
        with io.open(path, "w", encoding="utf-8") as opened:
            opened.write(u"x")
        made = Configuration.from_mapping(dict(GOOD, password=None, password_file=path))
        self.assertEqual(made.password(), u"x")
        error = self.refused(
            Configuration.from_mapping, dict(GOOD, verify_ca_path=u"/no/such/file\r")
        )
        self.assertIn(u"'/no/such/file\\r'", error.message)
        error = self.refused(Configuration.from_file, u"/no/such/file\r")
        self.assertIn(u"'/no/such/file\\r' can't be read", error.message)

    def test_wrong_and_invisible(self):
        """A wrong value that is blank is shown in quotation marks."""
        error = self.refused(Configuration.from_mapping, dict(GOOD, region=u"  "))
        self.assertIn(u"not text: '  '", error.message)


class SecretFilesTests(SynchronousTestCase):
    """Files of secrets."""

    def secret(self, content):
        """:return: the password in a file."""
        path = as_text(self.mktemp())
        with io.open(path, "wb") as opened:
            opened.write(content)
        return Configuration.from_mapping(
            dict(GOOD, password=None, password_file=path)
        ).password()

    def test_read(self):
        """A file may be of Windows, and a secret in it may have blanks and quotation marks."""
        for content, secret in (
            (b"pw", u"pw"),
            (b"pw\n", u"pw"),
            (b"pw\r\n", u"pw"),
            (b"\xef\xbb\xbfpw\r\n", u"pw"),
            (b" pw \n", u" pw "),
            (b'"pw"\n', u'"pw"'),
            (b"pw\xc2\xa0", u"pw\u00a0"),
        ):
            self.assertEqual(self.secret(content), secret)

    def test_several_lines(self):
        """A file that holds more than the secret is refused, without its content."""
        for content in (b"user\ns3cr3t\n", b"user\r\ns3cr3t", b"user\rs3cr3t", b"\x00s3cr3t"):
            error = self.assertRaises(InvalidConfiguration, self.secret, content)
            self.assertEqual(error.key, u"password_file")
            self.assertIn(u"more than one line of text", error.message)
            self.assertNotIn(u"s3cr3t", str(error))

    def test_only_secrets_have_files(self):
        """Each secret has a key for its file, which the remedy of a damaged secret names."""
        names = {key.name for key in KEYS}
        for name in SECRETS:
            self.assertIn(name + "_file", names)
