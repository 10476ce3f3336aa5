"""
Tests of the Buildbot that certifies the driver, and ``make test-buildbot``.
"""
