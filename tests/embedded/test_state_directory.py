"""Tests of the state directory."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded import state_directory
from txstorage.embedded.state_directory import ServeError, StateDirectory

from .support import temporary_directory


class StateDirectoryTests(SynchronousTestCase):
    """Tests of :class:`StateDirectory`."""

    def setUp(self) -> None:
        self.path = os.path.join(temporary_directory(self), "a", "state")

    def open(self) -> StateDirectory:
        """Open the directory, also a second time."""
        state = StateDirectory(self.path)
        self.addCleanup(state.close)
        return state

    def test_private(self) -> None:
        """Only the owner can read the directory, whatever the umask is."""
        previous = os.umask(0)
        self.addCleanup(os.umask, previous)
        state = self.open()
        state.password()
        state.application_secret()
        for path in (self.path, state.volumes, state.devices):
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o700)
        names = [name for name in os.listdir(self.path) if name not in ("volumes", "devices")]
        self.assertIn("password", names)
        for name in names:
            self.assertEqual(os.stat(os.path.join(self.path, name)).st_mode & 0o777, 0o600, name)

    def test_exposure(self) -> None:
        """A directory that other users can change has a warning, and no other directory has one."""
        state = self.open()
        self.assertEqual(state.exposure(), "")
        os.chmod(self.path, 0o755)
        self.assertEqual(state.exposure(), "")
        for mode in (0o770, 0o702):
            os.chmod(self.path, mode)
            self.assertIn("chmod 700 " + self.path, state.exposure())

    def test_owned_by_another(self) -> None:
        """The warning about another user's directory names the owner."""
        state = self.open()
        found = os.stat_result([0o40700, 0, 0, 0, 4711, 0, 0, 0, 0, 0])
        self.patch(os, "stat", lambda path: found)
        self.assertIn("belongs to user 4711", state.exposure())

    def test_empty(self) -> None:
        """An empty name is refused."""
        self.path = ""
        error = self.assertRaises(ServeError, self.open)
        self.assertIn("--state-dir", error.remedy)

    def test_taken(self) -> None:
        """A second instance is refused until the first one closes it."""
        first = self.open()
        self.patch(state_directory, "_PATIENCE", 0.0)
        error = self.assertRaises(ServeError, self.open)
        self.assertIn("used by another instance", str(error))
        self.assertIn("--state-dir", error.remedy)
        first.close()
        first.close()
        self.open()

    def test_killed(self) -> None:
        """A start waits for the child of a killed instance that still has its lock."""
        first = self.open()
        assert first._lock is not None
        inherited = os.dup(first._lock)
        first.close()
        self.patch(state_directory.time, "sleep", lambda _: os.close(inherited))
        self.open()

    def test_unusable(self) -> None:
        """A path that can't be a directory is an error with a remedy."""
        with open(os.path.join(temporary_directory(self), "file"), "w") as opened:
            self.path = opened.name
        error = self.assertRaises(ServeError, self.open)
        self.assertIn(f"{self.path}: {self.path} is not a directory", error.message)
        file, self.path = self.path, self.path + "/state"
        error = self.assertRaises(ServeError, self.open)
        self.assertIn(f"{self.path}: {file} is not a directory", error.message)

    def test_secrets_are_stable(self) -> None:
        """The secrets are generated once, are long, and differ."""
        state = self.open()
        password, secret = state.password(), state.application_secret()
        self.assertEqual((state.password(), state.application_secret()), (password, secret))
        self.assertTrue(len(password) >= 32)
        self.assertNotEqual(password, secret)

    def test_own_password(self) -> None:
        """A password in a file written by hand is used, without the end of its line."""
        state = self.open()
        with open(state.password_file, "w") as opened:
            opened.write("mine\r\n")
        self.assertEqual(state.password(), "mine")

    def test_empty_password(self) -> None:
        """An empty password is refused."""
        state = self.open()
        with open(state.password_file, "w"):
            pass
        self.assertRaises(ServeError, state.password)
