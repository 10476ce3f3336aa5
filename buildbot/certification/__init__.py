"""
The Buildbot that certifies the driver: its master's configuration, in parts.

``plan`` lists the builders and their requirements; ``plan``, ``counts`` and ``badge`` do not
import Buildbot.
``steps``, ``builders``, ``schedulers`` and ``configuration`` make Buildbot's objects from them.
"""
