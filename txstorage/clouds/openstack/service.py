# -*- test-case-name: tests.clouds.openstack.test_service -*-
"""
OpenStack behind the seam: Keystone, Cinder and Nova as one volume service.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import succeed
from zope.interface import implementer

from ..interface import IVolumeService
from .cinder import GIB, Cinder
from .nova import Nova
from .project import Project


@implementer(IVolumeService)
class OpenStackService(object):
    """
    An OpenStack cloud's volumes and servers.

    :param session: a :class:`~txstorage.clouds.openstack.session.Session`.
    :param availability_zone: where volumes are made (text), or ``None``.
    :param page_size: how many entries of a list to ask for at a time, or
        ``None`` for as many as the services give.
    """

    allocation_unit = GIB

    def __init__(self, session, availability_zone=None, page_size=None):
        self._session = session
        self._cinder = Cinder(session, availability_zone, page_size)
        self._nova = Nova(session, page_size)
        self._project = Project(session)

    def create_volume(self, name, size, labels, volume_type=None):
        """See ``IVolumeService``."""
        return self._cinder.create(name, size, labels, volume_type)

    def delete_volume(self, volume_id):
        """See ``IVolumeService``."""
        return self._cinder.delete(volume_id)

    def get_volume(self, volume_id):
        """See ``IVolumeService``."""
        return self._cinder.get(volume_id)

    def list_volumes(self, labels):
        """See ``IVolumeService``."""
        return self._cinder.list(labels)

    def failure_reason(self, volume_id):
        """See ``IVolumeService``."""
        return self._cinder.failure_reason(volume_id)

    def request_attach(self, volume_id, server_id):
        """See ``IVolumeService``."""
        return self._nova.attach(volume_id, server_id)

    def request_detach(self, volume_id, server_id):
        """See ``IVolumeService``."""
        return self._nova.detach(volume_id, server_id)

    def settle(self, volume):
        """See ``IVolumeService``: Compute ends what it began."""
        return succeed(None)

    def list_attachments(self, server_id):
        """See ``IVolumeService``."""
        return self._nova.list_attachments(server_id)

    def get_server(self, server_id):
        """See ``IVolumeService``."""
        return self._nova.get_server(server_id)

    def list_servers(self):
        """See ``IVolumeService``."""
        return self._nova.list_servers()

    def start_server(self, server_id):
        """See ``IVolumeService``."""
        return self._nova.start_server(server_id)

    # -- for those who look at a configuration, beyond IVolumeService ---------

    def authenticate(self):
        """
        :return: a ``Deferred`` that fires with the
            :class:`~txstorage.clouds.openstack.session.Identity`.
        """
        return self._session.identity()

    def catalog(self):
        """
        :return: a ``Deferred`` that fires with a tuple of
            :class:`~txstorage.clouds.openstack.session.Endpoint`.
        """
        return self._session.identity().addCallback(lambda identity: identity.catalog)

    def quota(self):
        """
        :return: a ``Deferred`` that fires with the
            :class:`~txstorage.clouds.openstack.project.Quota`.
        """
        return self._project.quota()

    def volume_types(self):
        """
        :return: a ``Deferred`` that fires with a tuple of
            :class:`~txstorage.clouds.openstack.project.VolumeType`.
        """
        return self._project.volume_types()

    def availability_zones(self):
        """
        :return: a ``Deferred`` that fires with a tuple of
            :class:`~txstorage.clouds.openstack.project.Zone`.
        """
        return self._project.availability_zones()

    def close(self):
        """
        :return: a ``Deferred`` that fires when no connection is left.
        """
        return self._session.close()


__all__ = ["OpenStackService"]
