"""The charts of stages, of epochs, and of blocks in time: what they say as text, and draw."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from feedbench.bench.records.calm import Around, BlockCalm, Calm, Counters, Share
from feedbench.bench.records.diagnosis import Ceiling, Diagnosis, Stage, Trace
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.reports.charts import costs as costplots
from feedbench.reports.charts import rates as plots
from feedbench.reports.charts import stages as stageplots
from feedbench.reports.charts import time_order
from feedbench.reports.charts.tracks import NARROW, WIDE
from feedbench.reports.sentences import calm, costs
from feedbench.reports.tables import frames
from feedbench.reports.text.figures import MISSING
from tests.reports.charts.test_rates import dots, numbers, texts
from tests.support.builders import KOREAN, SCRIPT, a_row, a_run, a_trial, empty_row, trials_of

HOSTILE = ["\uffff\ufdd0", SCRIPT, "$x_1$ & 'a' \"b\" --> ]]>", KOREAN, "x" * 100]


def traced(**of: dict[str, float]) -> RunRecord:
    """A run of these pipelines, each with these stages in ms."""
    traces = {
        label: Trace(folder="", stages=[Stage(name=name, ms=ms) for name, ms in stages.items()])
        for label, stages in of.items()
    }
    return a_run(*(a_row(label) for label in of), diagnosis=Diagnosis(traces=traces))


def stages(run: RunRecord, width: int = WIDE) -> str:
    svg = stageplots.stages(run, width)
    assert svg is not None
    return svg


def test_each_pipeline_has_a_bar_with_its_sum_and_its_largest_stage() -> None:
    found = texts(stages(traced(a={"decode": 0.6, "resize": 0.3, "the rest": 0.1}, b={"read": 2})))
    for text in ("a", "1.00 ms, decode 60%", "b", "2.00 ms, read 100%", "decode", "resize"):
        assert text in found
    assert "CPU ms an image, summed over threads" in found


def test_a_bar_is_as_long_as_what_was_measured_and_its_shares_are_the_traces() -> None:
    run = traced(a={"Python": 3.0, "batch": 1.0})
    found = texts(
        stages(replace(run, rows=[replace(run.rows[0], cpu_seconds_per_1000_images=2.0)]))
    )
    assert "2.00 ms, Python 75%" in found
    assert max(numbers(stages(run))) == 4


def test_a_stage_without_room_for_its_name_has_none_and_the_description_has_it() -> None:
    svg = stages(traced(a={"decode": 0.99, "shuffle": 0.01}))
    assert "shuffle" not in texts(svg)
    assert "shuffle 0.0100 ms" in svg


def test_where_no_trace_tells_stages_there_is_no_such_chart() -> None:
    assert stageplots.stages(a_run(a_row("a"))) is None
    odd = traced(a={}, b={"decode": math.nan, "read": 0.0})
    assert stageplots.stages(odd) is None


CACHES = {"a": "none", "b": "memory"}


def with_ceilings(**rates: float) -> str:
    found = [Ceiling(name=name, rate=rate) for name, rate in rates.items()]  # type: ignore[arg-type]
    plain, cached = (a_row(label, knobs={"cache": kept}) for label, kept in CACHES.items())
    run = a_run(plain, cached, diagnosis=Diagnosis(ceilings=found))
    svg = plots.rates(run, frames.blocks(run, trials_of({"a": [1000], "b": [1100]})))
    assert svg is not None
    return svg


def test_rates_stand_beside_the_ceilings_that_bind_them_and_beside_no_other() -> None:
    svg = with_ceilings(read=9000.0, decode=2400.0, ready=8000.0)
    assert {"reading and decoding: 2,400", "a ready batch: 8,000"} <= set(texts(svg))
    assert "reading only" not in svg  # higher than what binds
    assert "; ceiling of reading and decoding: 2,400" in svg
    (group,) = re.findall(r"<g [^>]*stroke-dasharray[^>]*>(.*?)</g>", svg)
    assert group.count("<path") == 4  # each beside its name, and in one row


@pytest.mark.parametrize("rate", [1e7, math.nan, math.inf, 0.0])
def test_a_ceiling_that_is_far_beyond_every_rate_or_no_number_is_not_drawn(rate: float) -> None:
    svg = with_ceilings(decode=rate, ready=1e7)
    assert "reading" not in svg
    assert "ready" not in svg


def epochs(run: RunRecord, width: int = WIDE) -> str | None:
    spent = costs.costs(run)
    return costplots.epochs(run, spent, costs.reigns(run, spent), width)


def two_costs(labels: Sequence[str] = ("plain", "cached")) -> RunRecord:
    plain = a_row(labels[0], first_epoch_seconds=4.0, folder_epoch_seconds=4.0)
    return a_run(plain, *(a_row(it, first_epoch_seconds=7.0, folder_epoch_seconds=1.0)
                          for it in labels[1:]))  # fmt: skip


def test_total_times_are_named_at_their_lines_and_the_crossing_by_its_epoch() -> None:
    svg = epochs(two_costs())
    assert svg is not None
    assert {"plain", "cached", "3", "seconds"} <= set(texts(svg))
    assert "cached: 7.00 s for 1 epoch, 16 min 46 s for 1,000" in svg


def letters(found: Sequence[str]) -> list[str]:
    return [text for text in found if re.fullmatch("[A-Z]{1,2}", text)]


@pytest.mark.parametrize(("count", "width"), [(2, NARROW), (9, WIDE), (50, WIDE), (50, NARROW)])
def test_where_names_have_no_room_lines_have_letters_and_a_key_says_whose_they_are(
    count: int, width: int
) -> None:
    labels = [f"label-{number}" for number in range(count)]
    svg = epochs(two_costs(labels), width)
    assert svg is not None
    found = texts(svg)
    key = found[-2 * count :]
    assert key[1::2] == labels
    assert len({*key[::2]}) == count
    assert sorted(letters(found)) == sorted([*key[::2]] * 2)  # at the ends, and in the key


def test_a_letter_stands_beside_the_end_of_its_line() -> None:
    totals = {"slow": 9.0, "fast": 1.0, "middle": 3.0}
    rows = [a_row(it, first_epoch_seconds=9, folder_epoch_seconds=s) for it, s in totals.items()]
    svg = epochs(a_run(*rows), NARROW)
    assert svg is not None
    assert letters(texts(svg)) == ["B", "C", "A", "A", "B", "C"]  # from below; the key
    ends = [float(each.get("y", 0)) for each in ET.fromstring(svg).iter() if each.text in {*"ABC"}]
    assert ends[0] > ends[1] > ends[2]


def test_where_names_have_room_there_is_no_key() -> None:
    found = texts(epochs(two_costs()) or "")
    assert letters(found) == []
    assert found.count("cached") == 1


def test_labels_that_begin_alike_stand_whole_in_a_key() -> None:
    start = "tfdata_tuned:cache=none,shuffle=full,"
    found = texts(epochs(two_costs([f"{start}parallel_calls={number}" for number in (1, 2)])) or "")
    assert found[-6:] == ["A", start, "parallel_calls=1", "B", start, "parallel_calls=2"]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_many_names_and_letters_stay_above_the_scale_and_apart(width: int) -> None:
    flat = [a_row(f"{n}", first_epoch_seconds=1, folder_epoch_seconds=1e-3) for n in range(4)]
    steep = [a_row(f"x{n}", first_epoch_seconds=1, folder_epoch_seconds=9) for n in range(4)]
    svg = epochs(a_run(*flat, *steep), width)
    assert svg is not None
    written = [each for each in ET.fromstring(svg).iter() if each.tag.endswith("text")]
    (scale,) = [
        float(each.get("y", 0)) for each in written if (each.text or "").startswith("epochs")
    ]
    beside = {float(each.get("y", 0)) for each in written if float(each.get("x", 0)) > width - 200}
    heights = sorted(y for y in beside if y < scale - 25)
    assert len(heights) == 8
    assert all(later - one > 12 for one, later in pairwise(heights))


def curves(labels: Sequence[str]) -> list[tuple[str, str]]:
    """The colour and the dashes of each pipeline's line, in the run's order."""
    found = []
    for group in ET.fromstring(epochs(two_costs(labels), NARROW) or "").iter():
        style = dict(re.findall(r"([\w-]+): ([^;]*)", group.get("style", "")))
        lines = [path for path in group if path.get("d", "").count("L") > 20]
        if style.get("stroke-width") == "1.8":
            found += [(style["stroke"], style.get("stroke-dasharray", ""))] * len(lines)
    return found


def test_lines_differ_in_their_dashes_from_the_second_on() -> None:
    for count in range(2, 6):
        assert len({dashes for _, dashes in curves([*"abcde"[:count]])}) == count


def test_no_two_of_thirty_one_lines_have_both_colour_and_dashes_in_common() -> None:
    found = curves([f"{number}" for number in range(31)])
    assert len(found) == len(set(found)) == 31


def test_without_a_known_time_there_is_no_such_chart() -> None:
    assert epochs(a_run(empty_row("a", "it raised"))) is None
    zero = a_row("a", first_epoch_seconds=0.0, folder_epoch_seconds=0.0)
    assert epochs(a_run(zero)) is None


def disturbed(block: int, label: str, rate: int) -> TrialRecord:
    low = Share(0.5, 1.0)
    limit = Share(0.85, 0.5)
    around = Around(before=low, after=low, low=limit, waited_seconds=0.0, counters=Counters())
    return a_trial(block, label, rate, around=around)


def blocks(run: RunRecord, trials: Sequence[TrialRecord], width: int = WIDE) -> str:
    svg = time_order.blocks(run, trials, width)
    assert svg is not None
    return svg


def test_every_trial_of_a_block_has_its_point_and_disturbed_ones_are_hollow_and_counted() -> None:
    run = a_run(a_row("a"), a_row("b"), blocks=4)
    trials = trials_of({"a": [1000] * 4, "b": [1000, 1100, 950, 1000]})
    calm_svg = blocks(run, trials)
    noisy = blocks(run, [*trials, disturbed(2, "b", 500)])
    assert dots(noisy) - dots(calm_svg) == 2  # a ring
    assert "-5.0% to +10.0%" in texts(calm_svg)
    assert "-5.0% to +10.0%, 1 disturbed trial" in texts(noisy)
    assert "stroke: var(--paper" in noisy
    assert "stroke: var(--paper" not in calm_svg


def test_a_block_that_is_not_whole_is_left_out_there_too() -> None:
    run = a_run(a_row("a"), blocks=3)
    four, three = ({"a": [1000] * count} for count in (4, 3))
    assert blocks(run, trials_of(four)) == blocks(run, trials_of(three))


@pytest.mark.parametrize("count", [1, 2, 4, 30])
def test_blocks_are_counted_in_whole_numbers(count: int) -> None:
    run = a_run(a_row("a"), blocks=count)
    found = numbers(blocks(run, trials_of({"a": [1000] * count})))
    assert found
    assert all(number == int(number) and 1 <= number <= count for number in found)


def test_the_edges_are_as_far_as_the_farthest_point_within_reason() -> None:
    run = a_run(a_row("a"), blocks=3)
    assert time_order.reach(run, trials_of({"a": [1000] * 3})) == pytest.approx(1.05)
    assert time_order.reach(run, trials_of({"a": [1000, 800, 1000]})) == pytest.approx(1.25)
    assert time_order.reach(run, trials_of({"a": [1000, 1, 1000]})) == pytest.approx(2.0)


def a_calm(*probes: list[Share], **given: float | None) -> Calm:
    """Blocks with these probes."""
    fields: dict[str, float | None] = dict.fromkeys(
        ("stolen", "throttled", "cpu_pressure", "io_pressure", "memory_pressure")
    )
    counters = {f"{name}_seconds": value for name, value in (fields | given).items()}
    whole = Share(1.0, 1.0)
    return Calm(
        low=Share(0.85, 0.5), lowest=whole, middle=whole, attempts=4, disturbed=0, retaken=0,
        waited_seconds=0.0, probe_seconds=1.0,
        blocks=[
            BlockCalm(block=number, seconds=10.0, probes=found, disturbed=["b"] * (number == 2),
                      **counters)
            for number, found in enumerate(probes, 1)
        ],
    )  # fmt: skip


CALM = a_calm([Share(0.9, 1.1), Share(1.0, 0.6)], [Share(0.7, 1.0)], cpu_pressure=0.5)


def test_the_probes_and_the_second_copy_have_their_tracks_with_how_far_they_went() -> None:
    run = a_run(a_row("a"), blocks=2, calm=CALM)
    trials = trials_of({"a": [1000, 1000]})
    svg = time_order.calm(run, trials)
    assert svg is not None
    found = texts(svg)
    for name, note in (
        ("the probe's hashing", "0.700 to 1.00"),
        ("the probe's copying", "0.600 to 1.10"),
        ("the baseline's second copy", "1.00 to 1.00"),
    ):
        assert name in found
        assert note in found
    without = time_order.calm(run, [trial for trial in trials if trial.purpose == "main"])
    assert without is not None
    assert "the baseline's second copy" not in texts(without)
    assert time_order.calm(replace(run, calm=None), trials) is None


def test_block_by_block_the_lowest_probes_stand_beside_what_the_kernel_counted() -> None:
    run = a_run(a_row("a"), blocks=2, calm=CALM)
    titles, rows = calm.by_block(run, trials_of({"a": [1000, 1000]}))
    heads = [title for title, _, _ in titles]
    assert heads == ["block", "hashing", "copying", "second copy", "CPU pressure", "disturbed"]
    assert rows == [
        ("1", "0.900", "0.600", "1.00", "5.0", MISSING),
        ("2", "0.700", "1.00", "1.00", "5.0", "b"),
    ]


def test_the_second_copy_is_that_which_was_recorded_and_run_delay_has_its_column() -> None:
    first, second = CALM.blocks
    blocks = [replace(first, control=1.25, run_delay_seconds=15.0), second]
    run = a_run(a_row("a"), blocks=2, calm=replace(CALM, blocks=blocks))
    titles, rows = calm.by_block(run, trials_of({"a": [1000, 1000]}))
    heads = [title for title, _, _ in titles]
    assert [row[heads.index("second copy")] for row in rows] == ["1.25", MISSING]
    assert [row[heads.index("run delay")] for row in rows] == ["150.0", MISSING]
    svg = time_order.calm(run, trials_of({"a": [1000, 1000]}))
    assert svg is not None
    assert "1.25 to 1.25" in texts(svg)


@pytest.mark.parametrize("length", [20, 33, 40, 60])
def test_a_long_note_leaves_the_label_where_it_is_seen(length: int) -> None:
    run = traced(a_label={"x" * length: 1.0})
    found = texts(stages(run, NARROW))
    assert "a_label" in found
    assert [text for text in found if text.startswith("1.00 ms, xxx")]


def test_a_probe_under_its_limit_stands_under_a_broken_line() -> None:
    run = a_run(a_row("a"), blocks=2, calm=CALM)
    svg = time_order.calm(run, trials_of({"a": [1000, 1000]}))
    assert svg is not None
    assert svg.count("stroke-dasharray") == 1  # hashing's; copying's is beyond the edge


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_label_is_text_in_these_charts_too(width: int) -> None:
    named = {label: {SCRIPT: 1.0} for label in HOSTILE}
    run = replace(traced(**named), calm=CALM, blocks=2)
    trials = trials_of({label: [1000, 900] for label in HOSTILE})
    for svg in (stages(run, width), blocks(run, trials, width), epochs(run, width)):
        assert svg is not None
        assert SCRIPT not in svg
        assert not any(element.tag.endswith("script") for element in ET.fromstring(svg).iter())


def test_the_same_run_gives_the_same_characters_in_these_charts_too() -> None:
    run, trials = traced(a={"decode": 1.0}), trials_of({"a": [1000, 900]})
    once, again = (
        (stages(run), blocks(run, trials), epochs(run), time_order.calm(run, trials))
        for run in [replace(run, calm=CALM)] * 2
    )
    assert once == again
