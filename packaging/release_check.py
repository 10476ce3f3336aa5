"""
Check that a release can be made: ``make release-check``.

The directory ``dist/release/`` receives the files that a release would publish: the distributions,
the packages, the bill of materials (SBOM), the notes and the checksums.  Nothing is published,
tagged or signed; ``docs/releasing.rst`` has these steps.  Ends with::

    N passed, N failed, N skipped
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.append(ROOT)
# At the end, so that no module of the project hides a library's.
from packaging.requirements import Requirement  # noqa: E402

import release_rules as rules  # noqa: E402
from build import ENVIRONMENT, install, metadata_of, program  # noqa: E402
from release_steps import require, run_steps  # noqa: E402
from tests.progress import say  # noqa: E402
from tests.run import concluded  # noqa: E402
from tree import EXTRAS, forget_origins, sites  # noqa: E402
from tree import install as install_wheel  # noqa: E402

#: The surroundings of the second build, which must not change its files.
OTHER = {"TZ": "Pacific/Chatham", "LC_ALL": "C", "PYTHONHASHSEED": "1"}
#: The packages that a machine without the tool can't build.
TOOLS = {".deb": "dpkg-deb", ".rpm": "rpmbuild"}


def output_of(*command, cwd=ROOT):
    """:return: a command's standard output, text."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode("utf-8", "replace")


def tags():
    """:return: the names of the tags to their commits."""
    listed = output_of("git", "for-each-ref", "refs/tags", "--format=%(refname:short)")
    return {name: output_of("git", "rev-list", "-1", name).strip() for name in listed.splitlines()}


def tracked():
    """:return: the paths of the tracked text files to their contents."""
    texts = {}
    for path in output_of("git", "ls-files", "-z").split("\0")[:-1]:
        with open(os.path.join(ROOT, path), "rb") as opened:
            content = opened.read()
        if b"\0" not in content:
            texts[path] = content.decode("utf-8", "replace")
    return texts


def digests(directory):
    """:return: the names of a directory's files to their SHA-256 digests."""
    found = {}
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as opened:
            found[name] = hashlib.sha256(opened.read()).hexdigest()
    return found


