from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.measuring.schedule import Lineup, block_order
from feedbench.pipelines.catalog import parse

LABELS = st.lists(st.text(min_size=1), min_size=1, max_size=6, unique=True).map(tuple)
SEEDS, BLOCKS = st.integers(0, 2**32), st.integers(1, 10_000)


def words(labels: str, seed: int, block: int) -> str:
    """The order in one word: a letter a pipeline, the baseline's second trial with a star."""
    order = block_order(tuple(labels), seed, block)
    return " ".join(label + "*" * (purpose == "control") for label, purpose in order)


def test_the_order_of_a_seed_and_a_block_stays_the_same_from_version_to_version() -> None:
    first_four = [words("abc", 0, block) for block in (1, 2, 3, 4)]
    assert first_four == ["a b c a*", "b a a* c", "a* c a b", "b a c a*"]
    assert words("abc", 1, 1) == "b c a a*"


@given(LABELS, SEEDS, BLOCKS)
def test_a_block_is_one_trial_of_each_pipeline_and_a_second_one_of_the_first(
    labels: tuple[str, ...], seed: int, block: int
) -> None:
    expected = [*((label, "main") for label in labels), (labels[0], "control")]
    assert Counter(block_order(labels, seed, block)) == Counter(expected)


@given(LABELS, SEEDS, BLOCKS, BLOCKS)
def test_the_order_depends_on_the_seed_and_the_block_alone(
    labels: tuple[str, ...], seed: int, block: int, before: int
) -> None:
    order = block_order(labels, seed, block)
    block_order(labels, seed, before)
    block_order(labels, seed + 1, block)
    assert block_order(labels, seed, block) == order


def test_another_name_for_a_pipeline_does_not_change_the_order() -> None:
    renamed = words("xyz", 0, 1).translate(str.maketrans("xyz", "abc"))
    assert renamed == words("abc", 0, 1)


def test_all_orders_come_up_over_many_blocks_about_equally_often() -> None:
    orders = Counter(words("abc", 7, block) for block in range(1, 2_401))
    assert len(orders) == 24
    assert 70 < min(orders.values()) < max(orders.values()) < 130  # 100 are to be expected


def test_blocks_of_neighbouring_seeds_have_nothing_in_common() -> None:
    orders = [words("abcdef", 1, block) for block in range(1, 101)]
    for shift in (-1, 0, 1):
        others = [words("abcdef", 2, block + shift) for block in range(1, 101)]
        assert sum(a == b for a, b in zip(orders, others, strict=True)) <= 2


def test_a_pipeline_that_is_alone_runs_twice() -> None:
    assert sorted(block_order(("only",), 0, 1)) == [("only", "control"), ("only", "main")]


SPECS = {label: parse(f"{label}=tfdata_naive") for label in "ab"}
LINEUP = Lineup(SPECS, {"a": 5.0, "b": 3.0})


def a_trial(label: str, **given: Any) -> TrialRecord:
    fields: dict[str, Any] = {
        "label": label,
        "spec": label,
        "purpose": "main",
        "block": 1,
        "started_at": "2026-01-01T00:00:00+00:00",
        "seconds": 7.0,
        "ended": "measured",
    }
    return TrialRecord(**fields | given)


def test_a_block_takes_what_its_trials_take_and_the_baseline_runs_twice() -> None:
    assert LINEUP.block_seconds == 13.0
    assert LINEUP.after([a_trial("a", ended="failed")]).block_seconds == 6.0
    every = [a_trial(label, ended="failed") for label in "ab"]
    assert LINEUP.after(every).block_seconds == 0.0


def test_a_trial_that_takes_longer_is_expected_to_do_so_again() -> None:
    assert LINEUP.after([a_trial("b")]).trial_seconds == {"a": 5.0, "b": 7.0}
    assert LINEUP.after([a_trial("b", seconds=2.0)]).trial_seconds == {"a": 5.0, "b": 3.0}


def test_what_a_pilot_took_is_not_what_a_trial_takes() -> None:
    pilot = a_trial("b", block=0, purpose="pilot")
    assert LINEUP.after([pilot]).trial_seconds == LINEUP.trial_seconds


def test_a_lineup_stays_as_it_is_and_returns_another() -> None:
    assert LINEUP.after([a_trial("a", ended="failed")]).labels == ("b",)
    assert LINEUP.labels == ("a", "b")
