"""
Attachments of EC2's volumes, and the names of their devices.
"""

from .attachments import InstanceAttachments

__all__ = ["InstanceAttachments"]
