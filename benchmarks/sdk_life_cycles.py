"""
Life cycles of volumes with openstacksdk, one thread each: the other side of
``openstack.py``, which runs this.

    TXSTORAGE_OPENSTACK=cloud.json python -P sdk_life_cycles.py VOLUMES

Prints how many ended well, and in how many seconds.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import openstack

#: Seconds, for each wait; as long as one operation of the driver may take.
PATIENCE = 110


def connection(cloud):
    user = cloud["users"]["demo"]
    return openstack.connect(
        auth_url=cloud["auth_url"],
        region_name=cloud["region"],
        user_domain_id="default",
        project_domain_id="default",
        **{key: user[key] for key in ("username", "password", "project_name")},
    )


def life_cycle(cloud, server):
    """:return: whether one volume came and went as it should."""
    storage, compute = cloud.block_storage, cloud.compute
    try:
        volume = storage.create_volume(size=1)
        storage.wait_for_status(volume, "available", wait=PATIENCE)
        compute.create_volume_attachment(server, volume_id=volume.id)
        storage.wait_for_status(volume, "in-use", wait=PATIENCE)
        compute.delete_volume_attachment(server, volume.id)
        storage.wait_for_status(volume, "available", wait=PATIENCE)
        storage.delete_volume(volume)
        storage.wait_for_delete(volume, wait=PATIENCE)
        return True
    except openstack.exceptions.SDKException as error:
        print(error, file=sys.stderr)
        return False


def main(count):
    with open(os.environ["TXSTORAGE_OPENSTACK"]) as described:
        described = json.load(described)
    cloud = connection(described)
    server = described["servers"]["demo"][0]
    # what is asked once in a program's life is not what is measured
    list(cloud.block_storage.volumes(limit=1))
    cloud.compute.get_server(server)
    began = time.monotonic()
    with ThreadPoolExecutor(count) as threads:
        ended_well = sum(threads.map(lambda _: life_cycle(cloud, server), range(count)))
    print(ended_well, time.monotonic() - began)


if __name__ == "__main__":
    main(int(sys.argv[1]))
