"""
Tests for :mod:`txstorage.driver.lifecycle` with the statuses of the API references, written out: a
status that is misspelt in the tables is an unlisted status here.
"""

from __future__ import absolute_import, division, print_function

from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from txstorage.driver.lifecycle import (
    DEAD_SERVER,
    GONE,
    TABLES,
    Decision,
    Phase,
    Progress,
    decide,
)

# https://docs.openstack.org/api-ref/block-storage/v3/ ("Volume status"), and Cinder's
# objects/fields.py for the last four.
TRANSIENT = [
    u"creating",
    u"downloading",
    u"backing-up",
    u"restoring-backup",
    u"uploading",
    u"retyping",
    u"extending",
    u"reverting",
    u"managing",
]
ENDED_BY_AN_OPERATOR = [
    u"error",
    u"error_deleting",
    u"error_backing-up",
    u"error_restoring",
    u"error_extending",
    u"maintenance",
    u"awaiting-transfer",
    u"error_managing",
    u"unmanaging",
]
DELETABLE = [u"available", u"error", u"error_restoring", u"error_extending", u"error_managing"]
LIFE = [
    u"available",
    u"reserved",
    u"attaching",
    u"in-use",
    u"detaching",
    u"busy",
    u"deleting",
    u"in-use (host)",
    u"(gone)",
]

# https://docs.openstack.org/api-ref/compute/ ("Show Server Details", status)
RUNNING_OR_UNKNOWN = [
    u"ACTIVE",
    u"BUILD",
    u"ERROR",
    u"HARD_REBOOT",
    u"MIGRATING",
    u"PASSWORD",
    u"PAUSED",
    u"REBOOT",
    u"REBUILD",
    u"RESCUE",
    u"RESIZE",
    u"REVERT_RESIZE",
    u"SUSPENDED",
    u"UNKNOWN",
    u"VERIFY_RESIZE",
]
CERTAINLY_OFF = [u"SHUTOFF", u"DELETED", u"SOFT_DELETED", u"SHELVED", u"SHELVED_OFFLOADED"]

LETTERS = {
    "R": Decision.REQUEST,
    "W": Decision.WAIT,
    "D": Decision.DONE,
    "U": Decision.UNKNOWN,
    "X": Decision.ATTACHED,
    "L": Decision.UNATTACHED,
    "S": Decision.STILL_ATTACHED,
    "B": Decision.UNUSABLE,
    "F": Decision.FAILED,
    "H": Decision.ATTACHED_TO_HOST,
}

# Fresh, joined, requested; in each: attached nowhere, to the operation's server, to another.
EXPECTED = {
    u"attach": {
        u"available": "RWW RWW RWW",
        u"reserved": "WWW WWW WWW",
        u"attaching": "WWW WWW WWW",
        u"in-use": "WXX WDX WDX",
        u"in-use (host)": "XXX XXX XXX",
        u"detaching": "WWW WWW WWW",
        u"busy": "WWW WWW WWW",
        u"deleting": "WWW WWW WWW",
        u"(gone)": "UUU UUU UUU",
    },
    u"detach": {
        u"available": "LWW DWW DWD",
        u"reserved": "WWW WWW DWD",
        u"attaching": "WWW WWW DWD",
        u"in-use": "WRW WRD WRD",
        u"in-use (host)": "HHH HHH HHH",
        u"detaching": "WWW WWW WWW",
        u"busy": "WWW WWW WWW",
        u"deleting": "WWW WWW WWW",
        u"(gone)": "UUU UUU UUU",
    },
    u"destroy": {
        u"available": "RSS RSS RSS",
        u"reserved": "WWW WWW WWW",
        u"attaching": "WWW WWW WWW",
        u"in-use": "WSS WSS WSS",
        u"in-use (host)": "SSS SSS SSS",
        u"detaching": "WWW WWW WWW",
        u"busy": "WWW WWW WWW",
        u"deleting": "WWW WWW WWW",
        u"(gone)": "UUU DDD DDD",
    },
    u"create": {
        u"available": "DDD DDD DDD",
        u"reserved": "DDD DDD DDD",
        u"attaching": "DDD DDD DDD",
        u"in-use": "DDD DDD DDD",
        u"in-use (host)": "DDD DDD DDD",
        u"detaching": "DDD DDD DDD",
        u"busy": "DDD DDD DDD",
        u"deleting": "BBB BBB BBB",
        u"(gone)": "FFF FFF FFF",
    },
}


def row(operation, status):
    """Return the letters of the decisions for a status, as in ``EXPECTED``."""
    names = {decision: letter for letter, decision in LETTERS.items()}
    return " ".join(
        "".join(
            names[decide(Progress(operation, frozenset([u"target"]), phase), status, servers)]
            for servers in ((), (u"target",), (u"other",))
        )
        for phase in (Phase.FRESH, Phase.JOINED, Phase.REQUESTED)
    )


class StatusTests(SynchronousTestCase):
    """The decisions for every status of the API references."""

    def test_life(self):
        """The statuses of a volume's life lead to these decisions."""
        for operation, status in product(EXPECTED, LIFE):
            self.assertEqual(
                (operation, status, EXPECTED[operation][status]),
                (operation, status, row(operation, status)),
            )

    def test_transient(self):
        """Transient statuses are waited for; detach refuses a volume that is attached nowhere."""
        for status in TRANSIENT:
            self.assertEqual("WWW WWW WWW", row(u"attach", status), status)
            self.assertEqual("LWW LWW LWW", row(u"detach", status), status)
            self.assertEqual("WWW WWW WWW", row(u"destroy", status), status)

    def test_created(self):
        """Only a volume that is being created or filled is not created yet."""
        for status in TRANSIENT:
            wanted = "WWW" if status in (u"creating", u"downloading") else "DDD"
            self.assertEqual(" ".join([wanted] * 3), row(u"create", status), status)

    def test_ended_by_an_operator(self):
        """Statuses that only an operator ends allow nothing, except a destroy where Cinder does."""
        for status in ENDED_BY_AN_OPERATOR:
            self.assertEqual("BBB BBB BBB", row(u"attach", status), status)
            self.assertEqual("LBB LBB LBB", row(u"detach", status), status)
            self.assertEqual("BBB BBB BBB", row(u"create", status), status)
            wanted = "RSS RSS RSS" if status in DELETABLE else "BBB BBB BBB"
            self.assertEqual(wanted, row(u"destroy", status), status)

    def test_no_others(self):
        """The tables list the references' statuses, and no others."""
        for operation, listed in TABLES.items():
            self.assertEqual(
                sorted(TRANSIENT + ENDED_BY_AN_OPERATOR + LIFE), sorted(listed), operation
            )
        self.assertEqual(u"(gone)", GONE)

    def test_servers(self):
        """The servers that are certainly off are listed, and no others."""
        self.assertEqual(sorted(CERTAINLY_OFF), sorted(DEAD_SERVER))
        self.assertFalse(set(RUNNING_OR_UNKNOWN) & DEAD_SERVER)


class ProgressValueTests(SynchronousTestCase):
    """The progress of an operation as a value."""

    def test_frozen(self):
        """A progress can't be changed in place."""
        self.assertRaises(AttributeError, setattr, Progress(u"attach"), "requests", 1)
