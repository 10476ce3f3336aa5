"""
The Buildbot that certifies the driver: its master's configuration, in parts.

``plan`` and ``machines`` list the builders and their requirements as values of ``builder``, and
``matrix`` shows what they certify. These, ``counts`` and ``badge`` do not import Buildbot.
``steps``, ``builders``, ``schedulers`` and ``configuration`` make Buildbot's objects from them.
"""
