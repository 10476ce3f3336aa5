"""
The Buildbot that certifies the driver: its master's configuration, in parts.

``plan`` says what is built and what that needs; it and ``counts`` know nothing of
Buildbot.  ``steps``, ``builders``, ``schedulers`` and ``configuration`` make
Buildbot's objects of it.
"""
