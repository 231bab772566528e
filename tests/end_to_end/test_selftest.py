"""The self-test from end to end, shortened: what it reads is asserted under a claimed clock."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from feedbench.bench.processes.progress import Quiet
from feedbench.bench.records.pace import USUAL
from feedbench.bench.selftest import expected
from feedbench.bench.selftest import selftest as module
from feedbench.bench.selftest.selftest import selftest
from tests.support.pace import CALM
from tests.support.programs.command import Feedbench
from tests.support.waiting import until

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]


# Few rounds of real windows; other tests may keep the machine busy, which is not waited for.
BRIEF = replace(USUAL, rounds=3, least_rounds=3, most_rounds=3, wait_seconds=0.5)


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where a self-test of one block has its files."""
    monkeypatch.setattr(expected, "MOST_BLOCKS", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_neighbour_that_it_brings_is_seen_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, scratch: Path
) -> None:
    monkeypatch.setattr(module, "ALONE", {})  # whom it is no matter of
    found = selftest(Quiet(), BRIEF)
    assert (found.blocks, found.failures) == (1, [])
    assert found.disturbed >= 2  # the neighbour's trial, and the same taken again
    assert not found.has_passed  # one block has no verdicts
    assert list(scratch.iterdir()) == []


def test_all_of_it_is_measured_where_nothing_disturbs_it(scratch: Path) -> None:
    """As if nothing did: this machine may have other things to do just now."""
    found = selftest(Quiet(), CALM)
    assert (found.blocks, found.failures, found.disturbed) == (1, [], 0)
    assert [line.name for line in found.lines if line.measured == "not measured"] == []
    neighbour = next(line for line in found.lines if line.name == "one that brings a neighbour")
    assert not neighbour.passed  # since nobody looked
    assert list(scratch.iterdir()) == []


def test_ctrl_c_is_one_sentence_and_leaves_nothing(feedbench: Feedbench) -> None:
    with feedbench.start("selftest") as process:
        assert process.stderr is not None
        until(lambda: "alone" in str(process.stderr and process.stderr.readline()))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == ("feedbench: interrupted; the self-test has no result")
    assert feedbench.left_in_scratch() == []
