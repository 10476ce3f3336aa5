"""
Asynchronous block storage for Twisted, Flocker and Docker.
"""

__version__ = "0.1.0"
