from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from feedbench.bench.records.checks.selftest import Expectation, SelfTest
from feedbench.reports.terminal.selftest import answer, show


def a_line(passed: bool = True) -> Expectation:
    return Expectation(name="a known rate", expected="1,600", measured="1,601", passed=passed)


def a_selftest(*lines: Expectation, **given: Any) -> SelfTest:
    return SelfTest(seconds=143.0, blocks=4, disturbed=8, lines=list(lines), **given)


def shown(found: SelfTest) -> str:
    console = Console(file=io.StringIO(), force_terminal=False)
    show(found, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_each_line_says_what_was_expected_what_was_measured_and_whether_it_passed() -> None:
    text = shown(a_selftest(a_line(), a_line(passed=False)))
    lines = [line.split() for line in text.splitlines()]
    assert ["a", "known", "rate", "1,600", "1,601", "pass"] in lines
    assert ["a", "known", "rate", "1,600", "1,601", "FAIL"] in lines
    assert max(map(len, text.splitlines())) <= 100


def test_the_answer_says_whether_the_harness_can_be_trusted() -> None:
    assert answer(a_selftest(a_line(), a_line())) == (
        "The harness can be trusted here: 2 of 2 passed (4 blocks in 2 min 23 s)."
    )
    assert answer(a_selftest(a_line(), a_line(passed=False))).startswith(
        "1 of 2 failed (4 blocks in 2 min 23 s). Measure again when other programs have ended."
    )


def test_a_trial_that_failed_is_named() -> None:
    assert "  ramp: it raised OSError" in shown(
        a_selftest(a_line(passed=False), failures=["ramp: it raised OSError"])
    )
