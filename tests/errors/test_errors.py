# -*- coding: utf-8 -*-
"""
Tests for :mod:`txstorage.errors`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage._support.compat import native, text_type
from txstorage.interfaces import StorageInitializationError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.StorageError)
]


class StorageErrorTests(SynchronousTestCase):
    """Properties of every error."""

    def test_operator_gets_a_remedy(self):
        """An error's text contains the problem and the remedy."""
        error = errors.QuotaExceeded(u"POST", u"http://c/volumes", 413, u"too many", u"req-1")
        for part in ("POST", "http://c/volumes", "413", "too many", "req-1", error.remedy):
            self.assertIn(part, str(error))

    def test_any_text(self):
        """Messages may contain any text, on every Python."""
        error = errors.StorageError(u"a caf\xe9")
        self.assertEqual(native(u"a caf\xe9"), str(error))
        self.assertIsInstance(str(error), str)
        self.assertEqual(u"a caf\xe9", error.message)

    def test_bytes_for_a_message(self):
        """A message in bytes is decoded."""
        self.assertIsInstance(errors.StorageError(b"x").message, text_type)

    def test_remedies(self):
        """Every error that is not only a base has a remedy, which ends without a full stop."""
        for kind in KINDS:
            self.assertIsInstance(kind.remedy, text_type)
            self.assertFalse(kind.remedy.endswith(u"."), kind)
            if not kind.__subclasses__():
                self.assertTrue(kind.remedy, kind)

    def test_certainly_unprocessed(self):
        """Errors of requests that may have been processed are not marked as unprocessed."""
        unprocessed = {kind for kind in KINDS if getattr(kind, "certainly_unprocessed", False)}
        for kind in (errors.ResponseLost, errors.ServiceBroken, errors.NotTheService):
            self.assertNotIn(kind, unprocessed)
        for kind in (errors.Unreachable, errors.RequestRefused, errors.RateLimited):
            self.assertIn(kind, unprocessed)

    def test_bounded(self):
        """A message of any length is shown by its beginning and its end."""
        for error in (
            errors.StorageError(u"begin " + u"x" * 4000000 + u" end"),
            errors.InvalidConfiguration(u"region", u"x" * 4000000 + u" end"),
            errors.UnidentifiedNode(None, [(u"source", u"x" * 4000000 + u" end")]),
            errors.NotTheService(u"GET", u"http://c", u"x" * 4000000 + u" end"),
            errors.ServiceBroken(u"GET", u"http://c", 500, u"x" * 4000000 + u" end"),
        ):
            self.assertTrue(len(error.message) <= 2000)
            self.assertTrue(len(str(error)) <= 2500)
            self.assertTrue(error.message.endswith(u" end"))
            for name in ("reason", "detail"):
                self.assertTrue(len(getattr(error, name, u"")) <= 2000)

    def test_one_line(self):
        """A message is one line, so that a cloud's text can't forge a line of a log."""
        for separator in (u"\n", u"\r\n", u"\x0b", u"\x85", u"\u2028"):
            error = errors.ServiceBroken(u"GET", u"u", 500, u"a{}b".format(separator))
            self.assertIn(u"a b", error.message)
            self.assertEqual(1, len(error.message.splitlines()))

    def test_builtin_kinds(self):
        """The errors of wrong arguments are built-in exceptions, too."""
        self.assertTrue(issubclass(errors.InvalidSize, ValueError))
        self.assertTrue(issubclass(errors.InvalidDatasetID, TypeError))


class InvalidConfigurationTests(SynchronousTestCase):
    """Invalid configuration, reported through Flocker's own error."""

    def test_flockers_kind(self):
        """The error is Flocker's initialisation error of the configuration kind, with the key."""
        error = errors.InvalidConfiguration(u"region", u"is missing", u"add it")
        # Flocker shows the operator the arguments only
        self.assertEqual(("Configuration key region: is missing (add it)",), error.args)
        self.assertIsInstance(error, StorageInitializationError)
        self.assertIs(StorageInitializationError.CONFIGURATION_ERROR, error.code)
        self.assertEqual(u"region", error.key)
        for part in ("region", "is missing", "add it"):
            self.assertIn(part, str(error))


class DetailTests(SynchronousTestCase):
    """Texts of single errors."""

    def test_timeout(self):
        """A timeout names the operation, its duration, the awaited event and the last status."""
        error = errors.OperationTimedOut(u"attach", u"volume v", u"it", 1.25, u"reserved")
        self.assertIn("attach volume v", str(error))
        for part in ("it", "1.2", "reserved"):
            self.assertIn(part, str(error))

    def test_status(self):
        """An unusable status is named, with the cloud's reason if it gave one."""
        self.assertIn("status is error: no space", str(
            errors.UnusableStatus(u"create", u"v", u"error", u"no space")))
        self.assertNotIn("error:", str(errors.UnusableStatus(u"create", u"v", u"error")))
