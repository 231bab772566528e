"""The front door: what it loads, and what it says to a wrong request. No TensorFlow needed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from feedbench.bench.text import listed
from feedbench.reports import formats
from feedbench.reports.html import page, runs_page
from tests.support.builders import a_row, a_run, a_run_folder, compared, trials_of
from tests.support.programs.front_door import COMMAND, Call, Called, a_folder_of


def test_pipelines_lists_what_can_be_run_with_its_knobs(call: Call) -> None:
    out = call("pipelines").out
    for word in ("image_data_generator", "tfdata_naive", "tfdata_tuned", "cache=memory"):
        assert word in out


def test_pipelines_are_as_wide_as_the_terminal(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    knob = next(line for line in call("pipelines").out.splitlines() if "cache=memory" in line)
    assert knob.endswith("(file, memory or none)")  # on one line, for grep
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, call("pipelines").out.splitlines())) <= 60


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "there is no folder nowhere"),
        (["file.txt"], "file.txt is a file"),
        (["empty"], "empty: expected one sub-folder of photos per class; found nothing in it"),
        (["flat"], "found no sub-folder, only files (1)"),
        (["PHOTOS", "--classes", "cats,bats"], "--classes: there is no class bats; found cats"),
        (["PHOTOS", "--labels", "nowhere.csv"], "--labels 'nowhere.csv': expected an existing"),
        (["flat", "--labels", "(b)"], "found paths such as a.jpg"),
        (["PHOTOS", "--check", "well"], "--check 'well': expected none, header or decode"),
        (["PHOTOS", "--bad-images", "drop"], "--bad-images 'drop': expected error or skip"),
        (["PHOTOS", "--max-pixels", "0"], "--max-pixels 0: expected 1 to 178,956,970; Pillow"),
        (["PHOTOS", "--part", "most"], "--part 'most': expected train or validation or test"),
        (["PHOTOS", "-p", "tfdata_tunned"], "did you mean tfdata_tuned?"),
        (["PHOTOS", "-p", "tfdata_tuned:cash=file"], "did you mean cache?"),
        (["PHOTOS", "-p", "tfdata_tuned:cache=disk"], "expects file, memory or none; found 'disk'"),
        (
            ["PHOTOS", "-p", "tfdata_tuned:parallel_calls=0"],
            "expects a whole number from 1 to 1024, autotune or none; found '0'",
        ),
        (["PHOTOS", "-p", "nowhere.py:photos"], "there is no file nowhere.py"),
        (["PHOTOS", "-p", "tfdata_naive", "-p", "tfdata_naive"], "two pipelines have the label"),
        (["PHOTOS", "--image-size", "0"], "--image-size 0x0: expected 1 to"),
        (["PHOTOS", "--image-size", "big"], "--image-size 'big': expected pixels such as 224"),
        (["PHOTOS", "--channels", "2"], "--channels '2': expected 1 or 3"),
        (["PHOTOS", "--dtype", "float64"], "--dtype 'float64': expected float32, "),
        (["PHOTOS", "--range", "0..2"], "--range '0..2': expected 0..1, -1..1, 0..255, "),
        (
            ["PHOTOS", "--dtype", "uint8", "--range", "-1..1"],
            "--range -1..1: expected 0..255 with --dtype uint8\nhint: leave --range out, or",
        ),
        (
            ["PHOTOS", "--label-mode", "one-hot"],
            "--label-mode 'one-hot': expected int, categorical or binary",
        ),
        (["PHOTOS", "--label-mode", "binary"], "--label-mode binary: expected 2 classes;"),
        (["PHOTOS", "--batch-size", "0"], "--batch-size 0: expected 1 or more images"),
        (["PHOTOS", "--time", "soon"], "--time 'soon': expected a time such as"),
        (
            ["PHOTOS", "--time", "5s"],
            "--time 5s is too short for one block of tfdata_tuned: expected",
        ),
        (["PHOTOS", "--page-cache", "hot"], "--page-cache 'hot': expected warm or cold"),
        (["PHOTOS", "--margin", "5"], "--margin '5': expected a share such as 5%"),
        (["PHOTOS", "--limit", "some"], "--limit 'some': expected a number of images, or all"),
        (["PHOTOS", "--out", "flat"], "--out flat: expected a new or empty folder; it is not"),
        (["PHOTOS", "--blocks", "many"], "--blocks 'many': expected a whole number"),
        (["PHOTOS", "--bloks", "4"], "--bloks"),
        (["PHOTOS", "--records", "a.tfrecord"], "--records a.tfrecord: expected no FOLDER as well"),
        (
            ["--records", "a-*.tfrecord"],
            "--records a-*.tfrecord: expected TFRecord files; found no",
        ),
        (["--records", "flat"], "--records flat: expected record files; found a folder"),
        (["--records", "file.txt", "--labels", "(b)"], "--labels: expected no --labels with"),
        (["--records", "file.txt", "--part", "test"], "--part: expected no --part with --records"),
        (["--records", "file.txt", "--out", "flat"], "--out flat: expected a new or empty folder"),
        (["PHOTOS", "--image-key", "image"], "--image-key image: expected --records, whose"),
        (["PHOTOS", "-p", "tfrecord_existing"], "reads your own record files: expected --records"),
    ],
)
def test_a_wrong_request_gets_a_sentence_and_leaves_nothing(
    words: list[str], sentence: str, photos: Path, tmp_path: Path, call: Call
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "a.jpg").write_bytes(b"")
    (tmp_path / "file.txt").write_text("")
    before = sorted(tmp_path.rglob("*"))
    done = call("run", *(photos if word == "PHOTOS" else word for word in words))
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert is_a_sentence_and_a_hint(done.err)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["bogus"], "see feedbench --help"),
        (["run", "--xyzzy"], "see feedbench run --help"),
        (["run", "--bloks", "4"], "did you mean --blocks? See feedbench run --help"),
    ],
)
def test_a_word_that_feedbench_does_not_have_points_to_the_help_that_exists(
    words: list[str], hint: str, call: Call
) -> None:
    done = call(*words)
    assert done.code == 2
    assert any(word in done.err.splitlines()[0] for word in words if word != "run")
    assert done.err.splitlines()[1:] == [f"hint: {hint}"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "one", "more"], "expected no further argument; found more"),
        (["report"], "Missing argument 'RUN'"),
    ],
)
def test_a_wrong_number_of_arguments_is_a_sentence(
    words: list[str], sentence: str, call: Call
) -> None:
    done = call(*words)
    assert done.err == f"feedbench: {sentence}\nhint: see feedbench {words[0]} --help\n"


def is_a_sentence_and_a_hint(printed: str) -> bool:
    """Whether an error is one line, or two, of which the second is what to do."""
    return re.fullmatch(r"feedbench: .+\n(hint: .+\n)?", printed) is not None


def test_the_command_writes_photos(tmp_path: Path) -> None:
    words = [str(COMMAND), "photos", "P", "--count", "5"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "P").glob("*/*.jpg"))) == 5


def test_photos_refuses_a_folder_that_holds_something(call: Call, tmp_path: Path) -> None:
    (tmp_path / "P").mkdir()
    (tmp_path / "P" / "mine.txt").write_text("")
    done = call("photos", "P", "--count", "5")
    assert done.code == 2
    assert is_a_sentence_and_a_hint(done.err)
    assert [file.name for file in (tmp_path / "P").iterdir()] == ["mine.txt"]


RUN = a_run(a_row("naive"), compared("tuned", 4.5, "faster"), best=["tuned"])
TRIALS = trials_of({"naive": [1000] * 4, "tuned": [4500] * 4})


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    return a_run_folder(tmp_path / "R", RUN, TRIALS)


def test_report_writes_the_page_into_the_run_and_prints_where(call: Call, run_folder: Path) -> None:
    assert call("report", "R") == Called(0, "R/report.html\n", "")
    assert (run_folder / "report.html").read_text() == page.render(RUN, TRIALS)


def test_several_runs_are_a_page_of_their_own(call: Call, run_folder: Path) -> None:
    a_run_folder(run_folder.with_name("S"), a_run(a_row("alone")), TRIALS)
    assert call("report", "R", "S", "--out", "both.html") == Called(0, "both.html\n", "")
    assert Path("both.html").read_text() == runs_page.read([Path("R"), Path("S")])
    assert not (run_folder / "report.html").exists()


def test_a_run_that_was_moved_has_the_same_page_elsewhere(call: Call, run_folder: Path) -> None:
    call("report", "R")
    here = (run_folder / "report.html").read_text()
    run_folder.rename("moved")
    assert call("report", "moved", "--out", "page.html") == Called(0, "page.html\n", "")
    assert Path("page.html").read_text() == here


@pytest.mark.parametrize("name", ["markdown", "csv", "json", "latex"])
def test_report_prints_the_other_formats_or_writes_them_to_a_file(
    name: str, call: Call, run_folder: Path
) -> None:
    shown = call("report", "R", "--format", name)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out == formats.render(name, run_folder)
    assert call("report", "R", "--format", name, "--out", "file").out == "file\n"
    assert Path("file").read_text() == shown.out
    assert not (run_folder / "report.html").exists()


def test_the_name_of_the_file_chooses_the_format(call: Call, run_folder: Path) -> None:
    for ending, name in (("md", "markdown"), ("tex", "latex"), ("csv", "csv")):
        assert call("report", "R", "--out", f"x.{ending}") == Called(0, f"x.{ending}\n", "")
        assert Path(f"x.{ending}").read_text() == formats.render(name, run_folder)
    for form in formats.PICTURES:
        assert call("report", "R", "--out", f"x.{form}") == Called(0, f"x.{form}\n", "")
        assert Path(f"x.{form}").read_bytes() == formats.picture(form, run_folder)


def test_the_help_names_every_format_and_every_usual_ending(call: Call) -> None:
    words = call("report", "--help").out
    assert "|".join(formats.NAMES) in words
    short = [end for end in formats.ENDINGS if end not in {".htm", ".markdown"}]
    assert listed(short, "or") in " ".join(words.split())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "nowhere is not a run folder: cannot read nowhere/run.json (No such file"),
        (["broken"], "broken/run.json is broken: "),
        (["R", "--format", "docx"], "--format docx: expected one of html, markdown, csv, json"),
        (["R", "--format", "pdf"], "--format pdf: expected --out FILE for a picture\nhint: add"),
        (["R", "--out", "x.jpg"], "--out x.jpg: expected a name that ends in .html, "),
        (["R", "--format", "csv", "--out", "x.png"], "in .csv for --format csv; found .png, which"),
        (["R", "R", "--out", "x.csv"], "--out x.csv: expected html for several runs\nhint: name"),
        (["R", "--out", "no/where.html"], "cannot write no/where.html: No such file or"),
        (["R", "--format", "csv", "--out", "R"], "cannot write R: Is a directory\nhint: name"),
        ([], "Missing argument 'RUN'"),
        (["R", "R"], "2 runs make one page: expected --out FILE for it\nhint: add --out"),
        (["R", "nowhere", "--out", "both.html"], "nowhere is not a run folder"),
        (
            ["R", "R", "--format", "csv"],
            "--format csv: expected html for several runs\nhint: name one RUN",
        ),
    ],
)
def test_a_report_that_cannot_be_made_is_one_sentence(
    words: list[str], sentence: str, call: Call, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    before = sorted(tmp_path.rglob("*"))
    done = call("report", *words)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert is_a_sentence_and_a_hint(done.err)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_report_is_rendered_without_tensorflow(run_folder: Path, tmp_path: Path) -> None:
    script = """
