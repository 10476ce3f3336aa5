"""Tests for ``txstorage._support.late_names``."""

from __future__ import absolute_import, division, print_function

import sys
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

import txstorage
from txstorage._support.late_names import late_names


class LateNamesTests(SynchronousTestCase):
    """``late_names``."""

    def setUp(self):
        self.module = ModuleType("late_names_here")
        self.patch(sys, "modules", dict(sys.modules, late_names_here=self.module))

    def test_imported_once(self):
        """A name is the object in the named module, and an attribute from then on."""
        get = late_names("late_names_here", {"OrderedDict": "collections"})
        self.assertFalse(hasattr(self.module, "OrderedDict"))
        self.assertIs(sys.modules["collections"].OrderedDict, get("OrderedDict"))
        self.assertIs(get("OrderedDict"), self.module.OrderedDict)

    def test_unknown(self):
        """Another name is not an attribute."""
        error = self.assertRaises(AttributeError, late_names("late_names_here", {}), "missing")
        self.assertIn("'late_names_here' has no attribute 'missing'", str(error))

    def test_root(self):
        """Each public name of the package can be had."""
        for name in txstorage.__all__:
            self.assertTrue(getattr(txstorage, name))
        self.assertFalse(hasattr(txstorage, "missing"))
