from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import Resumed
from feedbench.reports.sentences.notes import notes, warnings
from feedbench.reports.terminal.run import show
from tests.reports.terminal.printing import (
    FOLDER,
    PHASES,
    PREPARATIONS,
    SPEED,
    USED,
    cells,
    lines,
    printed,
    tables,
    titles,
    unbroken,
)
from tests.support.builders import (
    NOT_COMPARED,
    a_part,
    a_preparation,
    a_proof,
    a_row,
    a_run,
    a_shuffle,
    compared,
    empty_row,
)
from tests.support.runs.calms import a_calm


def test_a_row_holds_the_rate_the_comparison_and_the_phases() -> None:
    run = a_run(a_row("naive"), compared("tuned", 4.5, "faster"), best=["tuned"])
    phases = ["0.532", "4.40", "0.012", "3.67"]
    assert cells(run, "naive") == ["1,000", "2.0"]
    assert cells(run, "tuned") == ["4,500", "2.0", "4.50", "4.41-4.59", "faster"]
    assert cells(run, "naive", PHASES) == cells(run, "tuned", PHASES) == phases


def test_a_row_ends_in_its_work_and_in_how_it_shuffles() -> None:
    row = compared(
        "tuned", 4.5, "faster", proof=a_proof("near", shuffle=a_shuffle("partial", ahead=999))
    )
    run = a_run(a_row("naive", proof=a_proof()), row, a_row("other"))
    assert cells(run, "naive") == ["1,000", "2.0", "same", "full"]
    assert cells(run, "tuned")[-3:] == ["faster", "near", "1,000"]
    assert cells(run, "other") == ["1,000", "2.0"]
    assert titles(run)[SPEED].split()[-3:] == ["verdict", "work", "shuffle"]


def test_a_verdict_that_is_withheld_stands_beside_the_work_that_is_different() -> None:
    row = compared("odd", 4.5, "withheld", withheld="work", proof=a_proof("different"))
    run = a_run(a_row("naive", proof=a_proof()), row)
    assert cells(run, "odd")[-3:] == ["withheld", "different", "full"]


def test_the_columns_are_named_with_their_units() -> None:
    run = a_run(a_row("a", proof=a_proof()), compared("b", 4.5, "faster", proof=a_proof()))
    speed, phases = titles(run)
    expected = ["pipeline", "images/s", "±", "%", "ratio", "interval", "verdict", "work", "shuffle"]
    assert speed.split() == expected
    assert phases.split() == ["pipeline", "batch", "s", "epoch", "s", "over", "s", "epoch", "s"]


def test_the_epoch_is_the_whole_folders_where_a_part_was_measured() -> None:
    assert cells(a_run(a_row("a")), "a", PHASES)[-1] == "3.67"
    assert cells(a_part(a_run(a_row("a"))), "a", PHASES)[-1] == "36.7"


