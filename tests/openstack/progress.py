"""Messages of the rig while it works: each step, and the progress of a slow one."""

import threading
import time
from contextlib import contextmanager

#: Seconds.
AGAIN = 20

_began = time.monotonic()


def say(text):
    print("--- [{:5.0f} s] {}".format(time.monotonic() - _began, text), flush=True)


@contextmanager
def step(text):
    """Report a step, and again every :data:`AGAIN` seconds that it takes."""
    say(text)
    done = threading.Event()
    began = time.monotonic()

    def again():
        while not done.wait(AGAIN):
            say("{}: {:.0f} s so far".format(text, time.monotonic() - began))

    teller = threading.Thread(target=again, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


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
