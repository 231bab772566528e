"""What `feedbench verify` prints."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from feedbench.bench.records.checks.verification import Verification, Verified
from feedbench.bench.records.proof import Counts, Proof
from feedbench.reports.terminal.verification import show
from tests.support.builders import SCRIPT, WORKLOAD, a_distance, a_proof, a_shuffle

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
ADVICE = "Give --out DIR to see the images as each pipeline delivers them."
LONG = ["x" * 200, "mine=a/long/way/to/loader.py:photos," + "y" * 80, "猫" * 60, "[red]x[/red]"]
WORST = a_proof(
    "different",
    counts=Counts(
        images=123_456, missing=12_345, doubled=23_456, unknown=34_567, wrong_labels=45_678
    ),
    compared=123_456,
    from_sampled=a_distance(254.9),
    shuffle=a_shuffle("partial", ahead=99_999, with_list=0.99, with_neighbour=-0.99),
)


def found(proofs: Mapping[str, Proof | str | None]) -> Verification:
    """What came of these pipelines: a proof, or how it failed."""
    verified = [
        Verified(label=label, spec=label, proof=of, failure=None)
        if isinstance(of, Proof)
        else Verified(label=label, spec=label, failure=of)
        for label, of in proofs.items()
    ]
    return Verification(workload=WORKLOAD, pipelines=verified)


def printed(of: Verification, columns: int | None = None, sheets: Path | None = None) -> str:
    """What comes out on a terminal of so many columns, or in a file where there is no terminal."""
    file = io.StringIO()
    is_terminal = columns is not None
    show(of, Console(width=columns, force_terminal=is_terminal, file=file, no_color=True), sheets)
    return ESCAPE.sub("", file.getvalue())


def rows(of: Verification, label: str, columns: int | None = None) -> list[list[str]]:
    """The cells of a pipeline in each table."""
    lines = printed(of, columns).splitlines()
    return [line.removeprefix(label).split() for line in lines if line.startswith(f"{label}  ")]


def unbroken(text: str) -> str:
    return " ".join(text.split())


def test_each_pipeline_has_its_word_its_distances_its_images_and_its_shuffle() -> None:
    assert rows(found({"naive": a_proof(), "keras": a_proof("near")}), "naive") == [
        ["same", "600", "0.00", "0.01", "0.01", "1.87", "22.4", "9.35"],
        ["600,", "each", "once", "full", "0.02", "-0.01", "0.03", "3.00", "3.00"],
    ]
    assert rows(found({"naive": a_proof(), "keras": a_proof("near")}), "keras")[0] == [
        *("near", "600", "1.87", "22.4", "9.35", "0.00", "0.00", "0.00")
    ]


def test_the_first_line_says_what_was_compared() -> None:
    first = printed(found({"naive": a_proof()})).splitlines()[0]
    assert first == "3,670 images in 3 classes, delivered as 180x240x3 float32 in [0, 1]"


def test_a_pipeline_that_failed_says_so_in_each_table_and_why_below() -> None:
    of = found({"naive": a_proof(), "mine": "it raised OSError: gone."})
    assert rows(of, "mine") == [["failed"], ["failed"]]
    assert "\n  mine failed: it raised OSError: gone." in printed(of)
    assert "gone.." not in printed(of)


def test_why_a_pipeline_failed_may_not_be_known() -> None:
    assert "  mine failed: it is not known why." in printed(found({"mine": None}))


def test_where_every_pipeline_failed_the_tables_stand_all_the_same() -> None:
    of = found({"a": "it hung", "b": "it raised"})
    assert rows(of, "a") == rows(of, "b") == [["failed"], ["failed"]]


def test_what_is_not_the_same_is_said_in_a_sentence_with_its_reason() -> None:
    text = unbroken(
        printed(found({"naive": a_proof(), "b": a_proof("near"), "c": a_proof("different")}))
    )
    assert "naive:" not in text
    assert "b: near images: its pixels are 0.00 grey levels from Pillow's antialiased" in text
    assert "c: different images: its pixels match swapped red and blue channels, 34.9 grey" in text


def test_wrong_counts_are_said() -> None:
    counts = Counts(images=599, missing=1, first_missing="daisy/7.jpg")
    of = found({"mine": a_proof(counts=counts)})
    assert rows(of, "mine")[1][:2] == ["1", "missing"]
    said = "mine: different images: 1 image missing (daisy/7.jpg); expected every"
    assert said in unbroken(printed(of))


def test_a_worse_shuffle_is_said() -> None:
    of = found({"mine": a_proof(shuffle=a_shuffle("none"))})
    assert "mine does not shuffle, which is less work: a batch has 1.11" in unbroken(printed(of))


def test_the_last_line_says_where_the_sheets_lie_or_how_to_get_them_where_they_are_of_use() -> None:
    equal, unequal = (
        found({"a": a_proof("near")}),
        found({"a": a_proof(), "b": a_proof("different")}),
    )
    assert printed(unequal).splitlines()[-1] == ADVICE
    assert ADVICE not in printed(equal)
    for of in (equal, unequal):
        last = printed(of, sheets=Path("/sheets")).splitlines()[-1]
        assert last == "The contact sheets are in /sheets"


def test_the_folder_of_the_sheets_is_shown_whole_however_long_it_is() -> None:
    sheets = Path("/") / ("sheets/" * 60)
    text = printed(found({"a": a_proof()}), 80, sheets)
    assert f"The contact sheets are in {sheets}" in text.replace("\n", "")


@pytest.mark.parametrize("label", ["tfdata_naive", *LONG])
@pytest.mark.parametrize("columns", [None, 200, 100, 99, 80])
def test_no_line_is_wider_than_the_terminal(label: str, columns: int | None) -> None:
    text = printed(
        found({"naive": a_proof(), label: WORST, "c": "it raised " + "z" * 150}), columns
    )
    assert max(map(cell_len, text.splitlines())) <= (columns or 100)


@pytest.mark.parametrize("label", ["tfdata_naive", *LONG])
@pytest.mark.parametrize("columns", [100, 80])
def test_nothing_is_cut_short_however_much_there_is_to_say(label: str, columns: int) -> None:
    text = printed(found({label: WORST}), columns)
    assert "…" not in text
    for figure in ("123,456", "255", "3,059", "100,000", "0.99", "-0.99", "different"):
        assert figure in text
    for fault in ("12,345 missing,", "23,456 doubled,", "34,567", "45,678", "classes", "worst"):
        assert fault in text


@pytest.mark.parametrize("columns", [100, 80])
def test_the_labels_of_our_pipelines_are_never_broken(columns: int) -> None:
    label = "image_data_generator"
    of = found({label: a_proof("near"), "b": WORST})
    tables = re.findall(r"^─", printed(of, columns), re.MULTILINE)
    assert len(rows(of, label, columns)) == len(tables)


@pytest.mark.parametrize("label", ["[red]x[/red]", "[/red]", SCRIPT])
def test_a_label_or_a_reason_is_shown_as_it_is_and_never_read_as_markup(label: str) -> None:
    of = found({label: a_proof("different", reason=f"it is {label}"), "b": f"{label} raised"})
    assert rows(of, label)[0][0] == "different"
    assert f"  {label}: different images: it is {label}." in printed(of)
    assert f"  b failed: {label} raised." in printed(of)


def test_no_character_of_what_is_shown_acts_on_the_terminal() -> None:
    odd = "b\x1b[31m\x07\x9b"
    of = found({odd: a_proof("different", reason=odd), "c": odd})
    file = io.StringIO()
    show(of, Console(file=file), Path(f"/{odd}"))
    assert all(char.isprintable() or char == "\n" for char in file.getvalue())
    assert file.getvalue().count(r"b\x1b[31m\x07\x9b") >= 6


def test_the_form_of_batches_that_are_no_pairs_is_a_line() -> None:
    form = "it delivers dicts: 'image' and 'label' are compared, and nothing else"
    assert f"\n  mine: {form}.\n" in printed(found({"mine": a_proof(forms=[form])}), columns=100)