import sys
from feedbench.bench.cli import app
sys.argv = ["feedbench", "report", "R"]
try:
    app.main()
except SystemExit as end:
    assert end.code == 0, end.code
assert not {"tensorflow", "keras", "matplotlib.pyplot"} & sys.modules.keys()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("factor", "blocks", "code"), [(1.0, 8, 0), (0.7, 8, 1), (1.0, 3, 3), (0.97, 8, 0)]
)
def test_the_exit_code_of_compare_is_the_gate(
    factor: float, blocks: int, code: int, call: Call
) -> None:
    base, new = a_folder_of("base"), a_folder_of("new", factor, blocks)
    assert call("compare", base, new).code == code
    assert json.loads(call("compare", base, new, "--format", "json").out)["tolerance"] == 0.05
    assert call("compare", base, new, "--format", "markdown").out.startswith("**")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("base", "nowhere"), "nowhere is not a run folder: cannot read nowhere/run.json"),
        (("base", "newer"), "newer/run.json has schema 99; this Feedbench reads schemas 1 and 2"),
        (("base", "broken"), "broken/run.json is broken: "),
        (("base", "base", "--format", "csv"), "--format 'csv': expected table, markdown or json"),
        (("base", "base", "--tolerance", "x"), "--tolerance 'x': expected a share such as 5%"),
    ],
)
def test_runs_that_cannot_be_compared_are_one_sentence(
    words: tuple[str, ...], sentence: str, call: Call
) -> None:
    for name in ("base", "newer", "broken"):
        a_folder_of(name)
    text = Path("newer/run.json").read_text()
    Path("newer/run.json").write_text(text.replace('"schema": 2', '"schema": 99', 1))
    Path("broken/run.json").write_text(text[: len(text) // 2])
    done = call("compare", *words)
    assert done.code == 2
    assert sentence in done.err
    assert done.out == ""


def test_inspect_needs_a_folder_or_records(call: Call) -> None:
    done = call("inspect")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "feedbench: expected a FOLDER of images, or --records; found neither",
        "hint: name the folder, such as feedbench inspect ~/photos",
    ]
