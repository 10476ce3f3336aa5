"""
Run the tests: ``make test`` and its relatives.

Nothing but the running Python (3.9 or newer) is needed.  The program makes the virtual
environments, installs the project into them, and runs ``trial`` in each, as many at once as there
are cores.  It ends with one line, computed from trial's own summaries::

    N passed, N failed, N skipped

On Python 3 it measures the branch coverage of the package, and fails when that is too low.
"""

import argparse
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import venv
from functools import partial

from .debian import ensure_venv, prefer
from .helpers.imports import is_python_3_only, python_3_packages
from .progress import say, show, step
from .side_by_side import PROCESSES, line_of, side_by_side, summed, take_interrupts

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
ENVIRONMENT = os.path.join(ROOT, ".venv")
ENVIRONMENT_2 = os.path.join(ROOT, ".venv-2.7")
PINS_2 = os.path.join(HERE, "requirements-2.7.txt")
VERSIONS_3 = ["3.9", "3.10", "3.11", "3.12", "3.13"]
#: The running Python, outside of any environment: an environment's would remove itself.
BASE = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
#: Percent of the package's branches.
COVERAGE = 95
COVERAGE_TOOL = (os.path.join(ENVIRONMENT, "bin", "python"), "-m", "coverage")
#: The parts that a suite's modules are dealt to, as one alone would leave cores idle.
PARTS = 2
#: The programs that the demo uses as root, and those that tests use, with Debian's packages.
PROGRAMS = {"mkfs.ext4": "e2fsprogs"}
PROGRAMS_OF_TESTS = {
    **PROGRAMS,
    "cryptsetup": "cryptsetup-bin",
    "curl": "curl",
    "mkfs.btrfs": "btrfs-progs",
    "mkfs.xfs": "xfsprogs",
}

SUMMARY = re.compile(r"^(?:PASSED|FAILED)\s*(?:\((.*)\))?\s*$", re.MULTILINE)
RAN = re.compile(r"^Ran (\d+) tests", re.MULTILINE)
#: One of trial's reports at the end of its output, and the names of tests that end it.
REPORT = re.compile(
    r"^={79}\n\[(?:FAIL|ERROR|SUCCESS!\?!)\]\n(.*?)(?=^={79}\n\[|^-{79}\n)", re.M | re.S
)
NAMES = re.compile(r"\n\n((?:[\w.]+\n)+)\Z")
#: Trial's outcomes, and the counts they add to.
OUTCOMES = {
    "successes": "passed",
    "unexpectedSuccesses": "failed",
    "failures": "failed",
    "errors": "failed",
    "expectedFailures": "skipped",
    "skips": "skipped",
    "todos": "skipped",
}


def counted(output):
    """
    :param output: trial's output.
    :return: dict of "passed", "failed" and "skipped" to numbers; one failed when trial printed no
        summary.
    """
    counts = dict.fromkeys(("passed", "failed", "skipped"), 0)
    summaries = SUMMARY.findall(output)
    if not summaries or not RAN.search(output):
        counts["failed"] = 1
        return counts
    for outcome, number in re.findall(r"(\w+)=(\d+)", summaries[-1]):
        counts[OUTCOMES.get(outcome, "failed")] += int(number)
    return counts


def failed_in(output):
    """
    :param output: trial's output.
    :return: list of the names of the tests that failed, or of what trial could not import.
    """
    names = (NAMES.search(report) for report in REPORT.findall(output))
    return sorted({name for found in names if found for name in found.group(1).split()})


def concluded(counts):
    """
    Print the line of counts, with which each of these programs ends.

    :return: the exit code; 1 also when nothing passed.
    """
    print(line_of(counts), flush=True)
    return 1 if counts["failed"] or not counts["passed"] else 0


def checks_in(directory):
    """:return: the names of a directory's modules of tests that ``make test`` does not run."""
    package = "tests." + os.path.basename(directory)
    return sorted(
        "{}.{}".format(package, os.path.basename(path)[: -len(".py")])
        for path in glob.glob(os.path.join(directory, "check_*.py"))
    )


def make_once(directory, wanted, make):
    """Make a directory, unless it was made from the same inputs before."""
    stamp = os.path.join(directory, ".made-for")
    fingerprint = hashlib.sha256(repr(wanted).encode()).hexdigest()
    if os.path.exists(stamp):
        with open(stamp) as made_for:
            if made_for.read() == fingerprint:
                return
    shutil.rmtree(directory, ignore_errors=True)
    make()
    with open(stamp, "w") as made_for:
        made_for.write(fingerprint)


def content(*names):
    for name in names:
        with open(os.path.join(ROOT, name)) as opened:
            yield opened.read()


