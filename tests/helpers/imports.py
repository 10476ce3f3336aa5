"""
The package's wings and the imports between them, read from the folders and the sources.

The test of the layers, the drawing in the documentation and the list of Python 3 packages are
derived from this module.
"""

from __future__ import absolute_import, division, print_function

import ast
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
#: The directory of the package's sources.
PACKAGE = os.path.join(ROOT, "txstorage")

#: The wings, and the rooms beside them, from the top down.  A row imports only from rows below;
#: wings in one row stand side by side and do not import one another.
LAYERS = (
    ("cli",),
    ("flocker", "docker"),
    ("_assembly",),
    ("_node",),
    ("filesystem",),
    ("_http", "_configuration", "clouds", "_devices", "driver"),
    ("testing",),
    ("errors",),
    ("embedded",),
    ("interfaces",),
    ("_log",),
    ("_support",),
    ("_version",),
)

#: The embedded service is a separate program, which meets the driver on the wire only.
EMBEDDED_IMPORTS = frozenset(["_log", "_support", "_version"])

_PYTHON_3 = "from __future__ import annotations"


def modules():
    """Yield ``(dotted name below txstorage, path)`` of each module but the root."""
    for directory, _, files in os.walk(PACKAGE):
        for file in files:
            path = os.path.join(directory, file)
            name = os.path.relpath(path, PACKAGE)[: -len(".py")].replace(os.sep, ".")
            if file.endswith(".py") and name != "__init__":
                yield name[: -len(".__init__")] if name.endswith(".__init__") else name, path


def wing_of(name):
    """
    :param name: a dotted name below ``txstorage``.
    :return: the wing, or the room beside the wings, that the name stands in.
    """
    return name.split(".")[0]


def wings():
    """:return: the names of all wings and of the rooms beside them, sorted."""
    return sorted({wing_of(name) for name, _ in modules()})


def layer_of(name):
    """
    :param name: a dotted name below ``txstorage``.
    :return: the index of its wing's row in ``LAYERS``; 0 is the top.
    :raises KeyError: the wing has no row.
    """
    wing = wing_of(name)
    for index, row in enumerate(LAYERS):
        if wing in row:
            return index
    raise KeyError(wing)


def may_import(name, target, for_types=False):
    """
    :param name: the dotted name of a module below ``txstorage``.
    :param target: the dotted name of a module that it imports.
    :param for_types: whether only a type checker reads the import; such an import may lead to a
        wing beside the module's own, whose objects the module is handed.
    :return: whether the layers allow the import.
    """
    if wing_of(name) == wing_of(target):
        return True
    if for_types:
        return layer_of(target) >= layer_of(name)
    if wing_of(name) == "embedded":
        return wing_of(target) in EMBEDDED_IMPORTS
    return layer_of(target) > layer_of(name)


def is_python_3_only(path):
    """
    :param path: the path of a module; of a package, the path of its ``__init__.py``.
    :return: whether it has the import that Python 2 can't compile.
    """
    with open(path) as source:
        return _PYTHON_3 in source.read()


def python_3_packages(top):
    """
    Yield the paths of the topmost Python 3 packages below a directory.

    :param top: the path of a package.
    """
    for directory, inside, files in os.walk(top):
        if "__init__.py" in files and is_python_3_only(os.path.join(directory, "__init__.py")):
            inside[:] = []
            yield directory


def python_3_wings():
    """:return: a tuple of the names of the wings that are for Python 3 only, sorted."""
    return tuple(sorted(os.path.relpath(path, PACKAGE) for path in python_3_packages(PACKAGE)))


def _is_for_types(node):
    """:return: whether a statement is an ``if MYPY:`` or ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and getattr(node.test, "id", "") in ("MYPY", "TYPE_CHECKING")


def _walk(node, for_types):
    """Yield the nodes below one that run, or those that only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if _is_for_types(child):
            if for_types:
                for each in ast.walk(child):
                    yield each
        else:
            if not for_types:
                yield child
            for each in _walk(child, for_types):
                yield each


def imported(name, path, for_types=False):
    """
    Yield the dotted names below ``txstorage`` that a module imports.

    :param name: the module's dotted name below ``txstorage``.
    :param path: the module's path.
    :param for_types: whether to yield the imports that only a type checker reads, instead of those
        that run.
    """
    with open(path, "rb") as source:
        tree = ast.parse(source.read())
    package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
    for node in _walk(tree, for_types):
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


__all__ = [
    "LAYERS",
    "PACKAGE",
    "ROOT",
    "imported",
    "is_python_3_only",
    "layer_of",
    "may_import",
    "modules",
    "python_3_packages",
    "python_3_wings",
    "wing_of",
    "wings",
]
