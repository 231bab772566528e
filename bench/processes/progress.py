"""A run's progress on standard error. Printed between trials only, never during one."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.text import WIDTH, counted, duration


class Listener(Protocol):
    """Follows the progress of a run."""

    def note(self, line: str) -> None:
        """Show a line that stays."""

    def stage(self, name: str) -> None:
        """Show the name of the stage that begins; it replaces the one before."""

    def trial_started(self, block: int, label: str, seconds_left: float | None) -> None:
        """Show that a trial has started; block 0 is before the blocks."""

    def trial_ended(self, record: TrialRecord, seconds_left: float | None) -> None:
        """Show how a trial ended."""

    def block_ended(self, answer: str, to_come: str) -> None:
        """Show the answer so far and what is still to come, after a completed block."""


@contextmanager
def interrupted_if_unread() -> Iterator[None]:
    """Print. If the reader or the terminal is gone, interrupt, and drop what comes after.

    Raises KeyboardInterrupt, which ends a run as Ctrl-C does: its completed blocks are kept.
    """
    try:
        yield
    except (OSError, SystemExit):  # rich turns a pipe without a reader into the latter
        with suppress(OSError, ValueError):  # where it is no file
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
        raise KeyboardInterrupt from None


class Quiet:
    """Shows nothing."""

    def note(self, line: str) -> None:
        """Show nothing."""

    def stage(self, name: str) -> None:
        """Show nothing."""

    def trial_started(self, block: int, label: str, seconds_left: float | None) -> None:
        """Show nothing."""

    def trial_ended(self, record: TrialRecord, seconds_left: float | None) -> None:
        """Show nothing."""

    def block_ended(self, answer: str, to_come: str) -> None:
        """Show nothing."""


class Plain(Quiet):
    """A line for each trial that has ended, for a log or a pipe."""

    def note(self, line: str) -> None:
        """Print the line."""
        with interrupted_if_unread():
            print(line, file=sys.stderr, flush=True)

    def trial_ended(self, record: TrialRecord, seconds_left: float | None) -> None:
        """Print how the trial ended."""
        where = f"block {record.block}" if record.block else "pilot"
        remaining = "" if seconds_left is None else f"  ({duration(seconds_left)} left)"
        again = " (control)" if record.purpose == "control" else ""
        self.note(f"{where:<9}{record.label}{again}: {outcome_text(record)}{remaining}")

    def block_ended(self, answer: str, to_come: str) -> None:
        """Print the answer so far, if there is one, and what is still to come."""
        self.note("; ".join(filter(None, [answer, to_come])))


class OnTerminal(Plain):
    """A small table that is redrawn when a trial starts and when it ends.

    Never in between: a moving progress bar would take CPU time from the trial.
    """

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._rates: defaultdict[str, list[float]] = defaultdict(list)
        self._console = console
        self._so_far = ""

    def display(self) -> AbstractContextManager[object]:
        """Return the context in which the table is on the screen."""
        return _Display(self._live)

    def note(self, line: str) -> None:
        """Print the line above the table."""
        with interrupted_if_unread():
            self._console.print(Text(line))
            self._live.refresh()

    def stage(self, name: str) -> None:
        """Show the name of the stage below the table."""
        lines = [Text(line) for line in (self._so_far, f"{name} ...") if line]
        with interrupted_if_unread():
            self._live.update(Group(self._table(), *lines), refresh=True)

    def trial_started(self, block: int, label: str, seconds_left: float | None) -> None:
        """Show which trial is running."""
        remaining = "" if seconds_left is None else f", {duration(seconds_left)} left"
        self.stage(f"{f'block {block}' if block else 'pilot'}: {label}{remaining}")

    def trial_ended(self, record: TrialRecord, seconds_left: float | None) -> None:  # noqa: ARG002
        """Add the trial's rate to the table; a failure stays as a line."""
        if record.ended == "measured" and record.purpose == "main":
            self._rates[record.label].append(record.rate)
        elif record.ended == "failed":
            self.note(f"{record.label}: {outcome_text(record)}")

    def block_ended(self, answer: str, to_come: str) -> None:
        """Show the answer so far below the table, until the next block has ended."""
        self._so_far = "; ".join(filter(None, [answer, to_come]))

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for label, rates in self._rates.items():
            mean = len(rates) / sum(1 / rate for rate in rates)
            table.add_row(Text(label), f"{mean:,.0f} images/s", counted(len(rates), "block"))
        return table


class _Display(AbstractContextManager[object]):
    """Shows a table. If its terminal is gone in the end, that hides no other error."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def __enter__(self) -> object:
        return self._live.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> None:
        with suppress(OSError, SystemExit):
            self._live.__exit__(kind, error, frames)


def listener(*, quiet: bool) -> tuple[Listener, AbstractContextManager[object]]:
    """Return the listener that suits standard error, and the context to use it in."""
    if quiet:
        return Quiet(), nullcontext()
    console = Console(stderr=True)
    if not console.is_terminal:
        return Plain(), nullcontext()
    console.width = min(console.width, WIDTH)
    on_terminal = OnTerminal(console)
    return on_terminal, on_terminal.display()


def outcome_text(record: TrialRecord) -> str:
    """Return how a trial ended, in a few words."""
    if record.measured is not None:
        return _rate(record.measured)
    return ": ".join(filter(None, [record.ended, record.why]))


def _rate(measured: Measurement) -> str:
    """Return a trial's rate. A pilot has no windows: its rate is that of a first epoch."""
    if measured.windows:
        return f"{measured.rate:,.0f} images/s"
    rate = measured.first_epoch_images / (measured.first_epoch_seconds or 1.0)
    if measured.image_seconds:
        rate = 1 / measured.image_seconds
    return f"about {rate:,.0f} images/s"
