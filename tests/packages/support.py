"""The base of the tests of the packages."""

import glob
import json
import os
import tempfile

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from ..roots.root import sweep
from .root import PackagesRoot


class PackagesTestCase(SynchronousTestCase):
    """Base: has the packages that ``make test-packages`` made."""

    def setUp(self):
        described = os.environ.get("TXSTORAGE_PACKAGES")
        if described is None:
            raise SkipTest("make test-packages makes what this tests")
        self.made = json.loads(described)

    def package(self, kind, which="current"):
        """:return: the path of the package of a kind, such as ``deb``."""
        [path] = glob.glob(os.path.join(self.made[which], "*" + kind))
        return path

    def root(self, base="base"):
        """
        :param base: the path of the original.
        :return: a :class:`PackagesRoot` that is removed after the test.
        """
        # debootstrap's directory is 0755, and apt's own user must be able to pass
        place = tempfile.mkdtemp(dir=self.made["roots"])
        self.addCleanup(sweep, place)
        os.chmod(place, 0o755)
        root = PackagesRoot(self.made[base], os.path.join(place, "root"))
        self.addCleanup(root.close)
        root.install_systemctl()
        return root