class Release:
    """
    A release that might be made of the current commit.

    :ivar directory: the path of its files.
    :ivar version: its version.
    :ivar place: the path of a temporary directory.
    """

    def __init__(self, directory, place):
        self.directory = directory
        self.place = place
        namespace = {}
        with open(os.path.join(ROOT, rules.VERSION_FILE)) as opened:
            exec(compile(opened.read(), rules.VERSION_FILE, "exec"), namespace)
        self.version = str(namespace["VERSION"])

    def check_tree(self):
        """The commit has all that the release contains."""
        changed = output_of("git", "status", "--porcelain").splitlines()
        require(changed, "commit these files, or remove them; a clone has none of them")

    def check_version(self):
        """The version is PEP 440's, newer than all releases, and stands in one place."""
        problems = rules.version_problems(self.version, tags())
        problems += rules.place_problems(self.version, tracked())
        built = output_of(program("python"), "-W", "ignore", "setup.py", "--version").split()[-1:]
        if built != [self.version]:
            problems.append("setup.py has the version {}".format(built))
        require(problems, "correct " + rules.VERSION_FILE)

    def check_tag(self):
        """The tag is free, or is this commit's."""
        head = output_of("git", "rev-parse", "HEAD").strip()
        require(
            rules.tag_problems(self.version, head, tags()),
            "increase the version, or check out the tag's commit",
        )
        say("the tag's name: " + rules.tag_of(self.version))

    def check_news(self):
        """All changes are in the draft of the notes, or in the changelog."""
        command = [program("towncrier"), "build", "--draft", "--version", self.version]
        draft = output_of(*command)
        fragments, place = {}, os.path.join(ROOT, "newsfragments")
        for name in sorted(set(os.listdir(place)) - {"README.rst"}):
            with open(os.path.join(place, name), encoding="utf-8") as opened:
                fragments[name] = opened.read()
        with open(os.path.join(ROOT, "CHANGELOG.rst"), encoding="utf-8") as opened:
            changelog = opened.read()
        require(
            rules.news_problems(fragments, draft, changelog, self.version),
            "correct the files in newsfragments/; its README.rst describes them",
        )
        with open(os.path.join(self.directory, "NOTES.rst"), "w", encoding="utf-8") as opened:
            opened.write(rules.notes_of(self.version, draft if fragments else changelog))
        say("the notes are " + os.path.relpath(opened.name, ROOT))

    def _build(self, name, variables, umask):
        """:return: the path of the files that a clone with this name is built into."""
        clone = os.path.join(self.place, name)
        made = os.path.join(self.place, "made-of-" + name.replace(os.sep, "-"))
        previous = os.umask(umask)
        try:
            output_of("git", "clone", "--quiet", "--no-local", ROOT, clone)
        finally:
            os.umask(previous)
        command = [program("python"), os.path.join(HERE, "build.py")]
        subprocess.run(
            [*command, "--checkout", clone, "--directory", made],
            env=dict(os.environ, **variables),
            check=True,
        )
        return made

    def build(self):
        """A clean clone builds all distributions and packages, twice, to the same bytes."""
        first = self._build("first", {}, 0o022)
        second = self._build(os.path.join("second", "in-a-longer-path"), OTHER, 0o077)
        names = os.listdir(first)
        skipped = [kind for kind, tool in TOOLS.items() if shutil.which(tool) is None]
        remedy = "the output of the build above has the reason; Python 2's wheel needs Python 2.7"
        require(rules.file_problems(self.version, names, skipped), remedy)
        require(
            rules.difference_problems(digests(first), digests(second)),
            "compare the two files with diffoscope; the second build has another path, time zone, "
            "locale and umask",
        )
        for name in names:
            shutil.copy(os.path.join(first, name), self.directory)
        say("{} files, the same bytes in both builds".format(len(names)))
        if skipped:
            say("skipped: {}: their tools are not installed".format(" and ".join(skipped)))

    def _paths(self, ends):
        return [
            os.path.join(self.directory, name)
            for name in sorted(os.listdir(self.directory))
            if name.endswith(ends)
        ]

    def check_metadata(self):
        """A package index accepts the distributions, and their metadata has the version."""
        wheels = self._paths(".whl")
        problems = [
            "{} has the version {}".format(os.path.basename(each), metadata_of(each)["Version"])
            for each in wheels
            if metadata_of(each)["Version"] != self.version
        ]
        require(problems, "correct setup.py")
        subprocess.run(
            [program("twine"), "check", "--strict", *wheels, *self._paths(".tar.gz")], check=True
        )

    def make_bill(self):
        """The bill of materials has all libraries that the packages contain."""
        environment = os.path.join(self.place, "environment")
        venv.create(environment)
        [wheel] = self._paths("-py3-none-any.whl")
        install_wheel(environment, program("python"), wheel)
        # as in the packages: the wheel's path on this machine
        forget_origins(environment)
        name = "txstorage-{}.cdx.json".format(self.version)
        path = os.path.join(self.directory, name)
        python = os.path.join(environment, "bin", "python")
        form = ["--output-reproducible", "--output-format", "JSON", "--output-file", path]
        subprocess.run([program("cyclonedx-py"), "environment", *form, python], check=True)
        with open(path, encoding="utf-8") as opened:
            text = opened.read()
        required = [Requirement(each) for each in metadata_of(wheel).get_all("Requires-Dist")]
        wanted = [
            each.name
            for each in required
            if each.marker is None
            or any(each.marker.evaluate({"extra": extra}) for extra in ("", *EXTRAS))
        ]
        problems = rules.bill_problems(text, self.version, wanted)
        require(problems, "look at {}".format(os.path.relpath(path, ROOT)))
        [site] = sites(environment)
        count = len([each for each in os.listdir(site) if each.endswith(".dist-info")])
        say("{}: {} libraries".format(name, count))

    def write_checksums(self):
        """The checksums of all files are there to be signed."""
        path = os.path.join(self.directory, "SHA256SUMS")
        text = rules.checksums(digests(self.directory))
        with open(path, "w", encoding="utf-8") as opened:
            opened.write(text)
        subprocess.run(
            ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=self.directory, check=True
        )


#: The steps: the text to print, the method, and whether the steps after it need its result.
STEPS = (
    ("checking that everything is committed", Release.check_tree, True),
    ("checking the version", Release.check_version, False),
    ("checking the tag's name", Release.check_tag, False),
    ("writing the notes of the release", Release.check_news, False),
    ("building everything in two clean clones", Release.build, True),
    ("checking the metadata of the distributions", Release.check_metadata, False),
    ("making the bill of materials", Release.make_bill, False),
    ("writing the checksums", Release.write_checksums, False),
)


def main():
    install(ENVIRONMENT, "--editable", ".[packages,release]")
    directory = os.path.join(ROOT, "dist", "release")
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    with tempfile.TemporaryDirectory(prefix="txstorage-release-") as place:
        release = Release(directory, os.path.realpath(place))
        counts = run_steps(release, STEPS)
    if not counts["failed"]:
        say("dist/release is ready; docs/releasing.rst has the steps that publish it")
    return concluded(counts)


if __name__ == "__main__":
    sys.exit(main())
