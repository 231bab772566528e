"""The front door: what it loads, and what it says to a wrong request. No TensorFlow needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("feedbench")


def feedbench(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    script = """
import sys
from feedbench.bench import cli
sys.argv = ["feedbench", "--help"]
try:
    cli.main()
except SystemExit as end:
    assert end.code == 0, end.code
heavy = {"tensorflow", "keras", "pandas", "matplotlib", "scipy", "numpy", "PIL"}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "run" in done.stdout


@pytest.mark.parametrize("command", ["run", "photos", "pipelines"])
def test_every_command_has_an_example_in_its_help(command: str, tmp_path: Path) -> None:
    done = feedbench(command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert f"feedbench {command}" in done.stdout.partition("Example")[2]


def test_pipelines_lists_what_can_be_run_with_its_knobs(tmp_path: Path) -> None:
    out = feedbench("pipelines", cwd=tmp_path).stdout
    for word in ("image_data_generator", "tfdata_naive", "tfdata_tuned", "cache=memory"):
        assert word in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "there is no folder nowhere"),
        (["file.txt"], "file.txt is a file"),
        (["empty"], "empty: expected one sub-folder of photos a class; found nothing in it"),
        (["flat"], "found no sub-folder, only files (1)"),
        (["PHOTOS", "-p", "tfdata_tunned"], "did you mean tfdata_tuned?"),
        (["PHOTOS", "-p", "tfdata_tuned:cash=file"], "did you mean cache?"),
        (["PHOTOS", "-p", "tfdata_tuned:cache=disk"], "takes file, memory or none; found 'disk'"),
        (
            ["PHOTOS", "-p", "tfdata_tuned:parallel_calls=0"],
            "takes a whole number from 1 to 1024, autotune or none; found '0'",
        ),
        (["PHOTOS", "-p", "nowhere.py:photos"], "there is no file nowhere.py"),
        (["PHOTOS", "-p", "tfdata_naive", "-p", "tfdata_naive"], "two pipelines have the label"),
        (["PHOTOS", "--image-size", "0"], "--image-size 0x0: expected 1 to"),
        (["PHOTOS", "--image-size", "big"], "--image-size 'big': expected pixels such as 224"),
        (["PHOTOS", "--batch-size", "0"], "--batch-size 0: expected 1 or more images"),
        (["PHOTOS", "--time", "soon"], "--time 'soon': expected a time such as"),
        (["PHOTOS", "--time", "5s"], "--time 5s is too short for one block of 6 pipelines"),
        (["PHOTOS", "--margin", "5"], "--margin '5': expected a share such as 5%"),
        (["PHOTOS", "--limit", "some"], "--limit 'some': expected a number of images, or all"),
        (["PHOTOS", "--out", "flat"], "--out flat: expected a new or empty folder; it is not"),
        (["PHOTOS", "--blocks", "many"], "--blocks"),
        (["PHOTOS", "--bloks", "4"], "--bloks"),
    ],
)
def test_a_wrong_request_gets_one_sentence_and_leaves_nothing(
    words: list[str], sentence: str, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "a.jpg").write_bytes(b"")
    (tmp_path / "file.txt").write_text("")
    before = sorted(tmp_path.rglob("*"))
    done = feedbench("run", *(photos if w == "PHOTOS" else w for w in words), cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "advice"),
    [(["bogus"], "See feedbench --help."), (["run", "--bogus"], "See feedbench run --help.")],
)
def test_a_word_that_is_none_of_ours_points_to_the_help_that_exists(
    words: list[str], advice: str, tmp_path: Path
) -> None:
    done = feedbench(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert "bogus" in done.stderr
    assert done.stderr.endswith(f"{advice}\n")


def test_photos_writes_photos(tmp_path: Path) -> None:
    done = feedbench("photos", "P", "--count", "5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "P").glob("*/*.jpg"))) == 5


def test_photos_refuses_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "P").mkdir()
    (tmp_path / "P" / "mine.txt").write_text("")
    done = feedbench("photos", "P", "--count", "5", cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert [file.name for file in (tmp_path / "P").iterdir()] == ["mine.txt"]
