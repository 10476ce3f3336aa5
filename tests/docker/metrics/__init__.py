"""Tests for :mod:`txstorage.docker.metrics`."""
