"""
Run Flocker's acceptance tests with trial, on Python 2.7: ``python runner.py [OPTIONS] MODULE ...``.

Flocker's own tests are changed where its time has passed, or its own clouds could not:

- engines no longer accept TLS 1.0, which its client asks for;
- its test of a dead node is always skipped, and waits for the node's port in a way that fails;
- its test of PostgreSQL takes a connection that is closed at once for an error: that of an engine's
  proxy, which accepts connections before the database listens;
- its test of a second volume makes that with a driver that must not adopt the first one;
- its tests of MongoDB fetch an image, which is a given file here.
"""

from __future__ import absolute_import, division, print_function

import os
import ssl
import struct
import sys
import unittest

#: The reason for which the test of a second volume is skipped.
ADOPTED = (
    "txstorage's create_volume returns a dataset's volume where there is one; docs/flocker.rst says"
    " why, and tests.flocker.check_cluster tests the property with a volume made through the API"
)
#: The variable that is set where there is an image of MongoDB, and the reason for the tests' skips.
MONGODB = "TXSTORAGE_MONGODB"
NO_MONGODB = (
    "there is no image of MongoDB, of which Debian has no package: give a file of docker save as"
    " MONGODB_IMAGE=/path/to/image.tar"
)
#: The beginning of the reason for which Flocker skips the test of a dead node.
DEAD_NODE = "Shutting down a node"

sys.path[:] = [path for path in sys.path if path]


def skip_if(condition, reason, original=unittest.skipIf):
    """Skip a test, other than that of a dead node."""
    if reason.startswith(DEAD_NODE):
        return lambda test: test
    return original(condition, reason)


def skipping(reason):
    """:return: a method that skips its test."""

    def skip(_):
        raise unittest.SkipTest(reason)

    return skip


def wait_with(loop_until):
    """:return: a ``loop_until`` that also takes a Deferred, and waits for that."""
    from twisted.internet.defer import Deferred

    def wait(reactor, predicate, *arguments, **options):
        if isinstance(predicate, Deferred):
            return predicate
        return loop_until(reactor, predicate, *arguments, **options)

    return wait


def connect_with(connect, error):
    """:return: a ``connect`` that raises an error of its own when the connection was closed."""

    def patient(*arguments, **options):
        try:
            return connect(*arguments, **options)
        except (struct.error, EnvironmentError) as closed:
            raise error(str(closed))

    return patient


def allow_current_tls():
    """Let the client of engines negotiate the version of TLS, with pyOpenSSL, too."""
    from OpenSSL import SSL
    from requests.packages.urllib3.contrib import pyopenssl

    pyopenssl._openssl_versions[ssl.PROTOCOL_TLSv1] = SSL.SSLv23_METHOD


def main():
    unittest.skipIf = skip_if
    ssl.PROTOCOL_TLSv1 = ssl.PROTOCOL_SSLv23
    allow_current_tls()
    from flocker.acceptance.endtoend import test_dataset
    from flocker.acceptance.integration import test_mongodb, test_postgres
    from twisted.scripts.trial import run

    test_dataset.DatasetAPITests.test_extra_volume = skipping(ADOPTED)
    if MONGODB not in os.environ:
        test_mongodb.MongoIntegrationTests.setUp = skipping(NO_MONGODB)
    if test_postgres.PG8000_INSTALLED:
        connect, error = test_postgres.connect, test_postgres.InterfaceError
        test_postgres.connect = connect_with(connect, error)
    test_dataset.loop_until = wait_with(test_dataset.loop_until)
    run()


if __name__ == "__main__":
    main()