def run(*command, **options):
    subprocess.run(command, check=True, **options)


def install(environment, *arguments):
    with step("pip install {} in {}".format(" ".join(arguments), os.path.basename(environment))):
        run(
            os.path.join(environment, "bin", "python"),
            *("-W ignore -m pip --disable-pip-version-check --quiet install".split()),
            *arguments,
            cwd=ROOT,
        )


def make_environment(directory=ENVIRONMENT, interpreter=BASE):
    """Make an environment for Python 3, with the project and the tests' requirements."""

    def make():
        ensure_venv(interpreter)
        with step("making {} with {}".format(os.path.basename(directory), interpreter)):
            run(interpreter, "-m", "venv", "--clear", directory)
        install(directory, "--editable", ".[test]")

    make_once(directory, [interpreter, sys.version_info[:2], list(content("setup.py"))], make)


def interpreter_of(version):
    """
    :param version: such as ``"2.7"``.
    :return: the path of a Python of that version, or ``None``.
    """
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    name = "python" + version
    candidates = [name]
    candidates += sorted(glob.glob(os.path.join(root, "versions", version + ".*", "bin", name)))
    for candidate in candidates:
        try:
            asked = subprocess.run(
                [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                universal_newlines=True,
            )
        except OSError:
            continue
        if asked.stdout.strip() == version:
            return candidate
    return None


def make_environment_2(interpreter):
    """Make the environment for Python 2.7, with Flocker's pins."""

    def make():
        tool = os.path.join(ROOT, ".venv-2.7-tool")
        with step("making .venv-2.7-tool, which makes .venv-2.7"):
            venv.create(tool, with_pip=True, clear=True)
        # the last release that makes environments for 2.7
        install(tool, "virtualenv==20.21.1", "setuptools<81")
        with step("making .venv-2.7 with virtualenv"):
            run(
                os.path.join(tool, "bin", "python"),
                *("-m virtualenv --quiet --no-periodic-update --python".split()),
                interpreter,
                ENVIRONMENT_2,
            )
        shutil.rmtree(tool)
        with open(PINS_2) as pins:
            first = [line for line in pins.read().split("\n\n")[0].splitlines() if line[0] != "#"]
        install(ENVIRONMENT_2, *first)
        install(ENVIRONMENT_2, "--requirement", PINS_2)
        install(ENVIRONMENT_2, "--no-deps", "--editable", ".")

    make_once(ENVIRONMENT_2, [interpreter, list(content(PINS_2, "setup.py"))], make)


#: The beginning of a message about one test.
FAILED = "failed: "
#: Two installations at once would write the same files of the project.
INSTALLING = threading.Lock()


def trial(environment, name, tests, prefix=(), show=show):
    """
    Run trial and show its output.

    :return: its counts, as :func:`counted` returns them.
    """
    command = [os.path.join(environment, "bin", "python"), *prefix]
    command.append(os.path.join(environment, "bin", "trial"))
    of_service = ENVIRONMENT if environment == ENVIRONMENT_2 else environment
    return run_trial(command, name, tests, of_service=of_service, show=show)


def apart():
    """
    :return: the words before a command that let it have a mount namespace of its own, where that is
        possible.  Programs that copy their namespace, as debootstrap's callers do, would otherwise
        keep the devices of the mounts of all other tests in use.
    """
    words = ["unshare", "--mount", "--propagation", "private"]
    try:
        subprocess.run([*words, "true"], check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return []
    return words


def run_trial(command, name, tests, path=(ROOT,), of_service=ENVIRONMENT, show=show):
    """
    :param list command: the command that starts trial.
    :param path: further directories for Python's module search.
    :param of_service: the environment that the embedded service runs in.
    :param show: called with each line of output.
    :return: the counts, as :func:`counted` returns them.
    """
    command = [*apart(), *command, "--reporter=verbose"]
    place = "_trial_temp-" + re.sub(r"\W+", "-", name)
    command += ["--temp-directory", os.path.join(ROOT, place)]
    say("trial on " + name, show)
    take_interrupts()
    # Trial changes the directory, and the embedded service needs Python 3 even when the driver
    # runs on 2.7.
    surroundings = dict(os.environ, PYTHONPATH=os.pathsep.join(path))
    surroundings["TXSTORAGE_PYTHON3"] = os.path.join(of_service, "bin", "python")
    surroundings["PYTHONWARNINGS"] = "ignore::DeprecationWarning"
    process = PROCESSES.start(command + list(tests), cwd=ROOT, env=surroundings)
    output = []
    try:
        for line in process.stdout:
            output.append(line)
            show(line)
    except BaseException:
        PROCESSES.end()
        raise
    counts = counted("".join(output))
    for failed in failed_in("".join(output)):
        say("{}{}, on {}".format(FAILED, failed, name), show)
    if PROCESSES.wait(process) != 0 and not counts["failed"]:
        counts["failed"] = 1
    return counts


def measured(name, tests, show=show):
    """Run tests on the running Python, and add to what its coverage is measured by."""
    return trial(ENVIRONMENT, name, tests, ["-m", "coverage", "run"], show)


def erase_coverage():
    run(*COVERAGE_TOOL, "erase", cwd=ROOT)


def covered():
    """
    Report the coverage, and say when it is too low.

    :return: counts, with one failed when it is.
    """
    with step("summing up the coverage"):
        run(*COVERAGE_TOOL, "combine", "--quiet", cwd=ROOT)
        report = subprocess.run(
            [*COVERAGE_TOOL, "report", "--skip-covered", "--fail-under", str(COVERAGE)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            universal_newlines=True,
        )
    show(report.stdout)
    if report.returncode:
        say("{}branch coverage of {} %".format(FAILED, COVERAGE))
    return summed([{"failed": int(report.returncode != 0)}])


def on_python_3(version, tests, show=show):
    """Run the tests on one version of Python 3, if there is one."""
    interpreter = interpreter_of(version)
    if interpreter is None:
        say("no Python {} here: its tests are skipped".format(version), show)
        return {"skipped": 1}
    directory = "{}-{}".format(ENVIRONMENT, version)
    with INSTALLING:
        make_environment(directory, interpreter)
    return trial(directory, version, tests, show=show)


def modules_of_tests(chosen=lambda path: True):
    """
    :param chosen: called with a module's path, returns whether to name the module.
    :return: the names of the test modules, sorted.
    """
    paths = glob.glob(os.path.join(HERE, "**", "test_*.py"), recursive=True)
    return sorted(
        os.path.relpath(path, ROOT)[: -len(".py")].replace(os.sep, ".")
        for path in filter(chosen, paths)
    )


def straddling_tests():
    """:return: the names of the test modules that Python 2.7 can run, sorted."""
    python_3 = tuple(path + os.sep for path in python_3_packages(HERE))
    return modules_of_tests(
        lambda path: not path.startswith(python_3) and not is_python_3_only(path)
    )


def parts(name, tests, modules):
    """
    Deal a suite to parts, which run side by side.

    :param name: the suite's.
    :param tests: the names of the chosen tests, which are one part; empty for all.
    :param modules: the names of all modules.
    :return: dict of the parts' names to the names of their tests.
    """
    if tests:
        return {name: tests}
    return {"{}, part {}".format(name, n + 1): modules[n::PARTS] for n in range(PARTS)}


def on_python_2(tests, show=show):
    """Run the straddling tests on Python 2.7, if there is one."""
    interpreter = interpreter_of("2.7")
    if interpreter is None:
        say("no Python 2.7 here: its tests are skipped", show)
        return {"skipped": 1}
    with INSTALLING:
        make_environment_2(interpreter)
    return trial(ENVIRONMENT_2, "2.7", tests or straddling_tests(), show=show)


def jobs(options):
    """
    :return: jobs for :func:`side_by_side`, one for each Python; the running Python measures the
        coverage, unless one Python was chosen.
    """
    tests = options.tests or ["tests"]
    own_parts = {} if options.only else parts("3", options.tests, modules_of_tests())
    made = [(name, partial(measured, name, some)) for name, some in own_parts.items()]
    own = "{}.{}".format(*sys.version_info)
    for version in VERSIONS_3:
        if options.only == version or (options.all and version != own):
            made.append((version, partial(on_python_3, version, tests)))
    if options.only in (None, "2.7"):
        made.append(("2.7", partial(on_python_2, options.tests)))
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepare", action="store_true", help="only make the environment")
    parser.add_argument("--all", action="store_true", help="every Python there is")
    parser.add_argument("--only", choices=["2.7", *VERSIONS_3], help="one Python")
    parser.add_argument("tests", nargs="*", help="some tests, as trial takes them")
    options = parser.parse_args()
    try:
        missing = prefer(PROGRAMS if options.prepare else PROGRAMS_OF_TESTS)
        if missing and not options.prepare:
            say("some tests need packages that are missing: " + ", ".join(missing))
        if options.prepare or options.only in (None, "2.7"):
            make_environment()
        if options.prepare:
            return 0
        if not options.only:
            erase_coverage()
        results = side_by_side(jobs(options), os.cpu_count() or 1)
        return concluded(summed(results if options.only else [*results, covered()]))
    except subprocess.CalledProcessError as error:
        # the program has printed its reason
        return str(error)
    except KeyboardInterrupt:
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
