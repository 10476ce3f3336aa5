"""The demonstration of ``make demo-docker``."""

from .demo import DockerDemonstration
from .engines import EngineTestCase


class DemoTests(EngineTestCase):
    """The demonstration."""

    def test_run(self):
        """Each step has its outcome: the rows are the same after each."""
        self.machines.load("postgres")
        self.addCleanup(self.first.run, "txstorage snapshots destroy --yes before; true")
        lines = []
        DockerDemonstration(self.machines, lines.append).run()
        self.assertEqual(12, len(lines))
        self.assertEqual(5, sum("10000 rows, MD5 " in line for line in lines), lines)
