"""
When what is built.
"""

from __future__ import annotations

from buildbot.plugins import changes, schedulers, util

from .builder import Builder
from .plan import builders
from .settings import Settings

#: Seconds that no further change came.
STABLE = 30
#: Seconds from one look at the repository to the next.
LOOK = 60
#: Names of tests; nothing that a command could take for an option.
TESTS = r"^([A-Za-z_][\w.]*( +[A-Za-z_][\w.]*)*)?$"


def sources(settings: Settings) -> list:
    """:return: what looks for changes, on all branches."""
    return [
        changes.GitPoller(
            repourl=settings.repository,
            workdir=settings.path("poller"),
            branches=True,
            pollInterval=LOOK,
            pollAtLaunch=True,
        )
    ]


def _text(name: str, label: str, **options) -> util.StringParameter:
    return util.StringParameter(name=name, label=label, size=60, **options)


def scheduler_name(builder: str) -> str:
    """:return: the name of what builds a builder by hand, without what Buildbot refuses."""
    return "by-hand-" + builder.replace(".", "-")


def asked_for(builder: Builder) -> list:
    """:return: the fields that a person can fill in to build a builder by hand."""
    fields = [
        _text(each.name, each.label, default=each.default, required=each.required)
        for each in builder.parameters
    ]
    if builder.takes_names:
        fields.append(_text("tests", "Tests (all of it when empty)", regex=TESTS, default=""))
    return fields


def by_hand(builder: Builder, settings: Settings) -> schedulers.ForceScheduler:
    """:return: the scheduler that builds one of the builders on request."""
    return schedulers.ForceScheduler(
        name=scheduler_name(builder.name),
        label=builder.description,
        buttonName="Build",
        builderNames=[builder.name],
        codebases=[
            util.CodebaseParameter(
                "",
                label="What",
                branch=_text("branch", "Branch", default=settings.branch),
                revision=_text("revision", "Commit (the newest when empty)", default=""),
                repository=util.FixedParameter(name="repository", default=settings.repository),
                project=util.FixedParameter(name="project", default=""),
            )
        ],
        properties=asked_for(builder),
    )


def all_of_them(settings: Settings) -> list:
    """:return: the schedulers: at every change, at night, and by hand."""
    rows = builders(settings.version)
    return [
        schedulers.AnyBranchScheduler(
            name="every-change",
            treeStableTimer=STABLE,
            builderNames=[row.name for row in rows if row.at_changes],
        ),
        schedulers.Nightly(
            name="nightly",
            hour=2,
            minute=30,
            branch=settings.branch,
            codebases={"": {"repository": settings.repository, "branch": settings.branch}},
            builderNames=[row.name for row in rows if row.at_night],
        ),
        *[by_hand(row, settings) for row in rows],
    ]
