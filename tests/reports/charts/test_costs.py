"""The chart of total times against epochs: what it says as text, and draws."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from feedbench.bench.records.run import RunRecord
from feedbench.reports.charts import costs as costplots
from feedbench.reports.charts.tracks import NARROW, WIDE
from feedbench.reports.sentences import costs
from tests.support.builders import HOSTILE, SCRIPT, a_row, a_run, empty_row
from tests.support.html.drawings import texts


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


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_label_is_text_here_too(width: int) -> None:
    svg = epochs(a_run(*(a_row(label) for label in HOSTILE)), width)
    assert svg is not None
    assert SCRIPT not in svg
    assert not any(element.tag.endswith("script") for element in ET.fromstring(svg).iter())


def test_the_same_run_gives_the_same_characters() -> None:
    assert epochs(two_costs()) == epochs(two_costs())
