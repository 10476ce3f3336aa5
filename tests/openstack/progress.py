"""Messages of the rig while it works: each step, and the seconds since the rig began."""

import time
from functools import partial

from .. import progress

_began = time.monotonic()


def say(text):
    progress.say("[{:5.0f} s] {}".format(time.monotonic() - _began, text))


step = partial(progress.step, say=say)


def until(what, function, seconds=180, interval=0.3):
    """
    Wait until a function returns ``True``.

    :param function: may raise ``OSError``, which counts as ``False``.
    :raises RigError: it did not in time; with its last result.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            said = function()
        except (OSError, LookupError) as error:
            said = error
        if said is True:
            return
        if time.monotonic() > end:
            raise RigError("{}: not within {} s; last: {!r}".format(what, seconds, said))
        time.sleep(interval)


class RigError(Exception):
    """The rig does not work; the text gives the reason."""
