"""The stages of the Dockerfile, and their instructions."""

from __future__ import annotations

import json
import re

from ..documents.blocks import text_of

#: The instructions that ``docker import --change`` takes.
CHANGES = ("CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "USER")


def stages():
    """:return: dict of the stages, in order, to their instructions: pairs of word and rest."""
    text = re.sub(r"\\\n", " ", text_of("packaging/docker/Dockerfile"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found = {}
    instructions = []
    for word, _, rest in (line.partition(" ") for line in lines):
        if word == "FROM":
            instructions = found.setdefault(rest.rpartition(" ")[2], [])
        instructions.append((word, rest.strip()))
    return found


def changes(stage):
    """:return: the instructions of a stage that an image of another origin can have, as lines."""
    return [f"{word} {rest}" for word, rest in stages()[stage] if word in CHANGES]


def command(stage):
    """:return: the command that a container of a stage runs."""
    given = dict(stages()[stage])
    return json.loads(given["ENTRYPOINT"]) + json.loads(given.get("CMD", "[]"))
