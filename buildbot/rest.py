"""
A Buildbot's REST API, as far as starting, stopping and testing it takes.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from urllib.parse import urlencode

#: Seconds, for one answer.
PATIENCE = 30
#: How often something is asked for whose answers are cut off.
TRIES = 5


class Rest:
    """
    :param url: of the web pages, with a slash at the end.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._builders: dict[str, int] = {}

    def fetch(self, path: str) -> str:
        """:raises OSError: the page does not exist, or no server responds."""
        for _ in range(TRIES):
            try:
                with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
                    return answer.read().decode()
            except http.client.IncompleteRead:
                pass  # Buildbot 4.3 does so at times while a build begins
        raise ConnectionError(f"{self.url}{path}: the answer was cut off each time")

    def get(self, path: str, **query: object) -> list[dict]:
        """
        :param path: such as ``"workers"``; what comes back is what is there.
        """
        answer = json.loads(self.fetch(f"api/v2/{path}?{urlencode(query)}"))
        [found] = [value for key, value in answer.items() if key != "meta"]
        return found

    def call(self, path: str, method: str, **parameters: object) -> object:
        """
        :return: the result of an action. :raises OSError: the action was refused; the text gives
        the reason.
        """
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        request = urllib.request.Request(
            self.url + "api/v2/" + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)["result"]
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            raise OSError(f"{path} {method}: {said}") from error

    def builder_id(self, name: str) -> int:
        if not self._builders:
            self._builders = {each["name"]: each["builderid"] for each in self.get("builders")}
        return self._builders[name]

    def force(self, builder: str, scheduler: str, **properties: str) -> int:
        """
        Start a build on request.

        :return: the id of the request, for :meth:`build`.
        """
        builder_id = self.builder_id(builder)
        parameters = {"builderid": str(builder_id), **properties}
        _, requests = self.call("forceschedulers/" + scheduler, "force", **parameters)
        return requests[str(builder_id)]

    def build(self, request_id: int) -> dict | None:
        """:return: the build of a request, with its properties, once it is complete."""
        for build in self.get(f"buildrequests/{request_id}/builds", property="*"):
            if build["complete"]:
                return build
        return None

    def steps(self, build: dict) -> dict[str, dict]:
        """:return: the steps of a build, by name."""
        found = self.get("builds/{}/steps".format(build["buildid"]))
        return {step["name"]: step for step in found}

    def log(self, step: dict, name: str) -> str:
        """:return: the text of a step's log.  :raises KeyError: the step has no such log."""
        for log in self.get("steps/{}/logs".format(step["stepid"])):
            if log["name"] == name:
                return self.fetch("api/v2/logs/{}/raw".format(log["logid"]))
        raise KeyError(name)

    def requests_of(self, branch: str) -> dict[str, int]:
        """:return: the ids of the requests to build a branch, by the builders' names."""
        names = {each["builderid"]: each["name"] for each in self.get("builders")}
        of_branch = [
            each["bsid"]
            for each in self.get("buildsets")
            if any(stamp["branch"] == branch for stamp in each["sourcestamps"])
        ]
        return {
            names[each["builderid"]]: each["buildrequestid"]
            for each in self.get("buildrequests")
            if each["buildsetid"] in of_branch
        }

    def cancel(self, request_id: int) -> None:
        """Let a build not begin, or ask it to end."""
        self.call(f"buildrequests/{request_id}", "cancel")

    def cancel_all(self) -> None:
        """Cancel all that waits or runs."""
        for request in self.get("buildrequests", complete="false"):
            self.cancel(request["buildrequestid"])

    def idle(self) -> bool:
        """:return: whether nothing is built now."""
        return not self.get("builds", complete="false")
