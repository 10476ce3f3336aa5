"""
Tests with a real Flocker: ``make test-flocker FLOCKER_PYTHON=...``.

The modules that import Flocker are named ``check_...``, so that ``make test`` does not import them.
"""
