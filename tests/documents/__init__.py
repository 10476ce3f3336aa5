"""
Tests that do what the documents say: every block of every document is
executed, or held to the code, by some test.

:mod:`.blocks` reads the documents, :mod:`.output` compares what a command
printed with what the document shows, and :mod:`.session` is the shell.
"""

from __future__ import annotations
