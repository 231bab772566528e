from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from feedbench.bench.records.conditions.sources import SourceChange
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord, Stopped
from feedbench.bench.text import digits
from feedbench.reports.sentences.answer import answer, heading, no_ratios
from tests.support.builders import (
    WORKLOAD,
    a_part,
    a_proof,
    a_row,
    a_run,
    compared,
    empty_row,
)


def test_the_heading_says_what_was_measured_and_how_long_it_took() -> None:
    expected = "all 3,670 images in 3 classes, to 180x240, batches of 32; 8 blocks in 4 min 5 s"
    assert heading(a_run(a_row("a"))) == expected


def test_the_heading_says_of_how_many_images_a_part_was_measured() -> None:
    part = heading(a_part(a_run(a_row("a"), blocks=1)))
    assert part.startswith("512 of 3,670 images in 3 classes, ")
    assert part.endswith("; 1 block in 4 min 5 s")


def test_the_heading_says_one_class() -> None:
    one = msgspec.structs.replace(WORKLOAD, classes={"daisy": 3670})
    assert "in 1 class, " in heading(a_run(a_row("a"), workload=one))


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "nothing was measured"),
        ([empty_row("a", "it raised"), empty_row("b")], "nothing was measured"),
        ([a_row("a")], "the run has only one pipeline"),
        ([empty_row("a", "it raised"), a_row("b")], "the baseline failed"),
        ([empty_row("a"), a_row("b")], "the baseline was not measured"),
        ([a_row("a"), empty_row("b", "it raised")], "only the baseline was measured"),
        (
            [a_row("a"), a_row("b")],
            "no block has undisturbed trials of both the baseline and another pipeline",
        ),
    ],
)
def test_a_run_without_ratios_says_why_it_has_none(rows: list[Row], why: str) -> None:
    assert no_ratios(a_run(*rows)) == f"No ratios: {why}."


def test_a_run_with_a_ratio_has_no_such_reason() -> None:
    assert no_ratios(a_run(a_row("a"), empty_row("b"), compared("c", 2, "faster"))) == ""


def test_photos_that_changed_come_before_all_else() -> None:
    change = SourceChange(
        kind="photo", first="daisy/1.jpg", files=2, gone=1, first_block=1, last_block=3
    )
    expected = (
        "No verdicts: the photos daisy/1.jpg and 1 other changed during blocks 1 to 3, after equal"
        " work was proven."
    )
    for rows in ([a_row("a"), a_row("b")], [empty_row("a")]):
        assert answer(a_run(*rows, changed=change)) == expected
    gone = replace(change, files=1, first_block=3)
    assert "the photo daisy/1.jpg disappeared during block 3" in answer(a_run(changed=gone))


def test_one_best_is_named_with_its_ratio_to_the_baseline_and_the_interval() -> None:
    run = a_run(
        a_row("naive"), compared("tuned", 4.5, "faster"), compared("c", 2, "faster"), best=["tuned"]
    )
    expected = "tuned is the fastest: 4.50 times the rate of naive (99% interval 4.41 to 4.59)."
    assert answer(run) == expected


def test_a_best_baseline_is_named_with_the_ratio_of_the_next_one() -> None:
    run = a_run(
        a_row("naive"), compared("b", 0.25, "slower"), compared("c", 0.8, "slower"), best=["naive"]
    )
    assert answer(run) == f"naive is the fastest: the next has {digits(0.8)} times its rate."


def test_several_best_are_all_named_and_none_is_preferred() -> None:
    rows = [compared(label, 2, "faster") for label in "bcd"]
    two = a_run(a_row("naive"), *rows, best=["b", "c"])
    assert answer(two) == "b and c are the fastest; no difference is shown between them."
    three = a_run(a_row("naive"), *rows, best=["b", "c", "d"])
    assert answer(three) == "b, c and d are the fastest; no difference is shown between them."


def test_what_is_far_behind_and_not_excluded_is_only_a_doubt() -> None:
    b, c = compared("b", 0.5, "inconclusive"), compared("c", 0.3, "inconclusive")
    rates = {"a": 1000.0, "b": 500.0, "c": 300.0}
    rows = [replace(row, rate=rates[row.label]) for row in (a_row("a"), b, c)]
    two = a_run(*rows[:2], best=["a", "b"])
    assert answer(two) == "a is the fastest, unless b is: its rates vary too much to tell."
    expected = "a is the fastest, unless b or c are: their rates vary too much to tell."
    assert answer(a_run(*rows, best=["a", "b", "c"])) == expected


