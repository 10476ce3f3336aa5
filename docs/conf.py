"""
Sphinx's configuration, and the directives that render the code's own tables.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.dirname(sys.path[0]))

from txstorage import __version__  # noqa: E402

project = "txstorage"
copyright = "2026, the txstorage developers"
version = release = __version__
extensions = ["sphinx.ext.autodoc", "tables"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
