"""
Tests for :mod:`txstorage._support.eliot_context`.
"""

from __future__ import absolute_import, division, print_function

from eliot import ActionType, MessageType, add_destination, remove_destination
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.deferreds import SharedCall
from txstorage._support.eliot_context import in_action, in_current_context, resume_context

ACTION = ActionType(u"tests:action", [], [], u"An action.")
MESSAGE = MessageType(u"tests:message", [], u"A message.")


class ContextTestCase(SynchronousTestCase):
    """A test that collects Eliot's messages."""

    def setUp(self):
        self.logged = []
        add_destination(self.logged.append)
        self.addCleanup(remove_destination, self.logged.append)

    def messages(self):
        """The task and the parent's level of each ``MESSAGE`` logged so far."""
        return [
            (entry["task_uuid"], entry["task_level"][:-1])
            for entry in self.logged
            if entry.get("message_type") == u"tests:message"
        ]

    def place(self, action):
        """The task and the level of an action's messages."""
        task = action.serialize_task_id().split(b"@")[0].decode("ascii")
        (level,) = [
            entry["task_level"][:-1]
            for entry in self.of_action()
            if (entry["task_uuid"], entry["action_status"]) == (task, u"started")
        ]
        return task, level

    def statuses(self):
        """The statuses of the actions logged so far."""
        return [entry["action_status"] for entry in self.of_action()]

    def of_action(self):
        """The messages of ``ACTION``; Eliot's first destination gets earlier messages, too."""
        return [entry for entry in self.logged if entry.get("action_type") == u"tests:action"]


class InActionTests(ContextTestCase):
    """:func:`in_action`."""

    def test_runs_in_the_action(self):
        """The function gets its arguments, and its messages belong to the action."""
        action = ACTION()

        def function(number, name=None):
            MESSAGE().write()
            return succeed((number, name))

        self.assertEqual((1, u"n"), self.successResultOf(in_action(action, function, 1, name=u"n")))
        self.assertEqual([self.place(action)], self.messages())

    def test_finishes_with_the_deferred(self):
        """The action succeeds when the function's Deferred fires, not when it returns."""
        inner = Deferred()
        d = in_action(ACTION(), lambda: inner)
        self.assertEqual([u"started"], self.statuses())
        inner.callback(3)
        self.assertEqual(3, self.successResultOf(d))
        self.assertEqual([u"started", u"succeeded"], self.statuses())

    def test_fails_with_the_deferred(self):
        """A failure ends the action as failed, and reaches the caller."""
        inner = Deferred()
        d = in_action(ACTION(), lambda: inner)
        inner.errback(ValueError("x"))
        self.failureResultOf(d, ValueError)
        self.assertEqual([u"started", u"failed"], self.statuses())

    def test_callbacks_run_outside(self):
        """Callbacks of the result run in the action that was current before, here none."""
        action = ACTION()
        inner = Deferred()
        in_action(action, lambda: inner).addCallback(lambda _: MESSAGE().write())
        with action.context():
            inner.callback(None)
        (place,) = self.messages()
        self.assertNotEqual(self.place(action)[0], place[0])

    def test_cancelled(self):
        """Cancelling the result cancels the function's Deferred and ends the action as failed."""
        cancelled = []
        d = in_action(ACTION(), lambda: Deferred(cancelled.append))
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertEqual(1, len(cancelled))
        self.assertEqual([u"started", u"failed"], self.statuses())


class CurrentContextTests(ContextTestCase):
    """:func:`in_current_context`."""

    def test_bound_to_an_action(self):
        """A bound function runs in the action that was current, with arguments and a result."""
        action = ACTION()

        def function(number):
            MESSAGE().write()
            return number + 1

        with action.context():
            bound = in_current_context(function)
        self.assertEqual(3, bound(2))
        self.assertEqual([self.place(action)], self.messages())

    def test_bound_to_none(self):
        """A function bound outside of any action runs outside, even when called in an action."""
        bound = in_current_context(lambda: MESSAGE().write())
        action = ACTION()
        with action.context():
            bound()
            MESSAGE().write()
        outside, inside = self.messages()
        self.assertNotEqual(self.place(action)[0], outside[0])
        self.assertEqual(self.place(action), inside)

    def test_error(self):
        """An exception passes through and leaves the caller's action as it was."""
        bound = in_current_context(lambda: {}[u"missing"])
        action = ACTION()
        with action.context():
            self.assertRaises(KeyError, bound)
            MESSAGE().write()
        self.assertEqual([self.place(action)], self.messages())


class ResumeContextTests(ContextTestCase):
    """:func:`resume_context`."""

    def test_resumed(self):
        """Callbacks run in the action in which the wait began, though it is fired elsewhere."""
        action = ACTION()
        waiting = Deferred()
        with action.context():
            d = resume_context(waiting)
        d.addCallback(lambda result: MESSAGE().write() or result)
        waiting.callback(5)
        self.assertEqual(5, self.successResultOf(d))
        self.assertEqual([self.place(action)], self.messages())

    def test_failure(self):
        """A failure of the wait is a failure of the result."""
        waiting = Deferred()
        d = resume_context(waiting)
        waiting.errback(ValueError("x"))
        self.failureResultOf(d, ValueError)

    def test_cancelled(self):
        """Cancelling the result cancels the wait; a late answer of the wait is dropped."""
        waiting = Deferred(lambda d: None)
        d = resume_context(waiting)
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertTrue(waiting.called)

    def test_answer_to_a_cancellation(self):
        """A wait that ends with a result when cancelled gives that result."""
        waiting = Deferred(lambda d: d.callback(4))
        d = resume_context(waiting)
        d.cancel()
        self.assertEqual(4, self.successResultOf(d))

    def test_shared_call(self):
        """The callbacks of each caller of a shared call run in the caller's own action."""
        waiting, actions = Deferred(), [ACTION(), ACTION()]
        shared = SharedCall(lambda: waiting)
        for action in actions:
            with action.context():
                shared.join().addCallback(lambda _: MESSAGE().write())
        waiting.callback(5)
        self.assertEqual([self.place(action) for action in actions], self.messages())
