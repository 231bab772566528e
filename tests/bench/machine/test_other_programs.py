"""What other programs take of the cores, and that a trial beside them does not count."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.machine import other_programs
from feedbench.bench.machine.other_programs import user_seconds, watched_cores
from feedbench.bench.records.conditions.calm import Around, Counters, Share
from feedbench.bench.records.conditions.usage import Usage
from feedbench.bench.verdicts.calm import calm_of
from feedbench.reports.sentences.conditions import calm
from tests.support.builders import a_trial

STAT = """cpu  1000 200 300 4000 0 0 0 0 0 0
cpu0 400 50 100 2000 0 0 0 0 0 0
cpu1 600 150 200 2000 0 0 0 0 0 0
intr 12345
"""
TICK = os.sysconf("SC_CLK_TCK")
GOOD = Share(1.0, 1.0)


def a_usage(others_cpu_seconds: float | None) -> Usage:
    """Of ten seconds on two cores."""
    return Usage(seconds=10.0, cores=2.0, others_cpu_seconds=others_cpu_seconds)


AROUND = Around(
    before=GOOD, after=GOOD, low=Share(0.85, 0.5), waited_seconds=0.0, counters=Counters()
)


def beside(others_cpu_seconds: float | None, around: Around = AROUND, **given: Any) -> Any:
    usage = a_usage(others_cpu_seconds)
    return a_trial(1, around=around, usage=usage, **given)


def test_only_the_cores_that_we_may_use_are_looked_at(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text(STAT)
    assert user_seconds(frozenset({0, 1}), stat) == 1200 / TICK
    assert user_seconds(frozenset({1}), stat) == 750 / TICK


@pytest.mark.parametrize("text", ["", "cpu0 4", "cpu0 a b c", "cpu0 400 50 100\n"])
def test_a_system_that_does_not_tell_is_not_available(tmp_path: Path, text: str) -> None:
    stat = tmp_path / "stat"
    assert user_seconds(frozenset({0, 1}), stat) is None
    stat.write_text(text)
    assert user_seconds(frozenset({0, 1}), stat) is None
    assert user_seconds(frozenset(), stat) is None


def test_a_quota_leaves_others_out_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = os.sched_getaffinity(0)
    monkeypatch.setattr(other_programs, "usable_cores", lambda: len(cores) - 0.5)
    assert watched_cores() == frozenset()
    monkeypatch.setattr(other_programs, "usable_cores", lambda: float(len(cores)))
    assert watched_cores() == cores


@pytest.mark.alone
def test_a_program_at_work_is_seen() -> None:
    cores = watched_cores()
    if not cores:
        pytest.skip("a quota leaves fewer cores than there are")
    before = user_seconds(cores)
    # Its time is its own, not the kernel's.
    subprocess.run([sys.executable, "-c", "sum(i * i for i in range(10**7))"], check=True)
    time.sleep(0.05)  # for the last tick
    after = user_seconds(cores)
    assert before is not None
    assert after is not None
    assert after - before > 0.2


def test_a_trial_beside_a_program_that_takes_a_twentieth_of_the_cores_is_disturbed() -> None:
    assert not beside(0.9).is_disturbed
    assert beside(1.1).is_disturbed
    assert not beside(None).is_disturbed
    assert a_usage(2.1).others_share == pytest.approx(0.105)


def test_how_much_others_may_take_is_recorded_around_the_trial() -> None:
    lenient = replace(AROUND, most_others_share=0.5)
    assert not beside(9.9, lenient).is_disturbed
    assert beside(10.1, lenient).is_disturbed
    summary = calm_of([beside(9.9, lenient)], 0.1)
    assert summary is not None
    assert summary.most_others_share == 0.5
    assert "other programs" not in str(calm.sentence(summary))


def test_what_others_took_is_said_where_it_disturbed() -> None:
    summary = calm_of([beside(0.2), beside(9.6, attempt=2)], 0.1)
    assert summary is not None
    assert summary.others == pytest.approx(0.48)
    sentence = calm.sentence(summary)
    assert sentence is not None
    assert "1 of 2 trials was disturbed" in sentence
    assert "Other programs used up to 48% of the cores" in sentence
    assert "End other programs, or give more --time." in sentence
    quiet = calm.sentence(calm_of([beside(0.2)], 0.1))
    assert quiet is not None
    assert "other programs" not in quiet
