# -*- test-case-name: tests.embedded.test_serve -*-
"""The options of ``txstorage serve`` for its EC2 face."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Callable, TypeVar

import click
from click.core import ParameterSource

from ...embedded.apis.ec2.face import EC2_ACTIONS
from ...embedded.settings import EC2Settings

F = TypeVar("F", bound=Callable[..., Any])

#: The options without their prefix, but the port.
_NAMES = (
    "region",
    "zones",
    "rate",
    "lag",
    "optimizing",
    "cooldown",
    "reuse",
    "attachments",
    "denied",
)
_PARAMETERS = frozenset("ec2_" + name for name in _NAMES)
_OPTIONS = (
    click.option(
        "--ec2-port",
        type=click.IntRange(0, 65535),
        metavar="PORT",
        help="Serve EC2's API, too, on this port, and each node's metadata (IMDSv2) on the ports "
        "after it; 0: any free ones.",
    ),
    click.option(
        "--ec2-region",
        default=EC2Settings().region,
        show_default=True,
        metavar="NAME",
        help="EC2's region.",
    ),
    click.option(
        "--ec2-zone",
        "ec2_zones",
        metavar="NAME",
        multiple=True,
        help="An availability zone of EC2; repeatable.  The nodes are in the first one.  [default: "
        "the region with a, and with b]",
    ),
    click.option(
        "--ec2-rate",
        type=click.FloatRange(0),
        default=0.0,
        show_default=True,
        metavar="PER_SECOND",
        help="How many requests per second each action of EC2 allows, after a burst; 0: no limit.",
    ),
    click.option(
        "--ec2-lag",
        type=click.FloatRange(0),
        default=0.0,
        show_default=True,
        metavar="SECONDS",
        help="How long a change may be missing from the answers of EC2's Describe actions.",
    ),
    click.option(
        "--ec2-optimizing",
        type=click.FloatRange(0),
        default=0.0,
        show_default=True,
        metavar="SECONDS",
        help="How long EC2 optimizes a modified volume.",
    ),
    click.option(
        "--ec2-cooldown",
        type=click.FloatRange(0),
        default=21600.0,
        show_default=True,
        metavar="SECONDS",
        help="The time from one modification of a volume to the next in EC2.",
    ),
    click.option(
        "--ec2-reuse",
        type=click.FloatRange(0),
        default=0.0,
        show_default=True,
        metavar="SECONDS",
        help="How long after a detach the same device name leaves a volume attaching in EC2.",
    ),
    click.option(
        "--ec2-attachments",
        type=click.IntRange(1),
        default=EC2Settings().attachments,
        show_default=True,
        metavar="NUMBER",
        help="How many volumes a node may have attached in EC2.",
    ),
    click.option(
        "--ec2-deny",
        "ec2_denied",
        type=click.Choice(EC2_ACTIONS),
        metavar="ACTION",
        multiple=True,
        help="An action of EC2 that the access key's policy does not allow, such as ModifyVolume; "
        "repeatable.",
    ),
)


def ec2_options(command: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def refuse_without_port(context: click.Context) -> None:
    """
    Refuse options of the EC2 face when there is none.

    :raises UsageError: the error names the first such option.
    """
    if context.params["ec2_port"] is not None:
        return
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in _PARAMETERS and source not in (None, ParameterSource.DEFAULT):
            raise click.UsageError(
                f"{option.opts[0]} has no effect without --ec2-port, which serves EC2's API"
            )


def ec2_settings(given: MutableMapping[str, Any]) -> dict[str, Any]:
    """
    Take the settings of the EC2 face out of a command's options.

    :param given: the options.
    :return: the settings, with two zones of the region when none were given.
    """
    settings = {name: given.pop("ec2_" + name) for name in _NAMES}
    region = settings["region"]
    return dict(settings, zones=settings["zones"] or (region + "a", region + "b"))
