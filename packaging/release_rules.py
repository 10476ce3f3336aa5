"""
The rules of a release: each function decides about values, and reads nothing.

A rule returns a list of problems, texts; an empty one when there is none.
"""

import json
import re

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

#: The file that has the version; all other places read it there.
VERSION_FILE = "txstorage/_version.py"
#: The kinds of files of a release, by the ends of their names.
KINDS = ("-py2-none-any.whl", "-py3-none-any.whl", ".tar.gz", ".deb", ".rpm")
#: The names of the files of changes.
FRAGMENT = re.compile(r"\+[a-z0-9][a-z0-9-]*\.(added|changed|fixed|removed|doc|dev)\.rst")
_ASSIGNED = r"""(?i)(?<![a-z])version_*["']?\s*[=:]\s*u?["']{}["']"""


def tag_of(version):
    """:return: the name of a version's tag."""
    return "v" + version


def version_problems(version, tags):
    """
    :param version: the version.
    :param tags: the names of the tags.
    """
    try:
        parsed = Version(version)
    except InvalidVersion:
        return ["{} is not a version by PEP 440".format(version)]
    if str(parsed) != version:
        return ["{} is written {} by PEP 440".format(version, parsed)]
    if parsed.is_devrelease or parsed.local:
        return ["{} is a version of development".format(version)]
    later = []
    for tag in tags:
        try:
            if tag.startswith("v") and Version(tag[1:]) > parsed:
                later.append(tag)
        except InvalidVersion:
            continue
    return ["{} is not newer than the tag {}".format(version, tag) for tag in sorted(later)]


def place_problems(version, texts):
    """
    :param texts: the files' paths to their contents.
    """
    assigned = re.compile(_ASSIGNED.format(re.escape(version)))
    found = {path for path, text in texts.items() if assigned.search(text)}
    problems = ["{} has the version, too".format(path) for path in sorted(found - {VERSION_FILE})]
    if VERSION_FILE not in found:
        problems.append("{} does not have the version".format(VERSION_FILE))
    return problems


def tag_problems(version, head, tags):
    """
    :param head: the commit to release.
    :param tags: the names of tags to their commits.
    """
    tag = tag_of(version)
    if tags.get(tag, head) != head:
        return ["the tag {} exists, at another commit, {}".format(tag, tags[tag])]
    return []


def _squeezed(text):
    return " ".join(text.split())


def news_problems(fragments, draft, changelog, version):
    """
    Before a release, its changes are files; in the release's own commit, they are in the changelog.

    :param fragments: the names of the files of changes to their contents.
    :param draft: the changes of this release, as towncrier writes them.
    :param changelog: the changes of the releases before.
    """
    is_released = notes_of(version, changelog) is not None
    if not fragments:
        return [] if is_released else ["there is no file of changes"]
    problems = []
    rendered = _squeezed(draft)
    for name, text in sorted(fragments.items()):
        if not FRAGMENT.fullmatch(name):
            problems.append("{} is not named like a file of changes".format(name))
        elif not _squeezed(text):
            problems.append("{} is empty".format(name))
        elif _squeezed(text) not in rendered:
            problems.append("the changes of {} are not in the draft".format(name))
    if is_released:
        problems.append("the changes of {} are in the changelog already".format(version))
    return problems


def notes_of(version, changelog):
    """
    :param changelog: the changes of releases, as towncrier writes them.
    :return: the changes of one version, with their title; ``None`` when there are none.
    """
    title = r"^{} \(\d{{4}}-\d\d-\d\d\)\n-+\n"
    begin = re.search(title.format(re.escape(version)), changelog, re.MULTILINE)
    if begin is None:
        return None
    following = re.compile(title.format(r"\S+"), re.MULTILINE).search(changelog, begin.end())
    return changelog[begin.start() : following.start() if following else None].rstrip() + "\n"


def file_problems(version, names, skipped=()):
    """
    :param names: the names of the files that were built.
    :param skipped: those of :data:`KINDS` that this machine can't build.
    """
    problems = []
    for kind in KINDS:
        found = [name for name in names if name.endswith(kind)]
        if not found and kind not in skipped:
            problems.append("there is no {}".format(kind.lstrip("-.")))
        problems += [
            "{} does not have the version {}".format(name, version)
            for name in found
            if not re.match(r"txstorage[-_]{}(-|\.tar)".format(re.escape(version)), name)
        ]
    return problems


def difference_problems(first, second):
    """
    :param first: the names of the files of one build to their digests.
    :param second: those of another build.
    """
    return [
        "{} differs between two builds".format(name)
        if name in first and name in second
        else "{} is in one of two builds".format(name)
        for name in sorted(first.keys() | second.keys())
        if first.get(name) != second.get(name)
    ]


def bill_problems(bill, version, required):
    """
    :param bill: the bill of materials, text.
    :param required: the names of the libraries that txstorage requires.
    """
    try:
        document = json.loads(bill)
    except ValueError:
        document = {}
    if document.get("bomFormat") != "CycloneDX":
        return ["the bill of materials is not CycloneDX's"]
    versions = {
        canonicalize_name(each["name"]): each.get("version")
        for each in document.get("components", ())
    }
    problems = [
        "the bill of materials lacks {}".format(name)
        for name in sorted(map(canonicalize_name, required))
        if not versions.get(name)
    ]
    if versions.get("txstorage") != version:
        found = versions.get("txstorage")
        problems.append("the bill of materials has txstorage {}, not {}".format(found, version))
    if "file:///" in bill:
        problems.append("the bill of materials has a path of this machine")
    return problems


def checksums(digests):
    """
    :param digests: the names of files to their SHA-256 digests, in hexadecimal.
    :return: the text that ``sha256sum --check`` reads.
    """
    return "".join("{}  {}\n".format(digest, name) for name, digest in sorted(digests.items()))
