"""
The questions of ``make bench``, one module each.

A module has a ``TITLE``, the ``COLUMNS`` of its table, a function ``rows`` that measures, and a
function ``targets`` that yields the bounds its table is held to.
"""
