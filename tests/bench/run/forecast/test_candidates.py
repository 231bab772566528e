"""Which pipelines are measured if there is no time for all: by costs that are claimed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.run.budget import PROCESS_SECONDS, Cost
from feedbench.bench.run.forecast.candidates import (
    Candidate,
    Terms,
    lineup_that_fits,
    most_promising,
    pilots_that_fit,
    times_slower,
)

TERMS = Terms(images=64, batch_size=32)
NAMED = Terms(images=64, batch_size=32, is_default=False)


def a_candidate(label: str, image_seconds: float = 0.002, *, has_cache: bool = False) -> Candidate:
    return Candidate(label=label, costs=(Cost(image_seconds),), has_cache=has_cache)


SLOW = a_candidate("slow", 0.006)
NAIVE = a_candidate("naive", 0.003)
PLAIN = a_candidate("plain")
CACHED = a_candidate("cached", 0.0021, has_cache=True)
RECORDS = a_candidate("records", 0.0019)
ALL = (SLOW, NAIVE, PLAIN, CACHED, RECORDS)


def kept(seconds: float, terms: Terms = TERMS, blocks: int = 4) -> list[str]:
    return [each.label for each in lineup_that_fits(ALL, seconds, terms, blocks=blocks)]


def needed(*candidates: Candidate, blocks: int = 4) -> float:
    return TERMS.needed_seconds(candidates, blocks)


def test_all_are_measured_if_there_is_time_for_the_wanted_blocks_of_all() -> None:
    assert kept(needed(*ALL)) == ["slow", "naive", "plain", "cached", "records"]


def test_the_slowest_is_left_out_first_and_the_baseline_stays_though_it_is_slower() -> None:
    assert kept(needed(*ALL) - 0.1) == ["slow", "plain", "cached", "records"]


def test_one_with_a_cache_is_judged_by_its_later_epochs_and_stays_to_the_end() -> None:
    assert most_promising(ALL) is CACHED
    assert kept(needed(SLOW, CACHED)) == ["slow", "cached"]


def test_a_close_rival_gives_way_to_three_blocks_and_not_to_four() -> None:
    rival = a_candidate("rival", 0.0022, has_cache=True)
    trio = (SLOW, CACHED, rival)
    three, four = (TERMS.needed_seconds(trio, blocks) for blocks in (3, 4))
    for seconds in (three, four - 0.1):
        assert lineup_that_fits(trio, seconds, TERMS, blocks=4) == trio
    assert lineup_that_fits(trio, three - 0.1, TERMS, blocks=4) == (SLOW, CACHED)


def test_what_the_user_named_gives_way_to_the_first_block_only() -> None:
    assert kept(needed(*ALL, blocks=1), NAMED) == [each.label for each in ALL]
    assert kept(needed(*ALL, blocks=1) - 0.1, NAMED) == ["slow", "plain", "cached", "records"]


def test_where_not_even_a_pair_fits_the_most_promising_is_measured_alone() -> None:
    assert kept(needed(SLOW, CACHED, blocks=1)) == ["slow", "cached"]
    assert kept(needed(SLOW, CACHED, blocks=1) - 0.1) == ["cached"]
    assert kept(0.0) == ["cached"]


def test_both_environments_of_a_pipeline_count() -> None:
    both = Candidate(label="both", costs=(Cost(0.004), Cost(0.002)))
    assert both.image_seconds == 0.002
    alone = a_candidate("both", 0.004)
    assert TERMS.needed_seconds([both], 1) > TERMS.needed_seconds([alone], 1)


@pytest.mark.parametrize("terms", [TERMS, NAMED])
def test_of_equals_the_one_named_last_gets_no_pilot(terms: Terms) -> None:
    equals = tuple(a_candidate(label) for label in "abcd")
    seconds = 5.0
    counts: list[int] = []
    while len(counts) < 4:
        labels = [each.label for each in pilots_that_fit(equals, seconds, terms)]
        if len(labels) not in counts:
            counts.append(len(labels))
            assert labels == list("abcd")[: len(labels)]
        seconds += 0.1
    assert counts == [1, 2, 3, 4]


def test_a_pilot_is_run_only_if_a_block_of_the_two_that_matter_still_fits() -> None:
    pair = (SLOW, CACHED)
    pilots = sum(1.5 + PROCESS_SECONDS + each.costs[0].start_seconds for each in ALL)
    enough = pilots + TERMS.needed_seconds(pair, 1)
    assert pilots_that_fit(ALL, enough + 0.01, TERMS) == ALL
    assert pilots_that_fit(ALL, enough - 0.1, TERMS) == (SLOW, PLAIN, CACHED, RECORDS)
    assert pilots_that_fit(ALL, 0.0, TERMS) == (CACHED,)


def test_how_much_slower_it_was_is_told_by_the_fastest_pilot() -> None:
    assert times_slower(SLOW, (PLAIN, CACHED)) == pytest.approx(3.0)


COSTS = st.lists(st.tuples(st.floats(1e-4, 0.1), st.booleans()), min_size=1, max_size=6)


@given(COSTS, st.floats(0.0, 2000.0), st.integers(1, 8), st.booleans())
def test_the_most_promising_always_stays_and_what_is_kept_fits_or_is_alone(
    costs: list[tuple[float, bool]], seconds: float, blocks: int, is_default: bool
) -> None:
    candidates = tuple(
        a_candidate(str(place), image_seconds, has_cache=has_cache)
        for place, (image_seconds, has_cache) in enumerate(costs)
    )
    terms = Terms(images=64, batch_size=32, is_default=is_default)
    lineup = lineup_that_fits(candidates, seconds, terms, blocks=blocks)
    assert most_promising(candidates) in lineup
    assert list(lineup) == [each for each in candidates if each in lineup]
    assert len(lineup) == 1 or terms.needed_seconds(lineup, 1) <= seconds
    assert len(lineup) == 1 or lineup[0] is candidates[0]


@given(COSTS, st.floats(0.0, 500.0), st.floats(0.0, 500.0))
def test_more_time_never_measures_fewer(
    costs: list[tuple[float, bool]], seconds: float, more: float
) -> None:
    candidates = tuple(
        a_candidate(str(place), image_seconds, has_cache=has_cache)
        for place, (image_seconds, has_cache) in enumerate(costs)
    )
    few = lineup_that_fits(candidates, seconds, TERMS, blocks=4)
    many = lineup_that_fits(candidates, seconds + more, TERMS, blocks=4)
    assert set(few) <= set(many)
