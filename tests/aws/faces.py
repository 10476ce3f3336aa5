"""The two servers that are compared: moto, and the embedded service's EC2 face."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

from botocore.credentials import Credentials

from ..embedded.ec2 import codec
from .on_moto import REGION, ZONE, moto

#: Seconds that an answer may take.
_PATIENCE = 60


class Face:
    """
    A server that speaks EC2's API.

    :ivar str zone: the zone of its instances.
    :ivar dict ids: ids of resources, by the names that the test gives them.
    """

    def __init__(self, url, region, zone, key, secret):
        self.zone, self.ids = zone, {}
        self._url, self._region = url.rstrip("/") + "/", region
        self._credentials = Credentials(key, secret)

    @classmethod
    def of_moto(cls):
        """:return: moto's."""
        server = moto()
        face = cls(server.url, REGION, ZONE, "AKIAMOTO", "s3cret")
        face.ids.update(zip(("node", "node-2"), server.instances))
        return face

    @classmethod
    def of_service(cls, service):
        """:return: that of an :class:`.support.EC2Service`."""
        given = service.environment()
        with open(given["AWS_SHARED_CREDENTIALS_FILE"]) as opened:
            lines = [line.strip().partition(" = ") for line in opened]
        key = {name: value for name, separator, value in lines if separator}
        face = cls(
            given["AWS_ENDPOINT_URL"],
            given["AWS_DEFAULT_REGION"],
            given["AWS_DEFAULT_REGION"] + "a",
            key["aws_access_key_id"],
            key["aws_secret_access_key"],
        )
        _, answer = face.call("DescribeInstances", {})
        found = [each for group in answer["Reservations"] for each in group["Instances"]]
        face.ids.update(zip(("node", "node-2"), sorted(each["InstanceId"] for each in found)))
        return face

    def call(self, action, parameters):
        """
        Call an action.

        :return: the status, and the answer as botocore parses it.
        """
        request = codec.request_for(
            "ec2", action, self._url, self._region, self._credentials, parameters
        )
        body = request.body.encode("utf-8") if isinstance(request.body, str) else request.body
        headers = {
            name: value.decode("ascii") if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        asked = Request(request.url, data=body, headers=headers, method="POST")
        try:
            with urlopen(asked, timeout=_PATIENCE) as got:
                status, content = got.status, got.read()
        except HTTPError as error:
            status, content = error.code, error.read()
        # moto's answer to its own faults is a page.
        answer = {} if status == 500 else codec.parsed("ec2", action, status, content)
        answer.pop("ResponseMetadata", None)
        return status, answer

    def masked(self, text):
        """:return: a text with names for its ids and its zone."""
        known = dict(self.ids, zone=self.zone)
        # moto shows a set in one of its messages.
        text = text.replace("{'", "").replace("'}", "")
        for name in sorted(known):
            text = text.replace(known[name], "<{}>".format(name))
        return text


def members(value, path=""):
    """
    :param value: an answer, or a part of one.
    :return: dict: the type's name of each member that has a value, by its path.
    """
    if isinstance(value, dict):
        inner = [(path + "." + name if path else name, each) for name, each in value.items()]
    elif isinstance(value, list):
        inner = [(path + "[]", each) for each in value]
    else:
        return {path: type(value).__name__}
    found = {}
    for place, each in inner:
        found.update(members(each, place))
    return found