def test_where_all_are_best_none_is_called_the_fastest() -> None:
    run = a_run(a_row("a"), compared("b", 1.0, "equivalent"), best=["a", "b"])
    assert answer(run) == "No difference is shown between a and b."


def test_a_pipeline_that_failed_is_not_among_all() -> None:
    run = a_run(
        a_row("a"), compared("b", 1.0, "equivalent"), empty_row("c", "it raised"), best=["a", "b"]
    )
    assert answer(run) == "No difference is shown between a and b."


def rates_only(**given: Any) -> RunRecord:
    rows = [a_row("a"), a_row("b", ratio=2.0)]
    return a_run(*rows, **{"blocks": 1, "control": None, **given})


@pytest.mark.parametrize(
    ("blocks", "said", "adds"),
    [
        (0, "0 blocks completed", "+4"),
        (1, "1 block completed", "+3"),
        (3, "3 blocks completed", "+1"),
    ],
)
def test_under_four_blocks_there_are_rates_only(blocks: int, said: str, adds: str) -> None:
    run = rates_only(blocks=blocks, stopped_because=Stopped.TIME)
    first, last = f"Rates only: {said}, and verdicts need 4", f"--resume RUN --blocks {adds}"
    so_far = "So far, b has about 2.0 times the rate of a."
    assert answer(run) == f"{first}; {last} adds the rest. {so_far}"


def test_under_four_blocks_no_ratio_is_shown_of_work_that_is_not_equal() -> None:
    unequal = a_row("b", ratio=2.0, proof=a_proof("different"))
    of_baseline = a_row("a", proof=a_proof("different"))
    for rows in ([a_row("a"), unequal], [of_baseline, a_row("b", ratio=2.0)], [a_row("a")]):
        run = a_run(*rows, blocks=1, control=None, stopped_because=Stopped.TIME)
        assert answer(run).endswith(" adds the rest.")


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (Stopped.TIME, "--resume RUN --blocks +3 adds the rest"),
        (Stopped.BLOCKS, "--resume RUN --blocks +3 adds the rest"),
        (Stopped.SPARE, "--resume RUN --blocks +3 adds the rest"),
        (Stopped.PRECISE, "every interval was narrow enough"),
        (Stopped.FAILED, "every pipeline failed"),
        (Stopped.INTERRUPTED, "it was interrupted, and --resume RUN resumes it"),
        (None, "it is not known why it ended"),
    ],
)
@pytest.mark.parametrize("seconds", [None, 300.0])
def test_more_blocks_are_advised_where_the_run_takes_them_and_nothing_where_that_is_of_no_use(
    ended: Stopped | None, said: str, seconds: float | None
) -> None:
    run = rates_only(stopped_because=ended, time_seconds=seconds)
    assert answer(run).startswith(f"Rates only: 1 block completed, and verdicts need 4; {said}.")


def test_a_run_that_came_to_no_end_is_said_to_be_so_and_nothing_is_advised() -> None:
    assert "; the run was not completed." in answer(rates_only(status="running"))


def test_where_verdicts_are_withheld_the_control_is_told() -> None:
    row = compared("b", 3, "withheld", withheld="control")
    run = a_run(a_row("naive"), row, control=(1.1, 1.05, 1.15))
    expected = (
        "No verdicts: naive and its own second copy differ (ratio 1.10, interval 1.05 to 1.15),"
        " so the machine was not calm enough."
    )
    assert answer(run) == expected


def test_where_nothing_was_measured_it_is_said() -> None:
    run = a_run(empty_row("a", "it raised"), empty_row("b", "it raised"), blocks=0)
    assert answer(run) == "Nothing was measured."
    assert answer(a_run()) == "Nothing was measured."


def test_where_the_baseline_failed_there_are_no_verdicts() -> None:
    run = a_run(empty_row("a", "it raised"), a_row("b"), a_row("c"), control=None)
    expected = "No verdicts: too few blocks have both the baseline and another pipeline."
    assert answer(run) == expected


def test_a_single_pipeline_is_answered_with_its_rate() -> None:
    assert answer(a_run(a_row("mine", 1234.4))) == "mine delivers 1,234 images/s."


def test_no_interval_is_said_to_be_of_100_percent() -> None:
    best = compared("b", 2, "faster", level=0.9975)
    assert "(99.75% interval " in answer(a_run(a_row("a"), best, best=["b"]))
