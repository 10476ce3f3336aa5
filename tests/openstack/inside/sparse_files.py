"""
Cinder's driver of the rig: a volume is a sparse file of this machine, called ``volume-`` and its
id.
"""

import os
import subprocess

from cinder import interface
from cinder.volume import configuration, driver
from oslo_config import cfg

OPTIONS = [cfg.StrOpt("sparse_files_directory", help="Where the volumes are.")]
cfg.CONF.register_opts(OPTIONS, group=configuration.SHARED_CONF_GROUP)

GIB = 2**30


def _copy(source, target, size=None):
    """Copy a sparse file, with what a loop device on it has written."""
    with open(source, "rb") as opened:
        os.fsync(opened.fileno())
    try:
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", source, target], check=True)
        if size is not None:
            os.truncate(target, size * GIB)
    except BaseException:
        os.unlink(target)
        raise


@interface.volumedriver
class SparseFiles(driver.VolumeDriver):
    """See ``cinder.interface.volume_driver``."""

    VERSION = "1.0"
    CI_WIKI_NAME = "none"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(OPTIONS)

    def _path(self, volume):
        return os.path.join(self.configuration.sparse_files_directory, volume["name"])

    def check_for_setup_error(self):
        os.listdir(self.configuration.sparse_files_directory)

    def create_volume(self, volume):
        with open(self._path(volume), "xb") as made:
            made.truncate(volume["size"] * GIB)

    def delete_volume(self, volume):
        try:
            os.unlink(self._path(volume))
        except FileNotFoundError:
            pass

    def extend_volume(self, volume, new_size):
        os.truncate(self._path(volume), new_size * GIB)

    def initialize_connection(self, volume, connector):
        data = {"device_path": self._path(volume), "volume_id": volume["id"]}
        return {"driver_volume_type": "local", "data": data}

    def terminate_connection(self, volume, connector, **kwargs):
        """A file needs no such step; nor the following ones."""

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    def create_snapshot(self, snapshot):
        _copy(self._path(snapshot.volume), self._path(snapshot))

    delete_snapshot = delete_volume

    def create_volume_from_snapshot(self, volume, snapshot):
        _copy(self._path(snapshot), self._path(volume), volume["size"])

    def create_cloned_volume(self, volume, src_vref):
        _copy(self._path(src_vref), self._path(volume), volume["size"])

    def _update_volume_stats(self):
        self._stats = {
            "volume_backend_name": self.configuration.safe_get("volume_backend_name"),
            "vendor_name": "txstorage",
            "driver_version": self.VERSION,
            "storage_protocol": "local",
            "total_capacity_gb": "infinite",
            "free_capacity_gb": "infinite",
            "reserved_percentage": 0,
            "multiattach": False,
        }
