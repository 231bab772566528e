"""What GitHub Actions and GitLab show of a gate."""

from __future__ import annotations

import json
import re

import pytest
from msgspec.structs import replace

from feedbench.bench.records.checks.gate import GateRecord
from feedbench.reports import ci
from feedbench.reports.sentences.comparisons.gate import answer, details
from tests.support.runs.gates import FAILED, FINE, SLOWER, UNSURE


def test_the_answer_names_both_loaders_the_tolerance_and_the_interval() -> None:
    assert answer(SLOWER) == (
        "loader.py:photos is slower than base/loader.py:photos by more than 10%: it runs at 0.694"
        " times the rate (99% interval 0.672-0.717)."
    )
    assert answer(FINE).startswith("loader.py:photos is not slower than base/loader.py:photos by")
    assert answer(UNSURE).startswith("It is not clear whether loader.py:photos is slower than")
    assert answer(FAILED) == (
        "loader.py:photos cannot be compared with base/loader.py:photos: it failed as the new one:"
        " it raised OSError: gone."
    )


def test_one_that_cannot_tell_says_how_much_more_it_would_take() -> None:
    assert details(UNSURE)[1] == (
        "About 12 more blocks (4 min) would decide. Raise --time, or add them: feedbench run"
        " --resume gate --blocks +12"
    )
    assert details(UNSURE)[2] == (
        "Then compare them: feedbench compare gate --base base --new new --tolerance 10%"
    )
    assert len(details(SLOWER)) == 1


def test_one_with_too_few_blocks_says_how_many_it_lacks() -> None:
    few = replace(UNSURE, ratio=None, more_blocks=2)
    assert details(few)[1] == (
        "At least 2 more blocks (40 s) are needed. Raise --time, or add them: feedbench run"
        " --resume gate --blocks +2"
    )


def test_a_second_run_is_told_from_the_first() -> None:
    assert "confirms it" in details(replace(SLOWER, first=SLOWER))[-1]
    assert "does not confirm it" in details(replace(FINE, first=SLOWER))[-1]


@pytest.mark.parametrize(
    ("gate", "level"),
    [
        (SLOWER, "error"),
        (FAILED, "error"),
        (UNSURE, "warning"),
        (replace(UNSURE, strict=True), "error"),
        (FINE, "notice"),
    ],
)
def test_the_annotation_is_one_line_at_the_new_loader(gate: GateRecord, level: str) -> None:
    line = ci.annotation(gate, "src/load,er.py")
    assert line.startswith(f"::{level} file=src/load%2Cer.py,title=Feedbench gate::")
    assert "by more than 10%25" in line or gate is FAILED
    assert "\n" not in line
    assert "file=" not in ci.annotation(gate)


def test_the_summary_has_the_answer_the_rates_and_the_notes() -> None:
    text = ci.summary(SLOWER)
    assert text.startswith("### Feedbench gate\n\n**loader.py:photos is slower")
    assert "| loader.py:photos | 694 | 0.694 | 0.672-0.717 | slower |" in text
    assert "| base/loader.py:photos | 1,000 |  |  | base |" in text
    assert "- How sure: 4 undisturbed blocks of 4, in 1 min 44 s." in text


def test_gitlab_gets_an_issue_only_if_something_is_wrong() -> None:
    assert json.loads(ci.code_quality(FINE, "loader.py")) == []
    (issue,) = json.loads(ci.code_quality(SLOWER, "loader.py"))
    # What GitLab's documentation asks for: "Code Quality report format".
    assert issue["location"] == {"path": "loader.py", "lines": {"begin": 1}}
    assert (issue["severity"], issue["check_name"]) == ("major", "feedbench-gate")
    assert issue["description"] == answer(SLOWER)
    assert re.fullmatch("[0-9a-f]{64}", issue["fingerprint"])


def test_gitlab_gets_the_figures_as_openmetrics() -> None:
    *lines, last = ci.metrics(SLOWER).splitlines()
    assert last == "# EOF"
    assert "feedbench_ratio 0.694" in lines
    assert all(re.fullmatch(r"[a-z_]+ [0-9.e+-]+", line) for line in lines)
    assert "feedbench_ratio" not in ci.metrics(FAILED)
