"""
The rendered parts of the documentation: the code's own tables, imports, log messages, routes and
errors.

Everything but :mod:`rendering.directives` yields text and needs no Sphinx, so that tests can check
it.
"""
