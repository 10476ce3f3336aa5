# -*- test-case-name: tests.cli.shell.test_completion -*-
"""
The words of the cloud that a shell completes: volumes, snapshots and nodes.

A shell waits for them while the user types, and prints errors into the command line.  So there are
no errors, and no words after a short while.
"""

from __future__ import annotations

import io
import os
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING, Any, Callable

import click
from click.shell_completion import CompletionItem

from .options import app_of

if TYPE_CHECKING:
    from ..app import App

#: Seconds after which the cloud's answer is not awaited any more.
PATIENCE = 2.0
#: Seconds after which the process ends, whatever it waits for.
LIMIT = 3.0

#: Words with other characters would have to be quoted, or would forge other words.
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")

#: An id, a name, and a remark.
Word = tuple[str, str, str]


@contextmanager
def _quietly() -> Iterator[None]:
    """Print nothing on standard error, and do not last longer than the limit."""
    timer = threading.Timer(LIMIT, os._exit, (0,))
    timer.daemon = True
    timer.start()
    try:
        with redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        timer.cancel()


def matching_items(words: Sequence[Word], incomplete: str) -> list[CompletionItem]:
    """
    :param words: all that there are.
    :param incomplete: the beginning of the word; with none, ids are offered.
    :return: the ids and names that begin so; of ids, the case does not matter.
    """
    items = [
        CompletionItem(identity, help=f"{name} {remark}".strip())
        for identity, name, remark in words
        if identity.lower().startswith(incomplete.lower())
    ]
    items += [
        CompletionItem(name, help=f"{identity} {remark}".strip())
        for identity, name, remark in words
        if incomplete and name.startswith(incomplete)
    ]
    return list({each.value: each for each in items if _PLAIN.fullmatch(each.value)}.values())


def volume_words(app: App) -> list[Word]:
    """Ask the cloud for the cluster's volumes."""
    from ...docker.options import NAME as DOCKER_NAME
    from ...driver.labels import belongs_to, cluster_labels
    from ..sizes import format_size

    cluster_id = app.configuration().cluster_id
    if cluster_id is None:
        return []
    page = _answer(app, lambda service: service.list_volumes(cluster_labels(cluster_id)))
    return [
        (
            each.volume_id,
            each.labels.get(DOCKER_NAME, each.name),
            f"{format_size(each.size)} {each.status}",
        )
        for each in page.volumes
        if belongs_to(each, cluster_id)
    ]


def snapshot_words(app: App) -> list[Word]:
    """Ask the cloud for the snapshots of the cluster's volumes."""
    from ...driver.labels import belongs_to, cluster_labels

    cluster_id = app.configuration().cluster_id
    if cluster_id is None:
        return []
    page = _answer(app, lambda service: service.list_snapshots(cluster_labels(cluster_id)))
    return [
        (each.snapshot_id, each.name, f"{each.created_at} {each.status}")
        for each in page.snapshots
        if belongs_to(each, cluster_id)
    ]


def node_words(app: App) -> list[Word]:
    """Ask the cloud for its servers, which are best known by their names."""
    servers = _answer(app, lambda service: service.list_servers())
    return [(each.name or each.server_id, each.server_id, each.status) for each in servers]


def _answer(app: App, ask: Callable[[Any], Any]) -> Any:
    async def operation(reactor: Any) -> Any:
        return await ask(app.service(reactor)).addTimeout(PATIENCE, reactor)

    return app.run(operation)


class _CloudWord(click.ParamType):  # type: ignore[type-arg]
    """
    A word of the cloud.

    :param name: the kind.
    :param words: asks the cloud for all words.
    """

    def __init__(self, name: str, words: Callable[[App], list[Word]]) -> None:
        self.name = name
        self._words = words

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """See ``click.ParamType``."""
        with _quietly():
            try:
                words = self._words(app_of(ctx, for_completion=True))
                return matching_items(words, incomplete)
            # Whatever it is, the user is about to see it from the command itself.
            except (Exception, SystemExit):
                return []


VOLUME = _CloudWord("volume", volume_words)
SNAPSHOT = _CloudWord("snapshot", snapshot_words)
NODE = _CloudWord("node", node_words)

__all__ = ["NODE", "SNAPSHOT", "VOLUME"]
