from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.records.conditions.page_cache import Certificate
from feedbench.bench.records.row import Row
from feedbench.bench.records.windows import Window
from tests.support.builders import measured_in
from tests.support.runs.summaries import CALM, MARGIN, a_trial, blocks, failed, row_of, summary_of


def test_there_is_a_row_for_each_pipeline_in_the_order_asked_for() -> None:
    summary = summary_of(blocks({"b": CALM, "a": CALM, "c": CALM}), "bac")
    assert [(row.label, row.spec) for row in summary.rows] == [
        ("b", "spec of b"),
        ("a", "spec of a"),
        ("c", "spec of c"),
    ]


def test_a_trials_rate_is_the_images_of_its_steady_windows_over_their_seconds() -> None:
    ramp = [Window(10, 1.0), Window(100, 1.0), Window(100, 1.0), Window(309, 3.0)]
    assert a_trial(windows=ramp).rate == pytest.approx(509 / 5)


def test_of_a_trial_that_was_never_steady_the_last_three_windows_count() -> None:
    ramp = [Window(2**place, 1.0) for place in range(12)]
    trial = a_trial(windows=ramp)
    assert trial.rate == pytest.approx((512 + 1024 + 2048) / 3)
    assert row_of(summary_of([trial]), "a").unsteady_trials == 1


@pytest.mark.parametrize("windows", [1, 2])
def test_too_few_windows_to_be_steady_are_not_called_unsteady(windows: int) -> None:
    trial = a_trial(windows=[Window(2**place, 1.0) for place in range(windows)])
    assert row_of(summary_of([trial]), "a").unsteady_trials == 0


def test_a_rate_is_over_the_blocks_mean_of_seconds_an_image() -> None:
    row = row_of(summary_of(blocks({"a": [500, 1000, 1000, 2000]})), "a")
    assert row.rate == pytest.approx(4 / (1 / 500 + 2 / 1000 + 1 / 2000))
    assert row.blocks == 4


def test_a_rate_has_an_interval_from_four_blocks_on() -> None:
    three = row_of(summary_of(blocks({"a": CALM[:3]})), "a")
    assert three.rate == pytest.approx(1000, rel=1e-3)
    assert (three.rate_low, three.rate_high) == (None, None)
    four = row_of(summary_of(blocks({"a": CALM})), "a")
    assert four.rate_low is not None
    assert four.rate_high is not None
    assert four.rate is not None
    assert four.rate_low < four.rate < four.rate_high


def test_a_ratio_after_too_few_blocks_for_a_verdict_has_a_rough_width() -> None:
    two = row_of(summary_of(blocks({"a": [1000, 1000], "b": [2000, 2010]})), "b")
    logs = [math.log(2.0), math.log(2.01)]
    error = abs(logs[1] - logs[0]) / 2  # of the mean of two
    assert two.ratio_width == pytest.approx(math.expm1(12.706 * error), rel=1e-3)
    assert two.ratio_low is None
    wild = row_of(summary_of(blocks({"a": [1000, 1000], "b": [2000, 9000]})), "b")
    assert wild.ratio_width is None
    one = row_of(summary_of(blocks({"a": [1000], "b": [2000]})), "b")
    assert one.ratio_width is None
    assert row_of(summary_of(blocks({"a": CALM, "b": CALM})), "b").ratio_width is None


def test_an_upper_end_that_is_nowhere_is_not_known() -> None:
    wild = row_of(summary_of(blocks({"a": [100, 200, 400, 400]})), "a")
    assert wild.rate_low is not None
    assert wild.rate_high is None


def test_ratios_are_paired_by_block() -> None:
    machine = [1, 3, 2, 5]  # its speed in each block
    summary = summary_of(blocks({"a": [100 * m for m in machine], "b": [150 * m for m in machine]}))
    faster = row_of(summary, "b")
    assert faster.ratio == pytest.approx(1.5)
    assert faster.ratio_low == pytest.approx(1.5)
    assert faster.ratio_high == pytest.approx(1.5)
    assert faster.verdict == "faster"


def test_a_block_that_only_one_of_a_pair_has_is_no_part_of_their_ratio() -> None:
    trials = blocks({"a": [*CALM, 9999], "b": [2 * rate for rate in CALM]})
    trials += [a_trial("b", block=6, rate=1)]
    assert row_of(summary_of(trials), "b").ratio == pytest.approx(2.0)