def test_the_order_is_heading_tables_answer_notes_and_where_the_run_lies() -> None:
    run = a_run(a_row("naive"), compared("tuned", 4.5, "faster"), best=["tuned"])
    text = printed(run)
    parts = ["all 3,670 images", "images/s", "epoch s", "tuned is the fastest", "How sure: "]
    parts += [f"  {NOT_COMPARED}", "The run is in"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.endswith("The run is in /runs/today\n")


def test_what_changes_nothing_for_the_reader_of_the_tables_is_on_the_page_only() -> None:
    rows = [
        a_row("naive", proof=a_proof()),
        a_row("keras", proof=a_proof("near"), preparation=a_preparation()),
        a_row("odd", proof=a_proof("different")),
    ]
    run = a_run(*rows, calm=a_calm(3), resumed=[Resumed(at="at noon", blocks=2, left_out=0)])
    shown = unbroken(printed(run))
    for note in warnings(run):
        assert note in shown
    quiet = [note for note in notes(run) if note not in warnings(run)]
    assert [note[:11] for note in quiet] == [
        "keras: its ",
        "The run was",
        "keras (near",
        "Same images",
        "The machine",
    ]
    assert not [note for note in quiet if note in shown]


def test_how_sure_the_answer_is_takes_one_sentence() -> None:
    best = compared("tuned", 4.5, "faster")
    run = a_run(a_row("naive"), best, best=["tuned"], control=(1.0, 0.98, 1.02))
    assert (
        "How sure: 99% confidence from 8 blocks; the baseline's own copy ran at 1.00 times its rate"
        " (0.980 to 1.02)."
    ) in unbroken(printed(run))
    few = a_run(a_row("naive"), blocks=2, control=None)
    assert (
        "How sure: not at all yet; after 2 blocks the differences may be due to chance."
        in lines(few)
    )
    first = a_row("tuned", ratio=40.0, ratio_width=0.11)
    early = unbroken(printed(a_run(a_row("naive"), first, blocks=3, control=None)))
    assert "So far, tuned has about 40 times (±11%) the rate of naive." in early
    assert "How sure: roughly. ± is 95% confidence from 3 blocks; verdicts need more." in early
    assert "How sure" not in printed(a_run(blocks=0))


def test_what_was_not_measured_is_failed_and_otherwise_empty() -> None:
    run = a_run(a_row("naive"), empty_row("mine", "it raised OSError: gone"))
    assert lines(run).count("mine        failed") == 1
    assert "  mine failed: it raised OSError: gone." in lines(run)


def test_what_had_no_turn_is_not_said_to_have_failed() -> None:
    run = a_run(a_row("naive"), empty_row("mine"), blocks=0)
    assert lines(run).count("mine      not measured") == 1
    assert "failed" not in printed(run)


def test_figures_that_are_missing_are_left_empty() -> None:
    bare = Row(label="bare", spec="bare", blocks=2, rate=123.0, ratio=2.0)
    run = a_run(a_row("naive"), bare, blocks=2)
    assert cells(run, "bare") == ["123", "2.00"]
    assert "bare" in tables(run)[PHASES]


def test_a_rate_without_an_upper_end_has_no_spread() -> None:
    assert cells(a_run(a_row("a", rate_high=None)), "a") == ["1,000"]


@pytest.mark.parametrize("label", ["[red]x[/red]", "[/red]", "<i>x</i>"])
def test_a_label_is_shown_as_it_is_and_never_read_as_markup(label: str) -> None:
    row = compared(label, 4.5, "faster", remarks=["[b]bold[/b]"], failures=["[b]it[/b] raised"])
    run = a_run(a_row("naive"), row, best=[label])
    assert cells(run, label)[0] == "4,500"
    text = printed(run)
    assert f"{label} is the fastest" in text
    assert f"  {label}: [b]bold[/b]." in text
    assert f"  {label} failed: [b]it[/b] raised." in text


def test_no_character_of_a_label_or_a_message_acts_on_the_terminal() -> None:
    label = "mine\x1b[31m\x9b1m\x07"
    row = compared(label, 4.5, "faster", remarks=["a\x1b[2Jb"], failures=["c\rd\ne"])
    file = io.StringIO()
    run = a_run(a_row("naive"), row, best=[label])
    show(run, Path("/runs/\x1b[0m"), Console(file=file))
    text = file.getvalue()
    assert all(char.isprintable() or char == "\n" for char in text)
    for said in (r"mine\x1b[31m\x9b1m\x07  ", r"a\x1b[2Jb.", "failed: c d e.", r"/runs/\x1b[0m"):
        assert said in text


@pytest.mark.parametrize("columns", [None, 80])
def test_a_run_of_nothing_can_be_shown(columns: int | None) -> None:
    assert "Nothing was measured." in lines(a_run(blocks=0), columns)


def test_what_a_pipeline_used_stands_beside_its_phases_and_what_was_prepared_for_it_apart() -> None:
    row = a_row("records", preparation=a_preparation(naive=142.3), **USED)
    run = a_run(a_row("naive"), row)
    assert cells(run, "records", PHASES)[4:] == ["1.06", "91.0", "833", "MB"]
    assert cells(run, "records", PREPARATIONS) == ["2.10", "37.1", "MB", "143"]


def test_only_what_was_prepared_stands_in_the_table_of_preparations() -> None:
    run = a_run(a_row("naive"), a_row("records", preparation=a_preparation(naive=142.3)))
    assert len(tables(run)) == 3
    assert [line.split()[0] for line in tables(run)[PREPARATIONS]] == ["records"]
    assert len(tables(a_run(a_row("naive")))) == 2


def test_a_column_of_which_nothing_is_known_is_left_out() -> None:
    text = printed(a_run(a_row("a", cpu_utilisation=0.5)))
    assert "CPU %" in text
    assert "peak" not in text
    assert "pays off" not in text


@pytest.mark.parametrize(
    ("epochs", "said"),
    [
        ({"a": None}, "never"),
        ({"a": 3.0, "b": None}, "3 to never"),
        ({"a": 40.0, "b": 2.5}, "3 to 40"),
        ({"a": 2.5, "b": 3.0}, "3"),
    ],
)
def test_the_epochs_until_a_preparation_has_paid_are_told_from_least_to_most(
    epochs: dict[str, float | None], said: str
) -> None:
    row = a_row("records", preparation=a_preparation(**epochs))
    assert any(line.endswith(f"37.1 MB  {said:>12}") for line in lines(a_run(row)))


def test_the_last_line_says_where_the_report_lies_where_there_is_one() -> None:
    file = io.StringIO()
    show(a_run(a_row("a")), FOLDER, Console(file=file), FOLDER / "report.html")
    assert file.getvalue().endswith("The report is /runs/today/report.html\n")
    assert "The run is in" not in file.getvalue()
