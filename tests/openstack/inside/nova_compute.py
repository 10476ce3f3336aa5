"""
``nova-compute``, which looks for its driver in this directory as well: it can be
told the name of a driver, but only of one among its own.
"""

import os
import sys

# isort: off
import nova.cmd.compute  # first: it decides what is green
import nova.virt

nova.virt.__path__.append(os.path.dirname(os.path.abspath(__file__)))
sys.exit(nova.cmd.compute.main())
