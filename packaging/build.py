"""
Make the packages: ``make packages``.

The directory ``dist/`` receives the source distribution, the wheels for Python 3 and, where a
Python 2.7 is installed, for Python 2; and a ``.deb`` and an ``.rpm`` of the wheel for Python 3, in
a virtual environment of their own in ``/opt/txstorage``.  A package whose tool is not installed is
skipped, and the output says so.
"""

import argparse
import email
import glob
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.append(ROOT)
# At the end, so that no module of the project hides a library's.
from repacking import repack  # noqa: E402
from tests.run import (  # noqa: E402
    ENVIRONMENT,
    ENVIRONMENT_2,
    install,
    interpreter_of,
    make_environment,
    make_environment_2,
    run,
    say,
)
from tree import make_tree  # noqa: E402

#: The environment's interpreter is the distribution's.
SYSTEM_PYTHON = "/usr/bin/python3"


#: These let rpm take the times of the commit, and no name of the machine.
RPM_MACROS = (
    "use_source_date_epoch_as_buildtime 1",
    "clamp_mtime_to_source_date_epoch 1",
    "_buildhost localhost",
)


def program(name):
    return os.path.join(ENVIRONMENT, "bin", name)


def make_source(directory, checkout):
    """:return: the path of the source distribution."""
    # setuptools would include the files of an earlier build
    shutil.rmtree(os.path.join(checkout, "build"), ignore_errors=True)
    build = "-W ignore -m build --no-isolation --sdist --outdir".split()
    run(program("python"), *build, directory, checkout, stdout=subprocess.DEVNULL)
    [path] = glob.glob(os.path.join(directory, "txstorage-*.tar.gz"))
    repack(path, int(os.environ["SOURCE_DATE_EPOCH"]))
    return path


def make_wheel(python, source, directory):
    """
    :param python: the path of a Python of the wheel's version.
    :param source: the path of the source distribution.
    :return: the path of the wheel.
    """
    before = set(glob.glob(os.path.join(directory, "*.whl")))
    with tempfile.TemporaryDirectory() as unpacked:
        with tarfile.open(source) as opened:
            opened.extractall(unpacked)
        [project] = os.listdir(unpacked)
        pip = "-W ignore -m pip --disable-pip-version-check --quiet wheel".split()
        options = "--no-deps --no-build-isolation --wheel-dir".split()
        run(python, *pip, *options, directory, os.path.join(unpacked, project))
    [wheel] = set(glob.glob(os.path.join(directory, "*.whl"))) - before
    return wheel


def make_distributions(directory, checkout):
    """:return: the path of the wheel for Python 3."""
    source = make_source(directory, checkout)
    interpreter = interpreter_of("2.7")
    if interpreter is None:
        say("no Python 2.7 here: its wheel is skipped")
    else:
        make_environment_2(interpreter)
        python_2 = os.path.join(ENVIRONMENT_2, "bin", "python")
        say("made " + os.path.basename(make_wheel(python_2, source, directory)))
    wheel = make_wheel(program("python"), source, directory)
    say("made " + os.path.basename(source) + ", " + os.path.basename(wheel))
    run(program("twine"), "check", "--strict", source, *glob.glob(directory + "/*.whl"))
    return wheel


def epoch(checkout=ROOT):
    """
    :return: the time of the last commit in seconds, as text, so that the same sources make the
        same packages.
    """
    result = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=checkout, stdout=subprocess.PIPE, check=False
    )
    return result.stdout.decode().strip() or "0"


