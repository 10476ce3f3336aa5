"""
Sphinx's configuration.
"""

import os
import sys

# what is rendered, and the checkout that it is rendered from
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.dirname(sys.path[0]))

from rendering.commands import literal_options, without_global_options  # noqa: E402

from txstorage import __version__  # noqa: E402

project = "txstorage"
copyright = "2026, the txstorage developers"
version = release = __version__
extensions = ["sphinx.ext.autodoc", "sphinx_click", "rendering.directives"]
exclude_patterns = ["_build"]

# The docstrings give the types, in words that fit both Pythons.
autodoc_use_type_comments = False
autodoc_member_order = "bysource"
add_module_names = False
python_use_unqualified_type_names = True

# A reference that leads nowhere is a warning, but for the words that docstrings
# have for types, and for what is not public.
nitpicky = True
nitpick_ignore_regex = [
    ("py:class", "text|UUID|FilePath|NamedConstant|Intervals"),
    # Python's own, in annotations
    ("py:class", r"collections\.abc\.Iterable|ssl\.SSLContext"),
    ("py:.*", r"txstorage\.(.*\.)?(_|lifecycle|node|devices).*"),
]

# An option in a text keeps its two hyphens.
smartquotes_action = "qe"
html_theme = "furo"
html_title = f"txstorage {version}"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_copy_source = False


def setup(app):
    app.connect("sphinx-click-process-options", without_global_options)
    for part in ("description", "options"):
        app.connect("sphinx-click-process-" + part, literal_options)
