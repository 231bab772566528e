"""The result of the self-test, as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from feedbench.bench.text import counted, duration
from feedbench.reports.terminal.layout import plain_table, put, set_width

if TYPE_CHECKING:
    from rich.console import Console

    from feedbench.bench.records.checks.selftest import SelfTest


def show(selftest: SelfTest, console: Console) -> None:
    """Print a line for each expectation, and the answer."""
    set_width(console)
    table = plain_table()
    for title in ("", "expected", "measured", ""):
        table.add_column(title)
    for line in selftest.lines:
        passed = Text("pass", style="green") if line.passed else Text("FAIL", style="bold red")
        table.add_row(Text(line.name), Text(line.expected), Text(line.measured), passed)
    put(console, table, "")
    for failure in selftest.failures:
        put(console, Text(f"  {failure}"))
    put(console, Text(answer(selftest), style="bold"))


def answer(selftest: SelfTest) -> str:
    """Return whether the harness can be trusted here."""
    count = len(selftest.lines)
    failed = sum(not line.passed for line in selftest.lines)
    took = f"{counted(selftest.blocks, 'block')} in {duration(selftest.seconds)}"
    if not failed:
        return f"The harness can be trusted here: {count} of {count} passed ({took})."
    return (
        f"{failed} of {count} failed ({took}). Measure again when other programs have ended."
        " If the same checks fail on an idle machine, Feedbench or the machine's clock is at fault."
    )
