"""
Source distributions that are the same, byte for byte, whenever and wherever they are built.

setuptools writes the times, the owners and the modes of the working copy's files, and the time of
the build; pip ignores them all.
"""

import gzip
import os
import tarfile


def _normal(member, epoch):
    """:return: a member with the time of the commit, and without an owner."""
    member.mtime = epoch
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    executable = member.isdir() or member.mode & 0o100
    member.mode = 0o755 if executable else 0o644
    return member


def repack(path, epoch):
    """
    Replace a source distribution by one that depends on nothing but its files and the commit.

    :param path: the path of the ``.tar.gz``.
    :param int epoch: seconds: the time of the commit.
    """
    made = path + ".new"
    with tarfile.open(path) as opened, open(made, "wb") as target:
        members = sorted(opened.getmembers(), key=lambda member: member.name)
        with gzip.GzipFile("", "wb", 9, target, epoch) as packed:
            with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as written:
                for member in members:
                    content = opened.extractfile(member) if member.isfile() else None
                    member.pax_headers = {}
                    written.addfile(_normal(member, epoch), content)
    os.replace(made, path)
