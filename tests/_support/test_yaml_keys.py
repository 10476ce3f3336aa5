"""Tests of YAML whose mappings have each key once."""

from __future__ import absolute_import, division, print_function

import io

import yaml
from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.compat import text_type
from txstorage._support.notations.yaml_keys import RepeatedKey, load_unique


class LoadUniqueTests(SynchronousTestCase):
    """Tests of :func:`load_unique`."""

    def test_loaded(self):
        # type: () -> None
        """A document without repeated keys has PyYAML's content."""
        for text in (
            "",
            "a: {b: [1, {b: 2}], c: null}\nb: x\n",
            "base: &base {a: 1}\nmore: {<<: *base, a: 2}\n",
            "[one, two]",
        ):
            self.assertEqual(load_unique(io.StringIO(text_type(text))), yaml.safe_load(text))

    def test_repeated(self):
        # type: () -> None
        """A repeated key is an error with its name and its second line, at any depth."""
        for text, message in (
            ("a: 1\nb: 2\na: 3\n", "line 3 repeats the key 'a'"),
            ("a:\n- b: 1\n  c: 2\n  b: 3\n", "line 4 repeats the key 'b'"),
        ):
            error = self.assertRaises(RepeatedKey, load_unique, io.StringIO(text_type(text)))
            self.assertEqual(str(error), message)

    def test_alias(self):
        # type: () -> None
        """A document that contains itself is loaded, too."""
        found = load_unique(io.StringIO(u"&whole\nitself: *whole\n"))
        self.assertIs(found["itself"], found)

    def test_not_yaml(self):
        # type: () -> None
        """A text that is not YAML is PyYAML's error."""
        self.assertRaises(yaml.YAMLError, load_unique, io.StringIO(u"a: ["))
