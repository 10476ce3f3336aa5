"""
A moto server with instances: run by :mod:`tests.aws.on_moto` in the clients' environment.

Prints its URL and the ids of its instances as JSON, and runs until its input ends.  The arguments
are the region and the zone of the instances.
"""

import json
import logging
import sys

import boto3
from moto.server import ThreadedMotoServer


def main(region, zone):
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client(
        "ec2",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id="AKIAMOTO",
        aws_secret_access_key="s3cret",
    )
    image = client.describe_images()["Images"][0]["ImageId"]
    made = client.run_instances(
        ImageId=image, MinCount=2, MaxCount=2, Placement={"AvailabilityZone": zone}
    )
    instances = [each["InstanceId"] for each in made["Instances"]]
    print(json.dumps({"url": url, "instances": instances}), flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
