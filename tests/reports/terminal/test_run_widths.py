"""What is shown of a run fits into the terminal, and nothing of it is lost."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from feedbench.bench.text import WIDTH
from feedbench.reports.terminal.run import show
from tests.reports.terminal.printing import (
    FOLDER,
    LABELS,
    TUNED,
    USED,
    a_wide_run,
    cells,
    lines,
    printed,
    tables,
    titles,
    unbroken,
)
from tests.support.builders import (
    a_preparation,
    a_row,
    a_run,
    compared,
)


@pytest.mark.parametrize("columns", [None, 100, 80])
def test_no_line_ends_in_a_blank(columns: int | None) -> None:
    run = a_run(a_row("naive"), compared(TUNED, 4.5, "faster", **USED), best=[TUNED])
    assert not [line for line in lines(run, columns) if line != line.rstrip()]


def test_a_name_with_many_knobs_is_broken_between_them() -> None:
    found = lines(a_run(a_row("naive"), compared(TUNED, 4.5, "faster")), 80)
    place = found.index("tfdata_tuned:")
    assert found[place + 1 : place + 3] == ["  cache=none,shuffle=full,", "  prefetch=autotune,"]
    assert found[place + 3].startswith("  parallel_calls=autotune  ")


@pytest.mark.parametrize(
    ("label", "columns", "count"),
    [
        ("tuned", 100, 2),
        ("tuned", 80, 2),
        ("tuned", 60, 3),
        ("image_data_generator", 100, 2),
        ("image_data_generator", 80, 3),
    ],
)
def test_phases_and_what_they_used_stand_in_one_table_where_there_is_room_for_it(
    label: str, columns: int, count: int
) -> None:
    run = a_run(a_row("naive"), compared(label, 4.5, "faster", **USED), best=[label])
    found = [line for of in tables(run, columns) for line in of if line.startswith(f"{label} ")]
    assert len(found) == len(titles(run, columns)) == count
    assert "4.41-4.59" in found[0]
    assert "0.532" in found[1]
    assert found[-1].endswith("1.06   91.0  833 MB")


def test_each_table_is_set_apart_by_an_empty_line() -> None:
    row = a_row("naive", preparation=a_preparation(), **USED)
    for columns, count in ((100, 3), (60, 4)):
        found = lines(a_run(row), columns)
        assert found.count("") == len(titles(a_run(row), columns)) == count
        assert found[found.index("naive delivers 1,000 images/s.") - 1] == ""


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("columns", [None, 200, 100, 92, 91, 80])
def test_no_line_is_wider_than_the_terminal_and_text_is_100_columns_wide_at_most(
    label: str, columns: int | None
) -> None:
    found = lines(a_wide_run(label), columns)
    assert max(map(cell_len, found)) <= (columns or WIDTH)
    answer = [number for number, line in enumerate(found) if not line][-1] + 1
    assert max(map(cell_len, found[answer:])) <= 100


def test_a_table_is_as_wide_as_a_wide_terminal_lets_it_be() -> None:
    run = a_run(a_row("naive"), compared("x" * 60, 4.5, "faster", **USED))
    assert (len(titles(run, 100)), len(titles(run, 200))) == (3, 2)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("columns", [100, 80])
def test_figures_are_never_cut_short_however_long_the_label(label: str, columns: int) -> None:
    text = printed(a_wide_run(label), columns)
    assert "…" not in text
    for figure in ("1,234,500", "1,234", "1,210-1,259", "inconclusive", "12,346", "123,457"):
        assert figure in text
    assert re.search(r"inconclusive  different  100,000$", text, re.MULTILINE)


def test_a_label_is_broken_only_where_two_tables_have_no_room_for_it_either() -> None:
    label = "a" * 40
    run = a_run(a_row("naive"), compared(label, 4.5, "inconclusive"))
    assert sum(line.startswith(f"{label} ") for line in lines(run, 100)) == 2


@pytest.mark.parametrize("columns", [100, 80])
def test_nothing_of_a_long_label_is_lost(columns: int) -> None:
    found = printed(a_run(a_row("ж" * 200)), columns).count("ж")
    assert found == 200 * 3  # in both tables and in the answer


def test_a_long_label_is_broken_before_its_knobs() -> None:
    found = lines(a_run(a_row("naive"), a_row(TUNED, 2000.0)))
    place = found.index("tfdata_tuned:")
    assert found[place + 1].startswith("  cache=none,")


def test_a_short_label_is_not_broken() -> None:
    assert cells(a_run(a_row("tuned:cache=none")), "tuned:cache=none")[0] == "1,000"


@pytest.mark.parametrize("columns", [100, 80])
def test_of_twenty_pipelines_each_has_its_row(columns: int) -> None:
    labels = [f"p{number:02d}" for number in range(20)]
    rows = [compared(label, 1 + place, "faster") for place, label in enumerate(labels)]
    run = a_run(a_row("naive"), *rows, best=[labels[-1]])
    found = re.findall(r"^(p\d\d) ", printed(run, columns), re.MULTILINE)
    assert found == [*labels * 2, "p19"]  # the answer is the last
    said = "p19 is the fastest: 20.0 times the rate of naive (99% interval 19.6 to 20.4)."
    assert said in unbroken(printed(run, columns))


def test_the_folder_is_shown_whole_however_long_it_is() -> None:
    folder = Path("/") / ("runs/" * 60)
    text = printed(a_run(a_row("a")), 80, folder)
    assert f"The run is in {folder}" in text.replace("\n", "")


def test_a_file_gets_100_columns_and_no_colours() -> None:
    file = io.StringIO()
    show(a_wide_run("tuned"), FOLDER, Console(width=300, file=file))
    assert "\x1b" not in file.getvalue()
    assert max(map(cell_len, file.getvalue().splitlines())) <= 100


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("columns", [None, 100, 80])
def test_the_other_tables_are_no_wider_than_the_terminal_either(
    label: str, columns: int | None
) -> None:
    wide = {**USED, "cpu_seconds_per_1000_images": 12_345.6, "peak_memory_bytes": 1.234e11}
    row = a_row(label, preparation=a_preparation(a=12_345.0, b=None), **wide)
    text = printed(a_run(row), columns)
    assert max(map(cell_len, text.splitlines())) <= (columns or WIDTH)
    for figure in ("12,346", "91.0", "123 GB", "37.1 MB", "12,345 to never"):
        assert figure in text
