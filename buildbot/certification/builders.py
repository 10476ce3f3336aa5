"""
The builders, made from the plan.
"""

from __future__ import annotations

from buildbot.config import BuilderConfig
from buildbot.locks import WorkerLock
from buildbot.plugins import steps, util
from buildbot.process.properties import Interpolate, renderer

from .builder import LOCKS, PYTHON, SECRET, Builder
from .plan import builders
from .settings import WORKER, Settings
from .steps import GENTLY, CertifyingBuild, Needs, Statement, Trial, complete, possible

#: Seconds: for all of a build, and without a word from it.
LONGEST, SILENT = 2 * 3600, 1800

# One object for each lock: two objects of the same name do not exclude each other.
_LOCKS = {name: WorkerLock(name, maxCount=1) for name in LOCKS}


def rendered(command: tuple[str, ...]) -> list:
    """:return: a command of the plan in Buildbot's form."""
    return [Interpolate(part) if "%(" in part else part for part in command]


@renderer
def tests_asked_for(properties):
    """:return: the tests that were named by hand, if any were."""
    return (properties.getProperty("tests") or "").split()


def command(builder: Builder):
    """:return: what a builder runs, with the tests at its end."""
    if not builder.takes_names:
        return rendered(builder.command)
    default = list(builder.selection)

    @renderer
    def tests(properties):
        return tests_asked_for.getRenderingFor(properties).addCallback(lambda t: t or default)

    return [*rendered(builder.command), tests]


def environment(builder: Builder, settings: Settings) -> dict:
    """:return: what a builder's command finds in its environment besides the worker's."""
    carried = {p.variable: Interpolate(f"%(prop:{p.name}:-)s") for p in builder.parameters}
    if builder.secret and settings.has_secret(builder.secret):  # it is looked up even if skipped
        carried[SECRET] = util.Secret(builder.secret)
    return {"PYTHONUNBUFFERED": "1", **carried}


def _needs(builder: Builder, settings: Settings) -> Needs:
    here = []
    if builder.secret and not settings.has_secret(builder.secret):
        here.append(
            "no secret {}: write it to {} (0600), and restart".format(
                builder.secret, settings.path("secrets", builder.secret)
            )
        )
    script = (PYTHON, "buildbot/worker/needs.py", *builder.needs)
    return Needs(here=here, command=rendered(script))


def factory(builder: Builder, settings: Settings) -> util.BuildFactory:
    """:return: the steps of a builder."""
    made = util.BuildFactory()
    made.buildClass = CertifyingBuild
    made.addStep(
        # keeps what is ignored: the environments, which take minutes to make
        steps.Git(
            repourl=settings.repository,
            mode="full",
            method="clean",
            haltOnFailure=True,
            logEnviron=False,
        )
    )
    if builder.needs or builder.secret:
        made.addStep(_needs(builder, settings))
    options = {
        "command": command(builder),
        "env": environment(builder, settings),
        "doStepIf": possible,
        "haltOnFailure": True,
        "logEnviron": False,
        "timeout": SILENT,
        "maxTime": LONGEST,
        **GENTLY,
    }
    if builder.tests:
        made.addStep(Trial(**options))
    else:
        made.addStep(steps.ShellCommand(name=builder.name, **options))
    certificate = builder.certificate
    if certificate:
        script = (PYTHON, "buildbot/worker/statement.py", certificate.against, *certificate.pythons)
        made.addStep(Statement(command=rendered(script), doStepIf=complete))
    return made


def configs(settings: Settings) -> list[BuilderConfig]:
    """:return: all builders."""
    return [
        BuilderConfig(
            name=builder.name,
            description=builder.description,
            workernames=[WORKER],
            factory=factory(builder, settings),
            locks=[_LOCKS[name].access("exclusive") for name in builder.locks],
            tags=["certifies"] if builder.certificate else [],
        )
        for builder in builders(settings.version)
    ]
