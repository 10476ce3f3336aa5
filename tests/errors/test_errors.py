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
    """What every error promises."""

    def test_operator_gets_a_remedy(self):
        """An error's text says what happened, and what to do about it."""
        error = errors.QuotaExceeded(u"POST", u"http://c/volumes", 413, u"too many", u"req-1")
        for part in ("POST", "http://c/volumes", "413", "too many", "req-1", error.remedy):
            self.assertIn(part, str(error))

    def test_any_text(self):
        """Text that is not ASCII is no trouble on any Python."""
        error = errors.StorageError(u"a caf\xe9")
        self.assertEqual(native(u"a caf\xe9"), str(error))
        self.assertIsInstance(str(error), str)
        self.assertEqual(u"a caf\xe9", error.message)

    def test_bytes_for_a_message(self):
        """A message that comes as bytes is decoded."""
        self.assertIsInstance(errors.StorageError(b"x").message, text_type)

    def test_remedies(self):
        """Each kind that an operator can do something about says what, in plain words."""
        for kind in KINDS:
            self.assertIsInstance(kind.remedy, text_type)
            self.assertFalse(kind.remedy.endswith(u"."), kind)
            if not kind.__subclasses__():
                self.assertTrue(kind.remedy, kind)

    def test_what_may_be_repeated(self):
        """Only what certainly was not processed says so."""
        unprocessed = {kind for kind in KINDS if getattr(kind, "certainly_unprocessed", False)}
        for kind in (errors.ResponseLost, errors.ServiceBroken, errors.NotTheService):
            self.assertNotIn(kind, unprocessed)
        for kind in (errors.Unreachable, errors.RequestRefused, errors.RateLimited):
            self.assertIn(kind, unprocessed)

    def test_builtin_kinds(self):
        """Wrong arguments are the built-in kinds as well."""
        self.assertTrue(issubclass(errors.InvalidSize, ValueError))
        self.assertTrue(issubclass(errors.InvalidDatasetID, TypeError))


class InvalidConfigurationTests(SynchronousTestCase):
    """Bad configuration, as Flocker wants to hear it."""

    def test_flockers_kind(self):
        """It is Flocker's initialisation error of the configuration kind, with the key."""
        error = errors.InvalidConfiguration(u"region", u"is missing", u"add it")
        # Flocker tells the operator the arguments, and nothing else
        self.assertEqual(("Configuration key region: is missing (add it)",), error.args)
        self.assertIsInstance(error, StorageInitializationError)
        self.assertIs(StorageInitializationError.CONFIGURATION_ERROR, error.code)
        self.assertEqual(u"region", error.key)
        for part in ("region", "is missing", "add it"):
            self.assertIn(part, str(error))


class DetailTests(SynchronousTestCase):
    """What single kinds tell."""

    def test_timeout(self):
        """A timeout says what it was for, how long, and what was seen last."""
        error = errors.OperationTimedOut(u"attach", u"volume v", u"it", 1.25, u"reserved")
        self.assertIn("attach volume v", str(error))
        for part in ("it", "1.2", "reserved"):
            self.assertIn(part, str(error))

    def test_status(self):
        """An unusable status says so, with the reason if there is one."""
        self.assertIn("status is error: no space", str(
            errors.UnusableStatus(u"create", u"v", u"error", u"no space")))
        self.assertNotIn("error:", str(errors.UnusableStatus(u"create", u"v", u"error")))
