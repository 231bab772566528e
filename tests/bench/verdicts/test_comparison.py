"""Two runs side by side: who is slower, who is not, and what cannot be told or compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feedbench.bench.records.conditions.calm import Calm, Share, Speed
from feedbench.bench.records.conditions.sources import SourceChange
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import SplitRecord
from feedbench.bench.verdicts.comparison import (
    Compared,
    Comparison,
    between,
    compare,
    judged,
)
from feedbench.bench.verdicts.intervals import Interval, unpaired
from feedbench.bench.verdicts.two_runs import Run
from feedbench.pipelines.errors import RequestError
from tests.support.builders import a_part, a_proof, a_row, a_run, a_trial, trials_of

CALM = [1000, 1004, 998, 1001, 1003, 999, 1002, 997]
RATES = st.lists(st.floats(100, 10_000), min_size=2, max_size=12)


def a_folder(name: str = "base", *rows: Row, factor: float = 1.0, **given: Any) -> Run:
    """A run of the rows, all of whose trials are at CALM rates times a factor."""
    rows = rows or (a_row("a"), a_row("b"))
    rates = {row.label: [round(factor * rate) for rate in CALM] for row in rows}
    return Run(name, a_run(*rows, **given), trials_of(rates))


def pipeline_of(base: Run, new: Run, label: str = "b") -> Compared:
    return next(each for each in compare(base, new, 0.05).pipelines if each.label == label)


def test_a_run_beside_itself_is_not_slower() -> None:
    comparison = compare(a_folder(), a_folder("new"), 0.05)
    assert comparison.word == "not slower"
    assert [each.ratio for each in comparison.pipelines] == [1.0, 1.0]


def test_a_run_that_is_30_per_cent_slower_is_slower_and_the_reverse_is_not() -> None:
    base, new = a_folder(), a_folder("new", factor=0.7)
    pipeline = pipeline_of(base, new)
    assert pipeline.word == "slower"
    assert pipeline.ratio == pytest.approx(0.7, abs=0.002)
    assert compare(base, new, 0.05).word == "slower"
    assert compare(new, base, 0.05).word == "not slower"


def test_what_is_slower_within_the_tolerance_is_not_slower() -> None:
    base, new = a_folder(), a_folder("new", factor=0.97)
    assert compare(base, new, 0.05).word == "not slower"
    assert compare(base, new, 0.01).word == "slower"


def test_one_that_is_slower_decides_and_one_that_cannot_be_told_comes_next() -> None:
    words = [
        Compared(label="a", word="not slower"),
        Compared(label="b", word="cannot tell"),
        Compared(label="c", word="slower"),
    ]
    comparison = Comparison(base="b", new="n", tolerance=0.05, level=0.99, pipelines=words)
    assert comparison.word == "slower"
    assert replace(comparison, pipelines=words[:2]).word == "cannot tell"
    assert replace(comparison, pipelines=words[:1]).word == "not slower"


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.2, -0.06, "slower"),
        (-0.2, -0.04, "cannot tell"),
        (-0.04, 0.5, "not slower"),
        (-0.5, 0.5, "cannot tell"),
    ],
)
def test_the_whole_interval_must_lie_beyond_the_tolerance_or_within(
    low: float, high: float, word: str
) -> None:
    assert judged(Interval((low + high) / 2, low, high, 8, 0.99), 0.05) == word


def test_the_interval_is_welchs() -> None:
    # Means 1 and 3, variances 1 and 4 over 3 and 3 blocks: a standard error of sqrt(5/3), and by
    # Welch and Satterthwaite 25 / (1/2 + 16/2) = 2.941 degrees of freedom, whose t of 97.5 % is
    # 3.2188 by the table.
    ours, theirs = ([math.exp(v) for v in values] for values in ((0, 1, 2), (1, 3, 5)))
    interval = unpaired(ours, theirs, 0.95)
    assert interval.estimate == pytest.approx(-2)
    half = 3.2188 * math.sqrt(5 / 3)
    assert (interval.low, interval.high) == pytest.approx((-2 - half, -2 + half), abs=2e-3)


@given(RATES, RATES)
def test_the_other_way_round_it_is_the_reciprocal(ours: list[float], theirs: list[float]) -> None:
    there, back = unpaired(ours, theirs, 0.99), unpaired(theirs, ours, 0.99)
    assert there.estimate == pytest.approx(-back.estimate, abs=1e-9)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-6, nan_ok=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("images", 10),
        ("height", 224),
        ("channels", 1),
        ("dtype", "uint8"),
        ("batch_size", 64),
        ("label_mode", "binary"),
        ("classes", {"daisy": 3670}),
    ],
)
def test_runs_of_different_workloads_are_refused(field: str, value: Any) -> None:
    name, run, trials = a_folder("new")
    other = replace(run, workload=replace(run.workload, **{field: value}))
    with pytest.raises(RequestError, match="base and new measured different workloads: "):
        compare(a_folder(), Run(name, other, trials), 0.05)


def test_parts_of_a_folder_by_different_seeds_are_refused() -> None:
    (_, base, trials), (_, new, _) = a_folder(), a_folder("new")
    part = a_part(base)
    other = replace(a_part(new), workload=replace(part.workload, seed=7))
    with pytest.raises(RequestError, match="measured different images of the folder: seed 0 and 7"):
        compare(Run("base", part, trials), Run("new", other, trials), 0.05)
    assert compare(Run("base", part, trials), Run("new", part, trials), 0.05).word == "not slower"


def test_runs_of_different_splits_are_refused() -> None:
    name, run, trials = a_folder("new")
    split = SplitRecord(subset="training", training=480, validation=120, by="seed 0", share=0.2)
    by_seed_0 = replace(run, workload=replace(run.workload, split=split))
    other = replace(split, by="seed 1")
    by_seed_1 = replace(run, workload=replace(run.workload, split=other))
    words = "different workloads: split by seed none and 480 images for training; 120 for"
    with pytest.raises(RequestError, match=words):
        compare(a_folder(), Run(name, by_seed_0, trials), 0.05)
    with pytest.raises(RequestError, match=r"by seed 0 and 480 images .* by seed 1"):
        compare(Run("base", by_seed_0, trials), Run(name, by_seed_1, trials), 0.05)


def test_a_run_from_before_the_parts_of_a_folder_were_recorded_can_be_compared() -> None:
    name, run, trials = a_folder("new")
    split = SplitRecord(
        subset="training", training=480, validation=120, by="the folders train and val"
    )
    with_parts = replace(run, workload=replace(run.workload, split=split))
    assert compare(a_folder(), Run(name, with_parts, trials), 0.05).word == "not slower"


def test_parts_of_folders_of_different_sizes_are_refused() -> None:
    _, base, trials = a_folder()
    part = a_part(base)
    other = replace(part, workload=replace(part.workload, folder_images=5000))
    with pytest.raises(RequestError, match="parts of different folders: of 3,670 and 5,000 images"):
        compare(Run("base", part, trials), Run("new", other, trials), 0.05)


def test_other_pipelines_are_told_and_the_shared_ones_compared() -> None:
    base = a_folder("base", a_row("a"), a_row("b"), a_row("old"))
    new = a_folder("new", a_row("a"), a_row("b"), a_row("fresh"))
    comparison = compare(base, new, 0.05)
    assert [each.label for each in comparison.pipelines] == ["a", "b"]
    assert comparison.remarks == ["Only in base: old.", "Only in new: fresh."]
    with pytest.raises(RequestError, match="have no pipeline in common: expected equal labels"):
        compare(base, a_folder("new", a_row("x")), 0.05)


def test_what_differs_between_the_machines_is_told() -> None:
    name, run, trials = a_folder("new")
    other = replace(run.environment, cores=4.0, packages={"numpy": "2.5.0"})
    comparison = compare(a_folder(), Run(name, replace(run, environment=other), trials), 0.05)
    assert comparison.differences == ["cores: 2 and 4", "numpy: 2.4.6 and 2.5.0"]
    assert compare(a_folder(), a_folder("new"), 0.05).differences == []


def test_runs_of_two_days_and_of_two_states_of_the_code_are_told_apart() -> None:
    name, run, trials = a_folder("new")
    later = replace(run, started_at="2026-01-03T00:00:00+00:00", code="b")
    _, base, _ = a_folder()
    comparison = compare(
        Run("base", replace(base, code="a"), trials), Run(name, later, trials), 0.05
    )
    assert comparison.differences == [
        "Feedbench's code: same version, different content",
        "day: 2026-01-01 and 2026-01-03",
    ]
    assert compare(a_folder(), Run(name, replace(run, code="b"), trials), 0.05).differences == []


@pytest.mark.parametrize(
    ("good", "expected"),
    [
        (Speed(90.0, 45.0), []),  # as one machine has it, from one minute to another
        (Speed(110.0, 90.0), []),
        (
            Speed(80.0, 50.0),
            ["reference speed: 0.80 times the base's bytes hashed per second"],
        ),
        (
            Speed(130.0, 20.0),
            [
                "reference speed: 1.30 times the base's bytes hashed per second",
                "reference speed: 0.40 times the base's bytes copied per second",
            ],
        ),
        (None, []),  # a run of a version that did not keep it
    ],
)
def test_a_machine_that_looks_alike_and_is_faster_or_slower_is_another(
    good: Speed | None, expected: list[str]
) -> None:
    def at(name: str, good: Speed | None) -> Run:
        share = Share(1.0, 1.0)
        calm = Calm(
            good=good,
            low=share,
            lowest=share,
            middle=share,
            attempts=8,
            disturbed=0,
            retaken=0,
            waited_seconds=0.0,
            probe_seconds=1.0,
            blocks=[],
        )
        _, run, trials = a_folder(name)
        return Run(name, replace(run, calm=calm), trials)

    comparison = compare(at("base", Speed(100.0, 50.0)), at("new", good), 0.05)
    assert comparison.differences == expected


def few(blocks: Sequence[int]) -> Run:
    trials = [a_trial(block, label) for label in "ab" for block in blocks]
    return Run("new", a_run(a_row("a"), a_row("b")), trials)


def test_under_four_blocks_nothing_can_be_told() -> None:
    pipeline = pipeline_of(a_folder(), few([1, 2, 3]))
    assert (pipeline.word, pipeline.why) == (
        "cannot tell",
        "it has 8 and 3 undisturbed blocks; both need 4",
    )


def test_other_work_than_before_cannot_be_compared() -> None:
    same = a_folder("base", a_row("b", proof=a_proof()))
    near = a_folder("new", a_row("b", proof=a_proof("near")))
    wrong = a_folder("new", a_row("b", proof=a_proof("different")))
    assert pipeline_of(same, near).why == "its work has changed: same and near"
    assert pipeline_of(wrong, wrong).why == "equal work is not proven"


def test_a_pipeline_that_failed_cannot_be_told() -> None:
    pipeline = pipeline_of(a_folder(), a_folder("new", a_row("b", None)))
    assert (pipeline.word, pipeline.why) == ("cannot tell", "it was not measured in the new run")
    failed = a_row("b", None, failures=["it raised OSError: gone."])
    assert pipeline_of(a_folder(), a_folder("new", failed)).why == (
        "it failed in the new run: it raised OSError: gone"
    )


def test_what_has_no_verdict_in_its_own_run_has_none_beside_another() -> None:
    for reason, why in (
        (
            "exclusions",
            "its verdict in the base run depends on which disturbed trials are left out",
        ),
        ("slow turns", "its verdict in the base run depends on which slow turns are left out"),
        (
            "other programs",
            "other programs were busy in its turns in the base run, and not in the others'",
        ),
    ):
        unsure = a_folder("base", a_row("b", verdict="withheld", withheld=reason))
        assert pipeline_of(unsure, a_folder("new", a_row("b"), factor=0.5)).why == why
    off = a_folder("new", a_row("b"), factor=0.5, control=(1.05, 1.03, 1.07))
    pipeline = pipeline_of(a_folder(), off)
    assert (pipeline.word, pipeline.why) == (
        "cannot tell",
        "the machine was not calm in the new run: the baseline differed from its own second copy",
    )
    calm = a_folder("new", a_row("b"), factor=0.5, control=(1.02, 0.99, 1.05))
    assert pipeline_of(a_folder(), calm).word == "slower"


def test_a_run_whose_photos_changed_cannot_be_compared() -> None:
    changed = SourceChange(
        kind="photo", first="daisy/1.jpg", files=12, gone=0, first_block=3, last_block=3
    )
    pipeline = pipeline_of(a_folder(), a_folder("new", a_row("b"), factor=0.5, changed=changed))
    assert (pipeline.word, pipeline.why) == (
        "cannot tell",
        "in the new run, the photos daisy/1.jpg and 11 others changed during block 3",
    )


def test_other_images_of_the_same_number_are_another_workload() -> None:
    def of(name: str, digest: str) -> Run:
        _, run, trials = a_folder(name)
        workload = replace(run.workload, images_digest=digest)
        return Run(name, replace(run, workload=workload), trials)

    with pytest.raises(RequestError, match="base and new measured different images: as many of"):
        compare(of("base", "12"), of("new", "34"), 0.05)
    assert compare(of("base", "12"), of("new", "12"), 0.05).word == "not slower"
    assert compare(of("base", ""), of("new", "12"), 0.05).word == "not slower"  # an older run


def test_two_pipelines_of_a_run_are_compared_block_by_block() -> None:
    noise = [900, 1100, 800, 1200, 1000, 950, 1050, 1150]
    rates = {"a": noise, "b": [round(0.9 * rate) for rate in noise], "c": noise[::-1]}
    run = Run("R", a_run(*map(a_row, rates)), trials_of(rates))
    slower = between(run, "a", "b", 0.05)
    (only,) = slower.pipelines
    assert (slower.word, only.label, only.blocks) == ("slower", "b", (8, 8))
    assert (only.ratio_low, only.ratio_high) == pytest.approx((0.9, 0.9), abs=0.002)
    assert (slower.base, slower.new, slower.sides, slower.level) == ("a", "b", "pipelines", 0.99)
    assert between(run, "b", "a", 0.05).word == "not slower"
    assert between(run, "a", "c", 0.05).word == "cannot tell"


def test_a_pipeline_that_a_run_does_not_have_is_named_and_so_is_the_nearest() -> None:
    with pytest.raises(RequestError) as caught:
        between(a_folder("R", a_row("naive"), a_row("tuned")), "naive", "tunde", 0.05)
    assert str(caught.value) == (
        "--new tunde: R has no such pipeline; it has naive, tuned\nhint: did you mean tuned?"
    )
    with pytest.raises(RequestError, match="both a: expected two pipelines of R"):
        between(a_folder("R"), "a", "a", 0.05)


def test_a_base_that_failed_is_the_reason_that_it_cannot_be_told() -> None:
    run = a_folder(
        "R", replace(a_row("a"), rate=None, failures=["it raised OSError: gone"]), a_row("b")
    )
    (only,) = between(run, "a", "b", 0.05).pipelines
    assert (only.word, only.why) == (
        "cannot tell",
        "it failed as the base: it raised OSError: gone",
    )
