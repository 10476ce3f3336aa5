"""
Tests with a real Flocker: ``make test-flocker FLOCKER_PYTHON=...``.

The modules with tests are called ``check_...``, so that ``make test``, which has no
Flocker, does not try to import them.
"""
