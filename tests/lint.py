"""
Run the checks that are not tests: ``make lint``.

Style, types, documentation, news fragments, the contents of the source distribution, the English
of docstrings, and, on Python 3 and 2.7, the layers and the import of every module.  Ends with the
line that the tests end with, in which each check counts as one::

    N passed, N failed, N skipped
"""

import json
import os
import subprocess
import sys

from .debian import ensure
from .run import (
    ENVIRONMENT,
    ENVIRONMENT_2,
    ROOT,
    concluded,
    counted,
    install,
    interpreter_of,
    make_environment,
    make_environment_2,
    say,
    summed,
)

#: The commands that run in the environment of Python 3.
CHECKS = [
    "ruff check .",
    "ruff format --check .",
    "mypy",
    # -E and -a: what is rendered from the code, and every sidebar, may have changed.
    "sphinx-build -E -a -W --keep-going -q -b html docs docs/_build/html",
    "towncrier build --draft --version next",
    "check-manifest --no-build-isolation",
    "pre-commit run --all-files",
    # Medium and high findings. B104 takes a comparison with 0.0.0.0 for a binding; B608 takes the
    # store's SQL, whose variable parts are names of columns in the code, for an injection.
    "bandit -q -r txstorage -ll --skip B104,B608",
]
#: The tools that compare with the files that git tracks.
WITH_GIT = ("check-manifest", "pre-commit")
#: The tests of the house that read or import the source and nothing else, by Python.
IMPORTS = "tests.house.test_architecture"
ENGLISH = "tests.house.test_english"
#: The tests of the pages that the check of the documentation built.
PAGES = "tests.documents.test_pages"


def checked(name, command, accept=lambda output: True):
    """
    :param command: the program and its arguments.
    :param accept: called with the output; returns whether the output is a good one.
    :return: dict, one "passed" or one "failed".
    """
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=ROOT, PYTHONWARNINGS="ignore"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    if done.returncode == 0 and accept(done.stdout):
        say("passed: " + name)
        return {"passed": 1}
    print(done.stdout, flush=True)
    say("failed: " + name)
    return {"failed": 1}


def skipped(name, reason):
    say("skipped: {}: {}".format(name, reason))
    return {"skipped": 1}


def with_tool(check):
    tool, *arguments = check.split()
    if tool in WITH_GIT and not os.path.exists(os.path.join(ROOT, ".git")):
        return skipped(check, "it compares with what git tracks")
    return checked(check, [os.path.join(ENVIRONMENT, "bin", tool), *arguments])


AUDIT = "pip-audit"


def audited(output):
    """
    :param output: the JSON of ``pip-audit``, or an error message.
    :return: the names of the packages with known vulnerabilities, and the number of packages that
        the vulnerability service knows; ``None`` instead of both without an answer of the service.
    """
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    known = [each for each in packages if "skip_reason" not in each]
    vulnerable = [
        "{name} {version}: {found}".format(
            found=", ".join(one["id"] for one in each["vulns"]), **each
        )
        for each in known
        if each["vulns"]
    ]
    return vulnerable, len(known)


def audit():
    """
    Look for known vulnerabilities in the environment's packages.

    A package index without vulnerability reports says that it knows no package. Then the check
    counts as skipped.
    """
    done = subprocess.run(
        [os.path.join(ENVIRONMENT, "bin", AUDIT), "--format", "json", "--progress-spinner", "off"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        universal_newlines=True,
    )
    return audit_counted(audited(done.stdout))


def audit_counted(result):
    """
    :param result: as :func:`audited` returns it.
    :return: dict, one "passed", one "failed" or one "skipped".
    """
    if result is None:
        return skipped(AUDIT, "the vulnerability service did not answer")
    vulnerable, known = result
    if vulnerable:
        say("failed: {}: {}".format(AUDIT, "; ".join(vulnerable)))
        return {"failed": 1}
    if not known:
        return skipped(AUDIT, "the package index reports no vulnerabilities of any package")
    say("passed: {}: {} packages".format(AUDIT, known))
    return {"passed": 1}


def trial_of(module, environment, version):
    """Run one module of the tests of the house, which trial runs in a moment."""

    def all_ran(output):
        counts = counted(output)
        return counts["passed"] > 0 and not counts["failed"]

    programs = os.path.join(environment, "bin")
    temporary = os.path.join(ROOT, "_trial_temp-lint-" + version)
    trial = [os.path.join(programs, "python"), os.path.join(programs, "trial")]
    return checked(
        "{} on Python {}".format(module, version),
        [*trial, "--temp-directory", temporary, module],
        all_ran,
    )


def imports_2():
    interpreter = interpreter_of("2.7")
    if interpreter is None:
        return skipped(IMPORTS + " on Python 2.7", "there is no Python 2.7 here")
    make_environment_2(interpreter)
    return trial_of(IMPORTS, ENVIRONMENT_2, "2.7")


def main():
    ensure("dot", "graphviz")
    make_environment()
    install(ENVIRONMENT, "--editable", ".[docs,lint]")
    parts = [with_tool(check) for check in CHECKS]
    house = [trial_of(module, ENVIRONMENT, "3") for module in (IMPORTS, ENGLISH, PAGES)]
    return concluded(summed([*parts, audit(), *house, imports_2()]))


if __name__ == "__main__":
    sys.exit(main())
