"""The self-test from end to end, shortened: what it reads is asserted under a claimed clock."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

import pytest

from feedbench.bench import expectations
from feedbench.bench.progress import Quiet
from feedbench.bench.selftest import selftest
from tests.bench.command import Feedbench
from tests.bench.conftest import until

pytestmark = pytest.mark.tensorflow


def test_all_of_it_is_measured_and_the_neighbour_is_seen_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(expectations, "MOST_BLOCKS", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = selftest(Quiet())
    assert (found.blocks, found.failures) == (1, [])
    assert found.disturbed >= 2  # the neighbour's trial, and the same taken again
    unmeasured = [line.name for line in found.lines if line.measured == "not measured"]
    assert unmeasured == []
    assert not found.has_passed  # one block has no verdicts
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_one_sentence_and_leaves_nothing(feedbench: Feedbench) -> None:
    with feedbench.start("selftest") as process:
        assert process.stderr is not None
        until(lambda: "alone" in str(process.stderr and process.stderr.readline()))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == ("feedbench: interrupted; nothing is left of the self-test")
    assert feedbench.left_in_scratch() == []
