"""What a run says while it goes on, on standard error. Between trials only, never within one."""

from __future__ import annotations

import sys
from collections import defaultdict
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.text import WIDTH, counted, duration


class Listener(Protocol):
    """Is told how a run goes on."""

    def said(self, line: str) -> None:
        """Take a line that stays."""

    def doing(self, what: str) -> None:
        """Take what goes on now, which the next thing replaces."""

    def trial_begins(self, block: int, label: str, seconds_left: float | None) -> None:
        """Take that a trial begins; block 0 is before the blocks."""

    def trial_ended(self, record: TrialRecord, seconds_left: float | None) -> None:
        """Take a trial's record."""


class Quiet:
    """Says nothing."""

    def said(self, line: str) -> None:
        """Say nothing."""

    def doing(self, what: str) -> None:
        """Say nothing."""

    def trial_begins(self, block: int, label: str, seconds_left: float | None) -> None:
        """Say nothing."""

    def trial_ended(self, record: TrialRecord, seconds_left: float | None) -> None:
        """Say nothing."""


class Plain(Quiet):
    """A line for each trial that has ended, for a log or a pipe."""

    def said(self, line: str) -> None:
        """Print the line."""
        print(line, file=sys.stderr, flush=True)

    def trial_ended(self, record: TrialRecord, seconds_left: float | None) -> None:
        """Print how it went."""
        where = f"block {record.block}" if record.block else "pilot"
        remaining = "" if seconds_left is None else f"  ({duration(seconds_left)} left)"
        again = " (control)" if record.purpose == "control" else ""
        self.said(f"{where:<9}{record.label}{again}: {how(record)}{remaining}")


class OnTerminal(Plain):
    """A small table that is drawn again at each trial's beginning and end.

    Drawn then only: a bar that moves while a window is open would take what it measures.
    """

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._rates: defaultdict[str, list[float]] = defaultdict(list)
        self._console = console

    def shown(self) -> AbstractContextManager[object]:
        """Return the context in which the table is on the screen."""
        return self._live

    def said(self, line: str) -> None:
        """Print the line above the table."""
        self._console.print(Text(line))
        self._live.refresh()

    def doing(self, what: str) -> None:
        """Show it below the table."""
        self._live.update(Group(self._table(), Text(f"{what} ...")), refresh=True)

    def trial_begins(self, block: int, label: str, seconds_left: float | None) -> None:
        """Show which trial goes on."""
        remaining = "" if seconds_left is None else f", {duration(seconds_left)} left"
        self.doing(f"{f'block {block}' if block else 'pilot'}: {label}{remaining}")

    def trial_ended(self, record: TrialRecord, seconds_left: float | None) -> None:  # noqa: ARG002
        """Add its rate to the table; a failure stays as a line."""
        if record.ended == "measured" and record.purpose == "main":
            self._rates[record.label].append(record.rate)
        elif record.ended == "failed":
            self.said(f"{record.label}: {how(record)}")

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for label, rates in self._rates.items():
            mean = len(rates) / sum(1 / rate for rate in rates)
            table.add_row(Text(label), f"{mean:,.0f} images/s", counted(len(rates), "block"))
        return table


def listener(*, quiet: bool) -> tuple[Listener, AbstractContextManager[object]]:
    """Return the listener that fits standard error, and the context that it works in."""
    if quiet:
        return Quiet(), nullcontext()
    console = Console(stderr=True)
    if not console.is_terminal:
        return Plain(), nullcontext()
    console.width = min(console.width, WIDTH)
    on_terminal = OnTerminal(console)
    return on_terminal, on_terminal.shown()


def how(record: TrialRecord) -> str:
    """Return how a trial went, in a few words."""
    if record.measured is not None:
        return _rate(record.measured)
    return f"failed: {record.why}" if record.ended == "failed" else record.ended


def _rate(measured: Measurement) -> str:
    """Return a trial's rate; of a pilot, which has no windows, that of the epoch it read."""
    if measured.windows:
        return f"{measured.rate:,.0f} images/s"
    rate = measured.first_epoch_images / (measured.first_epoch_seconds or 1.0)
    return f"about {rate:,.0f} images/s"
