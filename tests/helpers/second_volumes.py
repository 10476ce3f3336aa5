"""Drivers that leave the second volumes of datasets without a label."""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import succeed

from txstorage.driver.labelling import SecondVolumeMarks


class SecondVolumesSeen(object):
    """
    A suite whose driver does not label second volumes, for ``TestCase`` classes.

    A labelled one is never listed again, so that the suite could not see that there were two.
    """

    def setUp(self):
        self.patch(SecondVolumeMarks, "mark", lambda marks, seconds: succeed(None))
        return super(SecondVolumesSeen, self).setUp()


__all__ = ["SecondVolumesSeen"]