def test_the_order_in_which_trials_were_run_is_of_no_account() -> None:
    trials = blocks({"a": [100, 200, 300, 400], "b": [110, 250, 310, 480]})
    ours, theirs = row_of(summary_of(trials), "b"), row_of(summary_of(trials[::-1]), "b")
    assert theirs.rate == pytest.approx(ours.rate)
    assert (theirs.ratio, theirs.ratio_low) == pytest.approx((ours.ratio, ours.ratio_low))


def test_the_baseline_has_no_ratio_and_no_verdict_of_its_own() -> None:
    baseline = row_of(summary_of(blocks({"a": CALM, "b": CALM})), "a")
    assert (baseline.ratio, baseline.ratio_low, baseline.verdict) == (None, None, None)


def test_the_level_of_the_intervals_is_told_and_grows_with_the_pipelines() -> None:
    assert row_of(summary_of(blocks({"a": CALM, "b": CALM})), "b").level == pytest.approx(0.99)
    eleven = dict.fromkeys("abcdefghijk", CALM)
    summary = summary_of(blocks(eleven), "abcdefghijk")
    assert [row.level for row in summary.rows] == pytest.approx([0.995] * 11)


def test_under_four_blocks_there_are_rates_and_ratios_and_no_verdicts() -> None:
    for count in (1, 2, 3):
        rates = {"a": CALM[:count], "b": [2 * rate for rate in CALM[:count]]}
        summary = summary_of(blocks(rates))
        other = row_of(summary, "b")
        assert other.rate == pytest.approx(2000, rel=1e-2)
        assert other.ratio == pytest.approx(2.0)
        assert (other.ratio_low, other.ratio_high, other.verdict) == (None, None, None)
        assert (summary.best, summary.control) == ([], None)


def test_a_pipeline_with_less_than_four_blocks_beside_others_has_no_verdict() -> None:
    summary = summary_of(blocks({"a": CALM, "b": CALM, "c": CALM[:3]}), "abc")
    assert row_of(summary, "b").verdict == "equivalent"
    assert row_of(summary, "c").verdict is None


def test_a_pipeline_without_a_trial_has_an_empty_row() -> None:
    empty = row_of(summary_of(blocks({"a": CALM}), "ab"), "b")
    assert empty == Row(label="b", spec="spec of b", blocks=0)


def test_a_failed_trial_is_listed_and_no_part_of_the_rate() -> None:
    trials = [*blocks({"a": CALM, "b": CALM}), failed("b", 5, "it raised OSError: gone")]
    row = row_of(summary_of(trials), "b")
    assert row.failures == ["it raised OSError: gone"]
    assert row.blocks == 4
    assert row.rate == row_of(summary_of(trials[:-1]), "b").rate


def test_failures_of_pilots_and_of_the_control_are_listed_too() -> None:
    trials = [
        failed("b", 0, "its pilot failed", purpose="pilot"),
        failed("a", 1, "its control failed", purpose="control"),
    ]
    summary = summary_of(trials)
    assert row_of(summary, "a").failures == ["its control failed"]
    assert row_of(summary, "b").failures == ["its pilot failed"]


def test_trials_cut_short_by_the_time_are_no_failures_and_no_measurements() -> None:
    trials = blocks({"a": CALM, "b": CALM})
    cut = [a_trial("b", 5, windows=[], ended=ended) for ended in ("time up", "interrupted")]
    assert summary_of(trials + cut).rows == summary_of(trials).rows


def test_pilots_are_no_part_of_the_rate() -> None:
    trials = blocks({"a": CALM})
    pilot = a_trial("a", 0, windows=[], purpose="pilot", epoch_seconds=[], turnover_seconds=[])
    assert summary_of([pilot, *trials]).rows == summary_of(trials).rows


def test_where_the_baseline_failed_there_are_rates_and_no_ratios() -> None:
    trials = [failed("a", 1), *(a_trial("b", block, rate) for block, rate in enumerate(CALM, 1))]
    summary = summary_of(trials)
    assert row_of(summary, "b").rate == pytest.approx(1000, rel=1e-3)
    assert (row_of(summary, "b").ratio, row_of(summary, "b").verdict) == (None, None)
    assert row_of(summary, "a").rate is None
    assert (summary.best, summary.control, summary.intervals) == ([], None, {})


