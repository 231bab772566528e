"""The columns on equal work and shuffle, in markdown and CSV; the page has the same."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from feedbench.bench.records.proof import Counts, Proof, Shuffle
from feedbench.bench.records.run import RunRecord
from feedbench.reports import formats, markdown
from feedbench.reports.tables import frames
from feedbench.reports.tables.full import tables
from feedbench.reports.text.figures import MISSING
from tests.support.builders import (
    SCRIPT,
    a_proof,
    a_row,
    a_run,
    a_run_folder,
    a_shuffle,
    compared,
    empty_row,
)

NOTHING = a_proof(from_sampled=None, from_filtered=None, compared=0, shuffle=a_shuffle("unknown"))


def cells(run: RunRecord, name: str, label: str) -> list[str]:
    """A row's cells in the table of that name."""
    (found,) = [found for found in tables(run) if found.name == name]
    return list(found.cells[label])


def one(proof: Proof, name: str) -> list[str]:
    return cells(a_run(a_row("a", proof=proof)), name, "a")


def of_csv(tmp_path: Path, run: RunRecord) -> list[dict[str, str]]:
    text = formats.render("csv", a_run_folder(tmp_path / "R", run, []))
    return list(csv.DictReader(io.StringIO(text)))


def test_speed_ends_in_work_and_shuffle() -> None:
    partial = a_proof("near", shuffle=a_shuffle("partial"))
    run = a_run(a_row("a", proof=a_proof()), compared("b", 2, "faster", proof=partial), a_row("c"))
    assert [cells(run, "speed", label)[-2:] for label in "abc"] == [
        ["same", "full"],
        ["near", "100"],
        [MISSING, MISSING],
    ]


def test_the_check_by_signed_ranks_stands_beside_the_interval_where_there_is_one() -> None:
    checked = compared("b", 1.1, "faster", ranks_low=1.07, ranks_high=1.13)
    run = a_run(a_row("a"), checked, compared("c", 1.2, "faster"))
    assert [cells(run, "speed", label)[3:5] for label in "abc"] == [
        [MISSING, MISSING],
        ["1.08-1.12", "1.07-1.13"],
        ["1.18-1.22", MISSING],
    ]
    few = a_run(a_row("a"), compared("b", 1.1, "faster"))
    assert cells(few, "speed", "b")[3:5] == ["1.08-1.12", "faster"]


def test_equal_work_shows_the_images_and_the_distance_from_each_reference() -> None:
    assert one(a_proof(), "work") == [
        *("same", "600, each once", "600"),
        *("0.00", "0.01", "0.01", "1.87", "22.4", "9.35"),
    ]
    assert one(a_proof("near"), "work")[3:] == ["1.87", "22.4", "9.35", "0.00", "0.00", "0.00"]


def test_equal_work_shows_what_is_wrong_with_the_images() -> None:
    counts = Counts(images=599, missing=2, doubled=1)
    assert one(a_proof(counts=counts), "work")[:2] == ["different", "2 missing, 1 doubled"]


def test_the_shuffle_shows_its_correlations_and_the_classes_of_its_batches() -> None:
    found = a_proof(shuffle=a_shuffle("partial", ahead=1234, with_neighbour=-0.004))
    assert one(found, "shuffle") == ["partial", "1,234", "0.98", "0.00", "0.97", "1.11", "3.00"]


def test_what_was_not_compared_is_a_dash_and_never_a_zero() -> None:
    assert one(NOTHING, "work")[2:] == ["0", *[MISSING] * 6]
    assert one(NOTHING, "shuffle") == ["unknown", *[MISSING] * 6]


def test_only_pipelines_that_were_compared_have_a_row_there() -> None:
    run = a_run(a_row("a", proof=a_proof()), a_row("b"), empty_row("c", "it raised"))
    found = {table.name: list(table.cells) for table in tables(run)}
    assert found["work"] == found["shuffle"] == ["a"]
    assert found["speed"] == ["a", "b", "c"]


def test_where_nothing_was_compared_there_are_no_such_tables() -> None:
    names = [found.name for found in tables(a_run(a_row("a")))]
    assert names == ["speed", "phases", "resources"]


def test_markdown_shows_a_reason_as_it_is_and_calls_nobody() -> None:
    proof = a_proof("different", reason=f"its worst is @someone/{SCRIPT}|`rm`")
    text = " ".join(markdown.render(a_run(a_row("a", proof=proof))).split())
    assert "<script" not in text
    assert r"its worst is &#64;someone/&lt;script&gt;alert(1)&lt;/script&gt;\|\`rm\`." in text


def test_csv_has_every_figure_of_a_proof_under_a_name_that_says_its_unit(tmp_path: Path) -> None:
    proof = a_proof("near", off=2, shuffle=a_shuffle("partial", with_list=-0.5))
    row = compared("b", 2, "withheld", withheld="work", proof=proof)
    (_, found) = of_csv(tmp_path, a_run(a_row("a", proof=a_proof()), row))
    assert (found["verdict"], found["withheld"], found["work"]) == ("withheld", "work", "different")
    assert found["work_reason"].startswith("2 of 600 images have different pixels (daisy/7.jpg")
    counts = {name: found[f"images_{name}"] for name in ("delivered", "compared", "off", "missing")}
    assert counts == {"delivered": "600", "compared": "600", "off": "2", "missing": "0"}
    assert [found[f"images_{name}"] for name in ("doubled", "unknown", "wrong_labels")] == ["0"] * 3
    assert float(found["levels_from_sampled_mean"]) == 1.87
    assert float(found["levels_from_filtered_worst"]) == 0
    assert found["shuffle_kind"] == "partial"
    assert float(found["shuffle_with_list"]) == -0.5
    assert int(found["shuffle_ahead"]) == 99


def test_csv_leaves_empty_what_was_not_compared(tmp_path: Path) -> None:
    rows = of_csv(
        tmp_path, a_run(a_row("a", proof=NOTHING), a_row("b"), a_row("c", proof=a_proof()))
    )
    names = [name for name in rows[0] if name.startswith(("levels_", "shuffle_with", "shuffle_ah"))]
    assert len(names) == 10
    assert {row[name] for row in rows[:2] for name in names} == {""}
    assert {rows[1][name] for name in rows[1] if name.startswith(("work", "images_m"))} == {""}
    assert (rows[0]["work"], rows[0]["shuffle_kind"]) == ("different", "unknown")


@pytest.mark.parametrize("field", list(Shuffle.__struct_fields__))
def test_csv_forgets_no_figure_of_a_shuffle(field: str) -> None:
    assert f"shuffle_{field}" in frames.pipelines(a_run(a_row("a"))).columns


def test_csv_forgets_no_count() -> None:
    columns = frames.pipelines(a_run(a_row("a"))).columns
    no_counts = ("first", "epoch", "are_")
    counts = [name for name in Counts.__struct_fields__ if not name.startswith(no_counts)]
    assert {f"images_{name}" for name in counts if name != "images"} <= set(columns)


@pytest.mark.parametrize("formula", ["=1+1", "@x", "+x"])
def test_no_reason_in_csv_is_a_formula_to_a_spreadsheet(formula: str, tmp_path: Path) -> None:
    run = a_run(a_row("a", proof=a_proof("different", reason=formula)))
    assert of_csv(tmp_path, run)[0]["work_reason"] == f"'{formula}"
