from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.processes.run_folder import RunFolder, slugs
from feedbench.pipelines.errors import RequestError


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def fill(folder: RunFolder) -> None:
    """Write what a run writes."""
    (folder.logs / "001-main-a.log").write_text("it said this")
    for name in ("run.json", "trials.jsonl", "images.json"):
        (folder.path / name).write_text("{}")


def test_a_new_folder_is_made_with_its_parents_and_a_place_for_logs(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "some" / "where" / "run")
    folder.create()
    assert tree(tmp_path) == ["some", "some/where", "some/where/run", "some/where/run/logs"]
    assert folder.logs == tmp_path / "some" / "where" / "run" / "logs"


def test_a_relative_folder_is_made_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    RunFolder(Path("runs/today")).create()
    assert tree(tmp_path) == ["runs", "runs/today", "runs/today/logs"]


def test_an_empty_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    RunFolder(tmp_path / "run").create()
    assert tree(tmp_path) == ["run", "run/logs"]


@pytest.mark.parametrize("name", ["run.json", ".hidden"])
def test_a_folder_with_something_in_it_is_refused_and_left_untouched(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(RequestError, match=r"--out .*: expected a new or empty .*not empty"):
        RunFolder(tmp_path).create()
    assert tree(tmp_path) == [name]


def test_a_file_in_the_place_of_the_folder_is_refused_and_left_untouched(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(RequestError, match=r"--out .*: expected a new or empty .*it is a file"):
        RunFolder(tmp_path / "run").create()
    assert (tmp_path / "run").read_text() == "mine"


def test_a_folder_below_a_file_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("mine")
    with pytest.raises(RequestError, match=r"--out .*/letter/run: cannot create the folder: Not "):
        RunFolder(tmp_path / "letter" / "run").create()
    assert tree(tmp_path) == ["letter"]


def test_a_name_that_is_too_long_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"--out .*: cannot create the folder: File name too"):
        RunFolder(tmp_path / ("x" * 300)).create()
    assert tree(tmp_path) == []


def test_what_is_discarded_leaves_no_trace_and_spares_the_parents_that_were_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "there").mkdir()
    folder = RunFolder(tmp_path / "there" / "new" / "run")
    folder.create()
    fill(folder)
    folder.discard()
    assert tree(tmp_path) == ["there"]


def test_an_empty_folder_that_was_there_is_empty_again_when_discarded(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.create()
    fill(folder)
    folder.discard()
    assert tmp_path.is_dir()
    assert tree(tmp_path) == []


def test_discarding_spares_what_somebody_else_has_put_there(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "new" / "run")
    folder.create()
    fill(folder)
    (tmp_path / "new" / "run" / "letter.txt").write_text("dear")
    folder.discard()
    assert tree(tmp_path) == ["new", "new/run", "new/run/letter.txt"]


def test_discarding_what_was_refused_touches_nothing(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("of another run")
    folder = RunFolder(tmp_path)
    with pytest.raises(RequestError):
        folder.create()
    folder.discard()
    assert (tmp_path / "run.json").read_text() == "of another run"


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RequestError])
def test_an_error_before_the_blocks_leaves_nothing_behind(
    stop: type[BaseException], tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "new" / "run")
    folder.create()
    fill(folder)
    with pytest.raises(stop), folder.discarded_on_error():
        raise stop
    assert tree(tmp_path) == []


def test_without_an_error_everything_stays(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    with folder.discarded_on_error():
        fill(folder)
    assert (tmp_path / "run" / "run.json").exists()


def test_a_slug_is_what_can_be_said_of_a_label_in_a_files_name() -> None:
    assert slugs(("tfdata_tuned:cache=none,prefetch=2", "Mine!", "./loader.py:photos")) == {
        "tfdata_tuned:cache=none,prefetch=2": "tfdata-tuned-cache-none-prefetch-2",
        "Mine!": "mine",
        "./loader.py:photos": "loader-py-photos",
    }


def test_labels_that_look_alike_in_a_files_name_are_numbered() -> None:
    by_label = slugs(("a b", "a-b", "A B", "a-b-2", "猫", "犬"))
    assert list(by_label.values()) == ["a-b", "a-b-2", "a-b-3", "a-b-2-2", "pipeline", "pipeline-2"]


@given(st.lists(st.text(max_size=100), min_size=1, max_size=20, unique=True))
def test_slugs_are_safe_short_and_no_two_alike(labels: list[str]) -> None:
    by_label = slugs(tuple(labels))
    assert list(by_label) == labels
    assert len(set(by_label.values())) == len(labels)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", slug) for slug in by_label.values())
