"""Tests of the check that no other user can change a path."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.private_path import Weakness, inside, on_the_way
from txstorage.embedded.state_directory import ServeError, StateDirectory

from .support import temporary_directory

#: A user that does not exist, and who is not the tests'.
OTHER = 4711


class PathTests(SynchronousTestCase):
    """Tests with a private directory, and another user's entries in it."""

    if os.geteuid() != 0:
        skip = "files of another user take root"

    def setUp(self) -> None:
        self.directory = os.path.realpath(temporary_directory(self))
        os.chmod(self.directory, 0o755)
        self.path = self.made("a", "state")

    def made(self, *names: str) -> str:
        """Make directories that only root can change."""
        path = self.directory
        for name in names:
            path = os.path.join(path, name)
            if not os.path.isdir(path):
                os.mkdir(path, 0o755)
        return path

    def weakness(self, path: str = "") -> Weakness:
        """Return the weakness of a path, which must have one."""
        found = on_the_way(path or self.path, 0)
        assert found is not None
        return found


class OnTheWayTests(PathTests):
    """Tests of :func:`on_the_way`."""

    def test_private(self) -> None:
        """A directory of root's, with root's directories above, is private; one to be made too."""
        self.assertIs(on_the_way(self.path, 0), None)
        self.assertIs(on_the_way(os.path.join(self.path, "b", "c"), 0), None)
        self.assertIs(on_the_way(self.path + "/../../a//./state", 0), None)

    def test_owner(self) -> None:
        """Another user's directory, itself or on the way, is named with its owner and a remedy."""
        for path in (self.path, os.path.dirname(self.path)):
            os.chown(path, OTHER, 0)
            for wanted in (self.path, os.path.join(self.path, "new")):
                found = self.weakness(wanted)
                self.assertEqual(found.path, path)
                self.assertIn(f"belongs to user {OTHER}, who can change all of it", found.reason)
                self.assertIn(f"chown -h root {path}", found.remedy)
            self.assertIs(on_the_way(self.path, OTHER), None)
            os.chown(path, 0, 0)

    def test_writable(self) -> None:
        """A directory that others can write to is named, with the command that ends it."""
        for mode, change in ((0o775, "g-w"), (0o757, "go-w"), (0o777, "go-w")):
            for path in (self.path, os.path.dirname(self.path)):
                os.chmod(path, mode)
                found = self.weakness()
                self.assertEqual(found.path, path)
                self.assertIn("belongs to root (user 0), and other users can write", found.reason)
                self.assertIn(f"chmod {change} {path}", found.remedy)
                os.chmod(path, 0o755)

    def test_sticky(self) -> None:
        """
        A sticky directory, like /tmp, may stand on the way, but is not a place itself; its mode,
        which everyone needs, is not a remedy.
        """
        os.chmod(os.path.dirname(self.path), 0o1777)
        self.assertIs(on_the_way(self.path, 0), None)
        os.chmod(self.path, 0o1777)
        found = self.weakness()
        self.assertEqual(found.path, self.path)
        remedy = f"give a directory inside it: --state-dir {self.path}/txstorage"
        self.assertEqual(found.remedy, remedy)

    def test_links(self) -> None:
        """The way leads through the links' targets, and through every link on their way."""
        hidden = self.made("hidden", "place")
        links = [os.path.join(self.directory, name) for name in ("one", "two")]
        os.symlink("hidden/place", links[0])
        os.symlink(links[0], links[1])
        wanted = os.path.join(links[1], "new")
        self.assertIs(on_the_way(wanted, 0), None)
        for path in (links[0], links[1], hidden, os.path.dirname(hidden)):
            os.lchown(path, OTHER, 0)
            self.assertEqual(self.weakness(wanted).path, path)
            os.lchown(path, 0, 0)

    def test_endless_link(self) -> None:
        """A link to itself ends the way."""
        link = os.path.join(self.directory, "link")
        os.symlink(link, link)
        on_the_way(link + "/x", 0)


class InsideTests(PathTests):
    """Tests of :func:`inside`."""

    def test_links(self) -> None:
        """A symbolic link, root's too, is named with its owner and a remedy."""
        for uid, name in ((0, "root (user 0)"), (OTHER, f"user {OTHER}")):
            link = os.path.join(self.path, "password")
            os.symlink("/etc/hostname", link)
            os.lchown(link, uid, 0)
            found = inside(self.path, 0)
            assert found is not None
            self.assertEqual(found.path, link)
            self.assertIn(f"is a symbolic link, made by {name}", found.reason)
            self.assertIn("--state-dir", found.remedy)
            os.unlink(link)
        self.assertIs(inside(self.path, 0), None)

    def test_planted(self) -> None:
        """Another user's file is named with its owner and a remedy."""
        path = os.path.join(self.path, "password")
        with open(path, "w"):
            pass
        self.assertIs(inside(self.path, 0), None)
        os.chown(path, OTHER, 0)
        found = inside(self.path, 0)
        assert found is not None
        self.assertEqual(found.path, path)
        self.assertIn(f"belongs to user {OTHER}, who may have planted it", found.reason)


class ServeTests(PathTests):
    """Tests of a start as root."""

    def refused(self) -> ServeError:
        """Return the reason why a directory is refused."""
        error: ServeError = self.assertRaises(ServeError, StateDirectory, self.path)
        return error

    def test_refused(self) -> None:
        """A directory of another user is refused, and nothing is made in it."""
        os.chown(self.path, OTHER, 0)
        error = self.refused()
        self.assertTrue(error.message.startswith(self.path + " belongs to user"))
        self.assertIn("chown", error.remedy)
        self.assertEqual(os.listdir(self.path), [])

    def test_parent(self) -> None:
        """A directory below one that others can write to is refused, and is not made."""
        parent = self.made("shared")
        os.chmod(parent, 0o777)
        self.path = os.path.join(parent, "state")
        self.assertIn(parent, self.refused().message)
        self.assertEqual(os.listdir(parent), [])

    def test_content(self) -> None:
        """A planted file or link is refused, in each directory, and its target stays as it is."""
        StateDirectory(self.path).close()
        target = os.path.join(self.directory, "target")
        for names in (
            ("password",),
            ("lock",),
            ("txstorage.sqlite",),
            ("txstorage.sqlite-wal",),
            ("volumes",),
            ("volumes", "volume-x"),
            ("devices", "x"),
        ):
            path = os.path.join(self.path, *names)
            if os.path.isdir(path):
                os.rmdir(path)
            elif os.path.exists(path):
                os.unlink(path)
            os.symlink(target, path)
            self.assertIn(f"{path} is a symbolic link", self.refused().message)
            self.assertFalse(os.path.lexists(target))
            os.unlink(path)
            StateDirectory(self.path).close()

    def test_umask(self) -> None:
        """Directories that the start makes on the way are private, whatever the umask is."""
        self.addCleanup(os.umask, os.umask(0))
        self.path = os.path.join(self.path, "b", "c")
        StateDirectory(self.path).close()
        self.assertEqual(os.stat(os.path.dirname(self.path)).st_mode & 0o777, 0o755)
