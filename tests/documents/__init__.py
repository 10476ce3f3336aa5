"""
Tests that follow the documents: every block of every document is executed, or compared with the
code, by some test.

:mod:`.blocks` reads the documents, :mod:`.output` compares a command's output with the document's,
and :mod:`.session` is the shell.
"""

from __future__ import annotations
