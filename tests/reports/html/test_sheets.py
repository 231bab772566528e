"""The contact sheets that a page gets from its run's folder."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import msgspec
import pytest

from feedbench.bench.records.proof import Shown
from feedbench.bench.records.run import PipelineRecord, RunRecord
from feedbench.reports.html import sheets
from tests.support.builders import a_proof, a_row, a_run, a_strip, empty_row, with_samples

RUN = a_run(a_row("tfdata_naive", proof=a_proof()), a_row("mine", proof=a_proof("different")))
NAIVE, MINE = "tfdata-naive.webp", "mine.webp"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "R").mkdir()
    return with_samples(tmp_path / "R", RUN)


def labels(folder: Path, run: RunRecord = RUN) -> list[str | None]:
    return [sheet.label for sheet in sheets.read(folder, run)]


def with_slug(slug: str) -> RunRecord:
    """The run, as if its second pipeline's files were named so."""
    named = [RUN.pipelines[0], PipelineRecord("mine", "mine", slug)]
    return msgspec.structs.replace(RUN, pipelines=named)


def captions(*shown: Shown) -> tuple[tuple[str, bool], ...]:
    """The captions of a pipeline that delivers these."""
    return tuple(map(sheets.caption, shown))


def test_the_reference_comes_first_and_then_the_pipelines_in_the_order_of_the_rows(
    folder: Path,
) -> None:
    assert labels(folder) == [None, "tfdata_naive", "mine"]
    other_way = msgspec.structs.replace(RUN, rows=RUN.rows[::-1])
    assert labels(folder, other_way) == [None, "mine", "tfdata_naive"]


def test_a_sheet_holds_its_picture_as_it_lies_in_the_folder(folder: Path) -> None:
    for sheet, file in zip(sheets.read(folder, RUN), ["_reference.webp", NAIVE, MINE], strict=True):
        start, _, encoded = sheet.source.partition(",")
        assert start == "data:image/webp;base64"
        assert base64.b64decode(encoded) == (folder / "samples" / file).read_bytes()


def test_a_sheet_says_what_work_it_shows(folder: Path) -> None:
    assert [sheet.work for sheet in sheets.read(folder, RUN)] == ["", "same", "different"]


def test_each_image_has_its_class_below_it(folder: Path) -> None:
    expected = (("daisy", False), ("rose", False))
    assert [sheet.captions for sheet in sheets.read(folder, RUN)] == [expected] * 3


def test_a_class_that_is_delivered_as_another_is_told_to_be_wrong() -> None:
    shown = Shown(file="rose/1.jpg", class_name="rose", delivered_as="tulip")
    assert captions(shown) == (("tulip, not rose", True),)


def test_an_image_that_did_not_come_is_told_to_be_wrong() -> None:
    assert captions(Shown(file="rose/1.jpg", class_name="rose")) == (("rose: not delivered", True),)


def test_whoever_does_not_see_the_pictures_is_told_what_they_show(folder: Path) -> None:
    assert [sheet.alt for sheet in sheets.read(folder, RUN)] == [
        "daisy, rose as they should be delivered.",
        "Above, daisy, rose as tfdata_naive delivers them. Below, how they differ.",
        "Above, daisy, rose as mine delivers them. Below, how they differ.",
    ]


def test_the_reference_is_captioned_with_what_should_have_come(tmp_path: Path) -> None:
    wrong = [Shown(file="rose/1.jpg", class_name="rose", delivered_as="tulip")]
    run = a_run(a_row("mine", proof=a_proof(sheet=wrong)))
    reference, mine = sheets.read(with_samples(tmp_path, run), run)
    assert reference.captions == (("rose", False),)
    assert mine.captions == (("tulip, not rose", True),)


def test_a_pipeline_whose_picture_is_missing_is_left_out(folder: Path) -> None:
    (folder / "samples" / NAIVE).unlink()
    assert labels(folder) == [None, "mine"]


def test_where_the_references_picture_is_missing_the_others_are_shown(folder: Path) -> None:
    (folder / "samples" / "_reference.webp").unlink()
    assert labels(folder) == ["tfdata_naive", "mine"]


def test_a_reference_alone_is_not_shown(folder: Path) -> None:
    for file in (NAIVE, MINE):
        (folder / "samples" / file).unlink()
    assert labels(folder) == []


def test_a_run_without_samples_or_proofs_has_no_sheets(folder: Path, tmp_path: Path) -> None:
    assert labels(tmp_path) == []
    assert labels(folder, a_run(a_row("tfdata_naive"), empty_row("mine", "it raised"))) == []
    bare = a_run(a_row("tfdata_naive", proof=a_proof(sheet=[])))
    assert labels(folder, bare) == []


def test_a_picture_that_is_too_large_for_a_strip_is_left_out(folder: Path) -> None:
    file = folder / "samples" / MINE
    whole = file.read_bytes()
    file.write_bytes(whole.ljust(200_000, b"\0"))
    assert labels(folder) == [None, "tfdata_naive", "mine"]
    file.write_bytes(whole.ljust(200_001, b"\0"))
    assert labels(folder) == [None, "tfdata_naive"]


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"<svg onload='alert(1)'/>", b"\x89PNG\r\n\x1a\n", b"RIFF1234WAVE"]
)
def test_what_is_no_webp_is_left_out(content: bytes, folder: Path) -> None:
    (folder / "samples" / MINE).write_bytes(content)
    assert labels(folder) == [None, "tfdata_naive"]


def test_what_is_no_file_is_left_out(folder: Path) -> None:
    (folder / "samples" / MINE).unlink()
    (folder / "samples" / MINE).mkdir()
    (folder / "samples" / NAIVE).unlink()
    os.mkfifo(folder / "samples" / NAIVE)  # whoever reads it waits for ever
    assert labels(folder) == []


@pytest.mark.parametrize(
    "slug",
    [
        *("../x", "..", "", "/x", "a/b", "x\0", "_reference", "MINE", "x" * 300, "y" * 248),
        *('"><script>alert(1)</script>', "javascript:alert(1)", "x?y#z", "mine "),
    ],
)
def test_a_name_that_no_run_gives_its_files_leads_to_none(slug: str, folder: Path) -> None:
    for name in ("x.webp", "x_full.webp", "samples/b.webp", "samples/.webp", "samples/...webp"):
        a_strip(folder / name)
    a_strip(folder / "samples" / "a" / "b.webp")
    a_strip(folder / "samples" / f"{'y' * 248}.webp")  # of which no sheet in full could be named
    assert labels(folder, with_slug(slug)) == [None, "tfdata_naive"]


def test_the_sheet_in_full_is_named_only_where_it_is_there(folder: Path) -> None:
    assert [sheet.full for sheet in sheets.read(folder, RUN)] == [None, None, None]
    a_strip(folder / "samples" / "mine_full.webp")
    found = [sheet.full for sheet in sheets.read(folder, RUN)]
    assert found == [None, None, "samples/mine_full.webp"]


def test_a_pipeline_that_the_run_does_not_name_has_no_sheet(folder: Path) -> None:
    assert labels(folder, msgspec.structs.replace(RUN, pipelines=[])) == []
