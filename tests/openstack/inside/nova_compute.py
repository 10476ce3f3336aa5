"""
``nova-compute``, which finds its driver in this directory too: its option accepts only the names of
its
own drivers.
"""

import os
import sys

# isort: off
import nova.cmd.compute  # first: it decides which modules are green
import nova.virt

nova.virt.__path__.append(os.path.dirname(os.path.abspath(__file__)))
sys.exit(nova.cmd.compute.main())
