"""
What imports what, read from the sources: for the test of the layers, and for
the drawing of the parts in the documentation.
"""

from __future__ import absolute_import, division, print_function

import ast
import os

#: Where the package's sources are.
PACKAGE = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "txstorage"
)


def modules():
    """Yield ``(dotted name below txstorage, path)`` of each module but the root."""
    for directory, _, files in os.walk(PACKAGE):
        for file in files:
            path = os.path.join(directory, file)
            name = os.path.relpath(path, PACKAGE)[: -len(".py")].replace(os.sep, ".")
            if file.endswith(".py") and name != "__init__":
                yield name[: -len(".__init__")] if name.endswith(".__init__") else name, path


def imported(name, path):
    """Yield the dotted names below txstorage that a module imports."""
    with open(path, "rb") as source:
        tree = ast.parse(source.read())
    package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = ["txstorage"] + [part for part in package.split(".") if part]
                above = above[: len(above) - node.level + 1]
                base = ".".join(above + [part for part in [base] if part])
            names = ["{}.{}".format(base, alias.name) for alias in node.names]
        else:
            continue
        for full in names:
            if full.split(".")[0] == "txstorage":
                yield full[len("txstorage.") :]


__all__ = ["PACKAGE", "imported", "modules"]
