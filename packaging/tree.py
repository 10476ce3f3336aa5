"""
The tree of files that the ``.deb`` and the ``.rpm`` install.
"""

import csv
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PREFIX = "/opt/txstorage"
#: The extras that the packages install with the wheel.
EXTRAS = ("clouds", "ec2")
#: The services that txstorage reads in botocore's data; the other four hundred take 26 MB.
AMAZON_SERVICES = ("ec2", "sts")
#: The directories of the files beside the environment.
FILES = {
    "txstorage.service": "usr/lib/systemd/system",
    "txstorage-docker.service": "usr/lib/systemd/system",
    "txstorage-docker.socket": "usr/lib/systemd/system",
    "agent.yml.example": "etc/txstorage",
    "docker-plugin.yml.example": "etc/txstorage",
    "serve.yml.example": "etc/txstorage",
    "copyright": "usr/share/doc/txstorage",
}


def make_environment(tree, python):
    """
    Make a virtual environment that is used in another place than it is made in.

    :param python: the path of the distribution's own Python, the same on both machines.
    :return: the path of the environment.
    """
    place = tree + PREFIX
    subprocess.run([python, "-m", "venv", "--without-pip", place], check=True)
    version = subprocess.check_output(
        [python, "-c", "import platform; print(platform.python_version())"]
    ).decode()
    # as `venv` writes it, without the path of the tree
    with open(os.path.join(place, "pyvenv.cfg"), "w") as opened:
        opened.write("home = {}\n".format(os.path.dirname(python)))
        opened.write("include-system-site-packages = false\n")
        opened.write("version = {}".format(version))
    return place


def install(place, pip_python, wheel):
    """Install a wheel with its requirements and extras, by pip's own configuration."""
    pip = "-W ignore -m pip --disable-pip-version-check --quiet --python".split()
    python = os.path.join(place, "bin", "python")
    requirement = "{}[{}]".format(wheel, ",".join(EXTRAS))
    subprocess.run([pip_python, *pip, python, "install", "--no-compile", requirement], check=True)


def sites(place):
    """Yield the directories of an environment's packages."""
    for name in os.listdir(os.path.join(place, "lib")):
        yield os.path.join(place, "lib", name, "site-packages")


def keep_only_ours(place):
    """Remove all programs but the command and the interpreter; give the command its final path."""
    programs = os.path.join(place, "bin")
    for name in os.listdir(programs):
        path = os.path.join(programs, name)
        if name == "txstorage":
            with open(path) as opened:
                _, script = opened.read().split("\n", 1)
            with open(path, "w") as opened:
                opened.write("#!{}/bin/python -I\n{}".format(PREFIX, script))
        elif not name.startswith("python"):
            os.unlink(path)
    shutil.rmtree(os.path.join(place, "include"), ignore_errors=True)


def keep_used_services(place):
    """Remove botocore's descriptions of all services but those that txstorage calls."""
    for site in sites(place):
        data = os.path.join(site, "botocore", "data")
        for each in os.scandir(data):
            if each.is_dir() and each.name not in AMAZON_SERVICES:
                shutil.rmtree(each.path)


def forget_origins(place):
    """
    Remove pip's records of the build machine, and of files that are not in the environment.
    """
    for site in sites(place):
        for name in os.listdir(site):
            record = os.path.join(site, name, "RECORD")
            if not os.path.isfile(record):
                continue
            for origin in ("direct_url.json", "REQUESTED"):
                path = os.path.join(site, name, origin)
                if os.path.exists(path):
                    os.unlink(path)
            with open(record, encoding="utf-8", newline="") as opened:
                rows = list(csv.reader(opened))
            # "../" leads to programs, which `keep_only_ours` changed or removed.
            kept = [
                row
                for row in rows
                if not row[0].startswith("../") and os.path.exists(os.path.join(site, row[0]))
            ]
            with open(record, "w", encoding="utf-8", newline="") as opened:
                csv.writer(opened, lineterminator="\n").writerows(kept)


def compile_all(tree, python):
    """Compile for the final paths; a hash of the source decides whether the code is current."""
    options = ["-q", "-s", tree, "-p", "/", "--invalidation-mode", "checked-hash"]
    command = [python, "-W", "ignore", "-m", "compileall", *options, tree + PREFIX + "/lib"]
    subprocess.run(command, check=True)


def make_tree(tree, python, pip_python, wheel):
    """
    Make the tree.

    :param tree: the path of a directory, which must not exist.
    :param python: the path of the distribution's own Python.
    :param pip_python: the path of a Python that has pip.
    :param wheel: the path of the wheel for Python 3.
    """
    place = make_environment(tree, python)
    install(place, pip_python, wheel)
    keep_only_ours(place)
    keep_used_services(place)
    forget_origins(place)
    # -B: what Python compiles by itself depends on the time, and has the path of this tree.
    command = [os.path.join(place, "bin", "python"), "-I", "-B"]
    subprocess.run([*command, os.path.join(HERE, "shell_files.py"), tree], check=True)
    compile_all(tree, python)
    for name, directory in FILES.items():
        target = os.path.join(tree, directory)
        os.makedirs(target, exist_ok=True)
        shutil.copyfile(os.path.join(HERE, "common", name), os.path.join(target, name))
    os.makedirs(os.path.join(tree, "usr/bin"))
    os.symlink(PREFIX + "/bin/txstorage", os.path.join(tree, "usr/bin/txstorage"))
    # independent of the umask
    subprocess.run(["chmod", "-R", "u=rwX,go=rX", tree], check=True)
