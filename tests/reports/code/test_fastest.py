"""The fastest pipelines as code: which ones, in which order, and what is said of them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from feedbench.bench.processes.workload_file import write_workload
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.pipelines.contract import Workload
from feedbench.reports.code import fastest
from feedbench.reports.html import page
from tests.support.builders import (
    a_part,
    a_proof,
    a_row,
    a_run,
    a_run_folder,
    compared,
    empty_row,
    trials_of,
    workload_over,
)


@pytest.fixture
def images(photos: Path, tmp_path: Path) -> fastest.Images:
    work = workload_over(photos)
    write_workload(work, tmp_path / "images.json")
    found = fastest.listed(tmp_path, measured(work, NAIVE))
    assert found is not None
    return found


def measured(work: Workload, *rows: Row, best: Sequence[str] = ()) -> RunRecord:
    """A run over these images."""
    run = a_run(*rows, best=list(best))
    names = ("images", "folder_images", "height", "width", "batch_size", "seed")
    return replace(run, workload=replace(run.workload, **{it: getattr(work, it) for it in names}))


def order(run: RunRecord, images: fastest.Images) -> list[str]:
    return [label for label, _ in fastest.codes(run, images)]


NAIVE = a_row("tfdata_naive")
TUNED = compared("fast", 2, "faster", spec="tfdata_tuned")
OWN = compared("mine", 3, "faster", spec="loader.py:photos")


def test_the_best_comes_first_and_then_by_rate(images: fastest.Images) -> None:
    other = compared("tfrecord_gzip", 5, "inconclusive")
    assert order(a_run(NAIVE, TUNED, other, best=["fast"]), images) == [
        "fast",
        "tfrecord_gzip",
        "tfdata_naive",
    ]


@pytest.mark.parametrize(
    "word", ["--labels", "--classes-from=leaf", "--follow-links", "--feedbench-labels"]
)
def test_where_class_folders_alone_do_not_tell_the_files_the_code_reads_the_list(
    images: fastest.Images, word: str
) -> None:
    run = a_run(NAIVE)
    (walked,) = [code for _, code in fastest.codes(run, images)]
    (listed,) = [code for _, code in fastest.codes(replace(run, command=[word]), images)]
    assert "os.walk" in walked
    assert "os.walk" not in listed


def test_who_does_other_work_comes_last_and_who_has_no_rate_not_at_all(
    images: fastest.Images,
) -> None:
    other = compared("less=tfdata_tuned", 9, "withheld", spec="tfdata_tuned", withheld="work")
    odd = a_row("odd", math.nan, spec="tfdata_tuned")
    run = a_run(NAIVE, TUNED, other, odd, empty_row("tfrecord_gzip", "it raised"), best=["fast"])
    assert order(run, images) == ["fast", "tfdata_naive", "less=tfdata_tuned"]


@pytest.mark.parametrize(
    ("best", "said"),
    [
        (["fast"], "fast is the fastest."),
        (["fast", "tfdata_naive"], "Of fast and tfdata_naive, fast has the highest rate."),
        ([], "fast has the highest rate, but it is not shown to be the fastest."),
    ],
)
def test_it_is_said_whether_it_is_shown_to_be_the_fastest(
    best: list[str], said: str, images: fastest.Images
) -> None:
    run = a_run(NAIVE, TUNED, best=best)
    assert fastest.sentence(run, fastest.codes(run, images)).startswith(said)


def test_a_loader_of_ones_own_is_said_to_be_that_and_the_others_have_their_code(
    images: fastest.Images,
) -> None:
    run = a_run(NAIVE, TUNED, OWN, best=["mine"])
    codes = fastest.codes(run, images)
    assert [label for label, _ in codes] == ["fast", "tfdata_naive"]
    assert fastest.sentence(run, codes) == (
        "mine is your own loader, loader.py:photos: you have its code already. This is the code"
        " of the others:"
    )


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{}", '{"files": 3}', "null", "\x00", "[" * 100_000]
)
def test_where_the_list_of_images_is_missing_or_something_else_there_is_no_code(
    content: str | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "images.json").write_text(content)
    run = a_run(NAIVE, best=["tfdata_naive"])
    images = fastest.listed(tmp_path, run)
    assert images is None
    assert fastest.sentence(run, fastest.codes(run, images)) == (
        "The code of tfdata_naive is not available."
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("batch_size", "8\n__import__('os').system('true')  #"),
        ("batch_size", 0),
        ("seed", "0"),
        ("labels", [0, 7]),
        ("labels", [0]),
        ("labels", [-1] * 39),
        ("files", [["a"], "b"]),
        ("value_range", [0, 0]),
        ("value_range", [0, math.nan]),
        ("height", math.inf),
        ("dtype", "evil"),
        ("folder", None),
        ("folder_images", "39"),
        ("width", 33),  # of another run
    ],
)
def test_a_list_that_is_not_of_this_run_or_holds_what_is_no_figure_gives_no_code(
    field: str, value: object, photos: Path, tmp_path: Path
) -> None:
    file = tmp_path / "images.json"
    work = workload_over(photos)
    run = measured(work, NAIVE)
    write_workload(work, file)
    assert fastest.listed(tmp_path, run) is not None
    file.write_text(json.dumps(json.loads(file.read_text()) | {field: value}))
    assert fastest.listed(tmp_path, run) is None


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "images.json")
    assert fastest.listed(tmp_path, a_run(NAIVE)) is None


def test_of_a_part_it_is_said_that_the_code_takes_all_images(images: fastest.Images) -> None:
    run = a_run(NAIVE, best=["tfdata_naive"])
    whole = fastest.sentence(run, fastest.codes(run, images))
    assert whole.endswith("It delivers the batches that were measured.")
    part = fastest.sentence(a_part(run), fastest.codes(a_part(run), images))
    assert part.endswith(
        "It uses all 3,670 images of the folder; 512 of them were measured, and the others were"
        " not checked."
    )


def test_work_that_is_different_is_never_what_is_to_be_pasted_first(images: fastest.Images) -> None:
    """Under four blocks nothing is withheld."""
    other = a_row("cheat", 9000.0, spec="tfdata_tuned", proof=a_proof("different"))
    run = a_run(replace(NAIVE, proof=a_proof()), other, blocks=3)
    codes = fastest.codes(run, images)
    assert [label for label, _ in codes] == ["tfdata_naive", "cheat"]
    assert fastest.sentence(run, codes).startswith(
        "Of those that deliver the same images, tfdata_naive has the highest rate, but"
    )


def test_where_nothing_was_measured_nothing_is_said() -> None:
    assert fastest.sentence(a_run(empty_row("a", "it raised")), []) == ""


def test_the_page_has_the_code_line_by_line_and_escaped(photos: Path, tmp_path: Path) -> None:
    work = workload_over(photos)
    run = measured(work, NAIVE, TUNED, best=["fast"])
    folder = a_run_folder(tmp_path / "R", run, trials_of({"tfdata_naive": [1000]}))
    write_workload(work, folder / "images.json")
    text = page.read(folder)
    assert '<h2 id="code">' in text
    assert "\nimport tensorflow as tf\n" in text
    assert "tf.data.Dataset" in text
    assert f"FOLDER = &#39;{photos}&#39;" in text or f"FOLDER = &#34;{photos}&#34;" in text
    assert text.count("<details open>") == 1


def test_the_code_of_a_trial_on_few_cores_is_limited_to_them(images: fastest.Images) -> None:
    run = a_run(NAIVE, TUNED)
    first, second = run.pipelines
    run = replace(run, pipelines=[first, replace(second, cores=[0, 2])])
    texts = dict(fastest.codes(run, images))
    limit = "import os\n\nos.sched_setaffinity(0, {0, 2})  # before TensorFlow counts the cores\n\n"
    assert texts["fast"].startswith(limit)
    compile(texts["fast"], "fast.py", "exec")
    assert "sched_setaffinity" not in texts["tfdata_naive"]
