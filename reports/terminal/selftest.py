"""What the self-test found, as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from feedbench.bench.text import counted, duration
from feedbench.reports.terminal.layout import limit_width, plain_table

if TYPE_CHECKING:
    from rich.console import Console

    from feedbench.bench.records.selftest import SelfTest


def show(selftest: SelfTest, console: Console) -> None:
    """Print a line for everything that was expected, and the answer."""
    limit_width(console)
    table = plain_table()
    for title in ("", "expected", "measured", ""):
        table.add_column(title)
    for line in selftest.lines:
        passed = Text("pass", style="green") if line.passed else Text("FAIL", style="bold red")
        table.add_row(Text(line.name), Text(line.expected), Text(line.measured), passed)
    console.print(table)
    console.print()
    for failure in selftest.failures:
        console.print(Text(f"  {failure}"))
    console.print(Text(answer(selftest), style="bold"))


def answer(selftest: SelfTest) -> str:
    """Return the one sentence that a person came for."""
    count = len(selftest.lines)
    failed = sum(not line.passed for line in selftest.lines)
    took = f"{counted(selftest.blocks, 'block')} in {duration(selftest.seconds)}"
    if not failed:
        return f"The harness can be trusted here: {count} of {count} passed ({took})."
    return (
        f"{failed} of {count} failed ({took}): measure again when other programs have"
        " ended; what fails again, on a machine at rest, is a fault of Feedbench's or of the"
        " machine's clock."
    )