def test_a_pipeline_that_can_only_be_restarted_is_flagged() -> None:
    trials = blocks({"a": CALM})
    trials += [a_trial("b", block, continuous=False) for block in range(1, 5)]
    summary = summary_of(trials)
    assert row_of(summary, "a").continuous
    assert not row_of(summary, "b").continuous


def test_the_control_is_the_ratio_of_the_baselines_second_copy_to_it() -> None:
    copy = [1020, 1030, 1010, 1020]
    summary = summary_of(blocks({"a": [1000] * 4, "b": CALM}, second=copy))
    assert summary.control is not None
    ratio, low, high = summary.control
    assert ratio == pytest.approx((1020 * 1030 * 1010 * 1020) ** 0.25 / 1000)
    assert low < ratio < high
    assert math.log(high / ratio) == pytest.approx(math.log(ratio / low))


def test_the_second_copy_is_no_part_of_the_baselines_rate() -> None:
    apart = summary_of(blocks({"a": CALM}, second=[rate * 2 for rate in CALM]))
    assert row_of(apart, "a").rate == row_of(summary_of(blocks({"a": CALM})), "a").rate


def test_a_control_that_is_off_withholds_all_verdicts_and_the_best() -> None:
    trials = blocks({"a": CALM, "b": [3 * r for r in CALM]}, second=[r * 11 // 10 for r in CALM])
    summary = summary_of(trials)
    assert row_of(summary, "b").verdict == "withheld"
    assert row_of(summary, "b").ratio == pytest.approx(3.0)
    assert summary.best == []


def test_the_best_are_those_not_shown_slower_than_another() -> None:
    rates = {"a": CALM, "b": [2 * r for r in CALM], "c": [2010, 2000, 1990, 1995]}
    assert summary_of(blocks(rates), "abc").best == ["b", "c"]
    rates["c"] = [3 * r for r in CALM]
    assert summary_of(blocks(rates), "abc").best == ["c"]


def test_what_a_verdict_shows_is_no_tie_though_all_pairs_have_a_higher_level() -> None:
    slower = [759, 788, 819, 851, 883]  # times the baseline, at a level between the two
    rates = {"a": [1000] * 5, "b": slower} | {label: [500] * 5 for label in "cdefghi"}
    summary = summary_of(blocks(rates), "abcdefghi")
    assert row_of(summary, "b").verdict == "slower"
    assert summary.best == ["a"]
    faster = {"a": slower, "b": [1000] * 5} | {label: [500] * 5 for label in "cdefghi"}
    summary = summary_of(blocks(faster), "abcdefghi")
    assert row_of(summary, "b").verdict == "faster"
    assert summary.best == ["b"]


def test_phases_are_means_over_the_trials() -> None:
    first = a_trial(block=1, open_seconds=0.25, first_batch_seconds=0.5, first_epoch_seconds=4.0)
    second = a_trial(block=2, open_seconds=0.75, first_batch_seconds=1.0, first_epoch_seconds=2.0)
    row = row_of(summary_of([first, second]), "a")
    assert row.first_batch_seconds == pytest.approx(0.5 + 0.75)
    assert row.first_epoch_seconds == pytest.approx(0.5 + 3.0)


def test_a_first_epoch_whose_page_cache_was_not_as_asked_does_not_count() -> None:
    cold = Certificate(asked="cold", files=3, bytes=1000)
    warm = replace(cold, is_contradicted=True, why_not="only 30% were read")
    phases: dict[str, Any] = {"open_seconds": 0.25, "first_batch_seconds": 0.5}
    sound = a_trial(block=1, page_cache=cold, first_epoch_seconds=4.0, **phases)
    unsound = a_trial(block=2, page_cache=warm, first_epoch_seconds=2.0, **phases)
    assert row_of(summary_of([sound, unsound], "a"), "a").first_epoch_seconds == pytest.approx(4.25)
    row = row_of(summary_of([unsound], "a"), "a")
    assert (row.first_batch_seconds, row.first_epoch_seconds) == (None, None)
    assert row.rate is not None
    assert row.page_cache is not None
    assert row.page_cache.contradicted == 1


def test_the_turnover_is_a_trials_median_and_the_epoch_its_mean() -> None:
    first = a_trial(block=1, turnover_seconds=[9, 0.1, 0.7, 0.2], epoch_seconds=[9, 1.0, 1.0, 4.0])
    second = a_trial(block=2, turnover_seconds=[0.4], epoch_seconds=[4.0])
    row = row_of(summary_of([first, second]), "a")
    assert row.turnover_seconds == pytest.approx((0.2 + 0.4) / 2)
    assert row.epoch_seconds == pytest.approx((2.0 + 4.0) / 2)


def test_the_first_restart_counts_only_where_it_is_the_only_one() -> None:
    several = row_of(
        summary_of([a_trial(turnover_seconds=[8.0, 0.25], epoch_seconds=[9.0, 1.5])]), "a"
    )
    assert (several.turnover_seconds, several.epoch_seconds) == (0.25, 1.5)
    only = row_of(summary_of([a_trial(turnover_seconds=[8.0], epoch_seconds=[9.0])]), "a")
    assert (only.turnover_seconds, only.epoch_seconds) == (8.0, 9.0)


def test_the_epoch_of_the_whole_folder_is_its_images_over_the_rate_and_a_turnover() -> None:
    trials = [
        a_trial(block=1, rate=500, turnover_seconds=[0.25]),
        a_trial(block=2, rate=2000, turnover_seconds=[0.75]),
    ]
    row = row_of(summary_of(trials, folder_images=8000), "a")
    assert row.folder_epoch_seconds == pytest.approx(8000 / 800 + 0.5)


def test_where_the_whole_folder_was_measured_its_epoch_is_the_measured_one() -> None:
    """A restart and the end of an epoch overlap: their sum would be too long."""
    trials = [
        a_trial(block=block, rate=500, turnover_seconds=[0.25], epoch_seconds=[1.9])
        for block in (1, 2)
    ]
    whole = measured_in(trials[0]).first_epoch_images
    row = row_of(summary_of(trials, folder_images=whole), "a")
    assert row.folder_epoch_seconds == row.epoch_seconds == pytest.approx(1.9)


def test_the_epoch_of_the_whole_folder_has_one_turnover_where_the_rate_is_a_restarted_one() -> None:
    # 1,000 images in 2 seconds, and a turnover of 0.5 seconds before them.
    trials = [a_trial(rate=400, turnover_seconds=[0.5], epoch_seconds=[2.5], continuous=False)]
    row = row_of(summary_of(trials, folder_images=10_000), "a")
    assert row.folder_epoch_seconds == pytest.approx(10 * 2.0 + 0.5)


def test_knobs_and_remarks_of_the_trials_are_told_each_remark_once() -> None:
    trials = [
        a_trial(block=block, knobs={"cache": "none"}, remarks=["cache=none: no room", str(block)])
        for block in (1, 2)
    ]
    row = row_of(summary_of(trials), "a")
    assert row.knobs == {"cache": "none"}
    assert row.remarks == ["cache=none: no room", "1", "2"]


def test_it_is_precise_where_no_interval_is_wider_than_the_margin() -> None:
    calm = summary_of(blocks({"a": [1000, 1001, 999, 1000], "b": [2000] * 4}))
    assert calm.is_precise(MARGIN, "ab")
    noisy = summary_of(blocks({"a": [1000, 1100, 900, 1000], "b": [2000] * 4}))
    assert not noisy.is_precise(MARGIN, "ab")


def test_a_noisy_control_alone_is_reason_to_go_on() -> None:
    noisy = [1000, 1100, 900, 1000]
    summary = summary_of(blocks({"a": [1000] * 4, "b": [2000] * 4}, second=noisy))
    assert not summary.is_precise(MARGIN, "ab")
    assert not summary.is_precise(MARGIN, "")


def test_nothing_is_precise_before_there_is_an_interval_and_before_four_blocks() -> None:
    assert not summary_of([]).is_precise(MARGIN, "ab")
    three = summary_of(blocks({"a": [1000] * 3, "b": [2000] * 3}))
    assert not three.is_precise(MARGIN, "ab")


def test_what_no_longer_runs_is_no_reason_to_go_on() -> None:
    summary = summary_of(
        blocks({"a": [1000] * 4, "b": [2000] * 4, "c": [1000, 1200, 800, 900]}), "abc"
    )
    assert not summary.is_precise(MARGIN, "abc")
    assert summary.is_precise(MARGIN, "ab")


def test_one_accident_does_not_take_a_pipeline_out_of_what_must_be_precise() -> None:
    noisy = [a_trial("b", block, rate) for block, rate in enumerate([1000, 1200, 800, 900], 1)]
    trials = [*blocks({"a": [1000] * 5}), *noisy, failed("b", 5, "it was killed by SIGKILL")]
    assert not summary_of(trials).is_precise(MARGIN, "ab")


def test_signed_ranks_check_the_verdict_from_eight_blocks_on() -> None:
    # One block in which something took most of the machine, from one of the two.
    steady = [1000, 1001, 999, 1002, 998, 1000, 1001, 999, 1000, 1002] * 2
    other = [1100, 1102, 1099, 1101, 1100, 1101, 1098, 1102, 1100] * 2 + [1100, 300]
    baseline, row = summary_of(blocks({"a": steady, "b": other})).rows
    assert (row.verdict, row.ranks_verdict) == ("inconclusive", "faster")
    assert row.ranks_low is not None
    assert row.ranks_high is not None
    assert row.ranks_low > 1
    assert 1.09 < row.ranks_high < 1.11
    assert baseline.ranks_verdict is None
    few = summary_of(blocks({"a": steady[:7], "b": other[:7]})).rows[1]
    assert (few.ranks_low, few.ranks_high, few.ranks_verdict) == (None, None, None)


def test_where_the_control_is_off_a_little_verdict_and_best_agree() -> None:
    # b is faster by 0.9 %; the baseline differs from itself by 1.2 %, not shown to be over 1 %.
    second = [988, 1000, 976, 988]
    summary = summary_of(blocks({"a": [1000] * 4, "b": [1009] * 4}, second=second))
    assert row_of(summary, "b").verdict == "equivalent"
    assert summary.best == ["a", "b"]


FAST = [2000, 2020, 1980, 2000]


def test_other_work_has_a_rate_and_a_ratio_and_no_verdict_and_is_no_answer() -> None:
    summary = summary_of(blocks({"a": CALM, "b": FAST, "c": CALM}), "abc", unequal="b")
    assert row_of(summary, "b").ratio == pytest.approx(2, rel=1e-3)
    assert (row_of(summary, "b").verdict, row_of(summary, "b").withheld) == ("withheld", "work")
    assert (row_of(summary, "c").verdict, row_of(summary, "c").withheld) == ("equivalent", None)
    assert summary.best == ["a", "c"]


def test_where_the_baselines_work_is_other_nothing_is_compared_with_it() -> None:
    slow = [500, 505, 495, 500]
    summary = summary_of(blocks({"a": FAST, "b": CALM, "c": slow}), "abc", unequal="a")
    assert [row_of(summary, label).withheld for label in "bc"] == ["baseline's work"] * 2
    assert summary.best == ["b"]


def test_of_one_alone_whose_work_is_right_nothing_is_shown() -> None:
    assert summary_of(blocks({"a": CALM, "b": FAST}), unequal="b").best == []


def test_a_run_goes_on_for_no_pipeline_that_gets_no_verdict() -> None:
    wild = [1000, 4000, 100, 2000]
    summary = summary_of(blocks({"a": CALM, "b": wild, "c": CALM}), "abc", unequal="b")
    assert summary.is_precise(MARGIN, ("a", "b", "c"))
    assert not summary_of(blocks({"a": CALM, "b": wild, "c": CALM}), "abc").is_precise(
        MARGIN, ("a", "b", "c")
    )


def test_where_the_baseline_differs_from_itself_that_is_why_verdicts_are_withheld() -> None:
    summary = summary_of(blocks({"a": CALM, "b": FAST}, second=[1100, 1111, 1089, 1100]))
    assert (row_of(summary, "b").verdict, row_of(summary, "b").withheld) == ("withheld", "control")
