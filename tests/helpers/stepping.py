"""
Child processes whose wall clock steps while a real reactor runs.
"""

from __future__ import absolute_import, division, print_function

import json
import os
import subprocess
import sys
from threading import Timer

from .imports import ROOT

#: Twisted keeps a reference to ``time.time`` when it is imported, so the child replaces the
#: function before that.  ``now()`` is a clock that neither the test nor the code changes.
_PRELUDE = """
from __future__ import print_function
import json, os, sys, time

class Wall(object):
    step = 0.0
    real = staticmethod(time.time)
    def __call__(self):
        return self.real() + self.step

wall = time.time = Wall()
STEP = float(sys.argv[1])

def now():
    return os.times()[4]
"""


def run_with_steps(script, step, *arguments):
    """
    Run a script whose wall clock the script itself steps, by setting ``wall.step`` to ``STEP``.

    :param str script: Python for both versions; prints one JSON document.
    :param float step: seconds; a negative step sets the clock back.
    :param arguments: more arguments of the script, from ``sys.argv[2]``.
    :return: the document.
    :raises AssertionError: the script failed, or did not end within 30 seconds.
    """
    environment = dict(os.environ, PYTHONPATH=ROOT, PYTHONWARNINGS="ignore")
    process = subprocess.Popen(
        [sys.executable, "-c", _PRELUDE + script, str(step)] + list(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
    )
    killer = Timer(30, process.kill)
    killer.start()
    try:
        output, errors = process.communicate()
    finally:
        killer.cancel()
    if process.returncode != 0:
        raise AssertionError(
            "the child ended with {}: {}{}".format(
                process.returncode, output.decode("utf-8"), errors.decode("utf-8")
            )
        )
    return json.loads(output.decode("utf-8"))
