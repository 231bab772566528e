from __future__ import annotations

import io

from rich.console import Console

from feedbench.bench.verdicts.comparison import Comparison
from feedbench.reports.terminal.comparison import show
from tests.support.runs.comparisons import DIFFERING, FINE, SLOWER, UNSURE, a_comparison


def shown(found: Comparison, *, colours: bool = False) -> str:
    """What the terminal gets."""
    file = io.StringIO()
    show(found, Console(file=file, force_terminal=colours, width=100, highlight=False))
    return file.getvalue()


def test_the_warning_stands_before_every_figure_and_the_answer_and_stands_out() -> None:
    text = shown(DIFFERING)
    assert text.count("WARNING") == 1
    warned = text.index("WARNING")
    assert warned < text.index("verdict")
    assert warned < text.index("It is not clear")
    assert text.index("Only x.") > text.index("verdict")
    assert shown(DIFFERING, colours=True).startswith("\x1b[1mWARNING")


def test_without_a_difference_the_table_comes_first() -> None:
    assert shown(a_comparison(FINE)).startswith("pipeline")


def test_the_table_fits_and_holds_every_pipeline() -> None:
    text = shown(a_comparison(FINE, SLOWER, UNSURE))
    assert max(map(len, text.splitlines())) <= 100
    lines = [line.split() for line in text.splitlines()]
    assert ["b", "1,000", "700", "0.700", "0.680-0.720", "slower"] in lines
