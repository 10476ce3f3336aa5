"""
What the documentation is rendered from: the code's own tables, imports, logs,
routes and errors.

Everything in here but :mod:`rendering.directives` yields text and needs no
Sphinx, so that the tests can look at it.
"""
