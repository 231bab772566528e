"""A trial's process that was asked for: its events so far, its limits, and its outcome."""

from __future__ import annotations

import time

import msgspec

from feedbench.bench.records.messages import Ended, Event, Result, Started


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How many seconds the parent waits for a forkserver, which may be stopped or silent."""

    ready: float = 600.0  # until TensorFlow is imported, which takes minutes from a network drive
    start: float = 60.0  # until a trial's process has started
    end: float = 10.0  # for a killed trial to be reported gone
    tick: float = 0.5  # how often a dead forkserver is looked for


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a trial's process, and how it ended."""

    result: Result | None = None  # None: it ended without one
    over_limit: float | None = None  # seconds, if it was ended because it took longer
    ended: Ended | None = None  # None: the forkserver died with it
    is_unanswered: bool = False  # the forkserver did not answer, and was ended
    asked_at: float = 0.0  # CLOCK_MONOTONIC
    seconds: float = 0.0


class Underway:
    """A trial's process that has been asked for, and its events so far."""

    def __init__(self, asked: float, limit_seconds: float, patience: Patience) -> None:
        self.pid: int | None = None  # of the process, which is also its group
        self.ended: Ended | None = None
        self.is_unanswered = False
        self._asked = asked
        self._patience = patience
        self._limit_seconds = limit_seconds
        self._deadline = asked + limit_seconds
        self._result: Result | None = None
        self._end_asked_at: float | None = None
        self._over_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the process is gone."""
        return self._over_at is not None

    @property
    def has_result(self) -> bool:
        """Whether its last message has arrived."""
        return self._result is not None

    def limit(self, seconds: float) -> None:
        """Set a new limit, from now on."""
        self._limit_seconds = seconds
        self._deadline = time.monotonic() + seconds

    def take(self, event: Event) -> None:
        """Note an event of this trial."""
        if isinstance(event, Started):
            self.pid = event.pid
        elif isinstance(event, Result):
            self._result = event
            self.limit(min(self._limit_seconds, self._patience.start))  # it only has to end
        elif isinstance(event, Ended):
            self.ended = event
            self.over()

    def over(self) -> None:
        """Note that the process is gone."""
        self._over_at = time.monotonic() if self._over_at is None else self._over_at

    def end_asked(self) -> None:
        """Note that the trial was asked to end."""
        self._end_asked_at = time.monotonic()

    def patience(self) -> float:
        """Seconds until the trial's limit."""
        return max(self._deadline - time.monotonic(), 0.01)

    def is_over_limit(self) -> bool:
        """Whether it should be asked to end."""
        return self._end_asked_at is None and time.monotonic() > self._deadline

    def is_stuck(self) -> bool:
        """Whether it was asked to start or to end long ago: the forkserver does not answer."""
        now, since = time.monotonic(), self._end_asked_at
        if since is not None:
            return now > since + self._patience.end
        return self.pid is None and now > self._asked + self._patience.start

    def unanswered(self) -> None:
        """Note that the forkserver did not answer, and that the process is gone with it."""
        self.is_unanswered = True
        self.over()

    def outcome(self) -> Outcome:
        """Return its result so far, and how it ended."""
        over_at = time.monotonic() if self._over_at is None else self._over_at
        is_over_limit = self._end_asked_at is not None and not self.is_unanswered
        return Outcome(
            result=self._result,
            over_limit=self._limit_seconds if is_over_limit else None,
            ended=self.ended,
            is_unanswered=self.is_unanswered,
            asked_at=self._asked,
            seconds=over_at - self._asked,
        )
