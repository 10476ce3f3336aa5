"""Tests for ``txstorage.cli``."""