def metadata_of(wheel):
    """:return: a wheel's metadata: its name, version, author and so on."""
    with zipfile.ZipFile(wheel) as opened:
        [path] = [name for name in opened.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(opened.read(path))


def filled(path, values):
    """:return: the text of a template, with each ``@NAME@`` replaced."""
    with open(path, encoding="utf-8") as opened:
        text = opened.read()
    for name, value in values.items():
        text = text.replace("@{}@".format(name), str(value))
    return text


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as opened:
        opened.write(text)
    os.chmod(path, mode)


def make_deb(tree, directory, values):
    """:return: the path of the ``.deb``."""
    with tempfile.TemporaryDirectory() as place:
        root = os.path.join(place, "root")
        shutil.copytree(tree, root, symlinks=True)
        control = os.path.join(root, "DEBIAN")
        os.mkdir(control, 0o755)
        result = subprocess.run(
            ["dpkg", "--print-architecture"], stdout=subprocess.PIPE, check=True
        )
        values = dict(values, ARCHITECTURE=result.stdout.decode().strip())
        values["KIB"] = int(subprocess.check_output(["du", "-sk", tree]).split()[0])
        for name in ("control", "conffiles"):
            write(os.path.join(control, name), filled(os.path.join(HERE, "debian", name), values))
        for name in ("postinst", "prerm", "postrm"):
            script = filled(os.path.join(HERE, "debian", name), values)
            write(os.path.join(control, name), script, 0o755)
        name = "txstorage_{VERSION}-{REVISION}_{ARCHITECTURE}.deb".format(**values)
        target = os.path.join(directory, name)
        run("dpkg-deb", "--root-owner-group", "--build", root, target, stdout=subprocess.DEVNULL)
    return target


def make_rpm(tree, directory, values):
    """:return: the path of the ``.rpm``."""
    with tempfile.TemporaryDirectory() as place:
        spec = os.path.join(place, "txstorage.spec")
        write(spec, filled(os.path.join(HERE, "rpm", "txstorage.spec"), dict(values, TREE=tree)))
        definitions = ["--define", "_topdir " + place, "--define", "_rpmdir " + place]
        # for each distribution that has Python at the same path
        definitions += ["--define", "_build_id_links none", "--define", "dist %{nil}"]
        # the same sources make the same package, on any machine
        for macro in RPM_MACROS:
            definitions += ["--define", macro]
        run("rpmbuild", "--quiet", "-bb", *definitions, spec)
        [built] = glob.glob(os.path.join(place, "*", "*.rpm"))
        return shutil.copy(built, directory)


def make_packages(wheel, directory, revision):
    """Make the ``.deb`` and the ``.rpm``, where their tools are installed."""
    python = os.path.realpath(os.environ.get("PACKAGE_PYTHON", SYSTEM_PYTHON))
    if not python.startswith("/usr/bin/python3."):
        say("no {}: the .deb and the .rpm, which use it, are skipped".format(SYSTEM_PYTHON))
        return
    makers = {"dpkg-deb": make_deb, "rpmbuild": make_rpm}
    with tempfile.TemporaryDirectory() as place:
        tree = os.path.join(place, "tree")
        make_tree(tree, python, program("python"), wheel)
        about = metadata_of(wheel)
        values = {"PYTHON": os.path.basename(python), "REVISION": revision}
        values.update(VERSION=about["Version"], AUTHOR=about["Author"])
        for tool, make in makers.items():
            if shutil.which(tool) is None:
                say("no {} here: its package is skipped".format(tool))
            else:
                say("made " + os.path.basename(make(tree, directory, values)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", default=os.path.join(ROOT, "dist"), help="of the packages")
    parser.add_argument("--revision", type=int, default=1, help="number of the .deb and the .rpm")
    parser.add_argument("--checkout", default=ROOT, help="whose files are built")
    parser.add_argument("--wheel", help="make only the .deb and the .rpm, of this wheel")
    options = parser.parse_args()
    os.environ["SOURCE_DATE_EPOCH"] = epoch(options.checkout)
    # Python 2 writes some metadata in the order of its hashes
    os.environ["PYTHONHASHSEED"] = "0"
    # the modes of files in wheels are those of the build
    os.umask(0o022)
    make_environment()
    install(ENVIRONMENT, "--editable", ".[packages]")
    directory, wheel = os.path.abspath(options.directory), options.wheel
    if wheel is None:
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        wheel = make_distributions(directory, os.path.abspath(options.checkout))
    make_packages(wheel, directory, options.revision)


if __name__ == "__main__":
    sys.exit(main())
