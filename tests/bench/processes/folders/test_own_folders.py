"""A run's own folders that another program removes, moves or empties while they are in use."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from feedbench.bench.processes.folder_views import Views
from feedbench.bench.processes.folders.own_folders import OwnFolders
from feedbench.bench.processes.loader_links import linked
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.workload_file import write_workload
from feedbench.pipelines.catalog import parse
from feedbench.pipelines.errors import FeedbenchError
from tests.support.builders import workload_over


class Held:
    """A run's folder R and a scratch folder, with a file in each that is held."""

    def __init__(self, folder: Path) -> None:
        self.run, self.scratch = folder / "R", folder / "tmp" / "feedbench-1"
        run_folder = RunFolder(self.run)
        run_folder.create()
        self.scratch.mkdir(parents=True)
        self.files = [self.run / "resume.json", self.scratch / "pilot-8.json"]
        self.notes: list[str] = []
        self.restored = 0
        self.own = OwnFolders(
            run_folder, self.scratch, note=self.notes.append, on_restored=self._count
        )
        for file in self.files:
            file.write_text(file.name)
            self.own.hold(file)

    def _count(self) -> None:
        self.restored += 1

    def are_whole(self) -> bool:
        return (self.run / "logs").is_dir() and [file.read_text() for file in self.files] == [
            "resume.json",
            "pilot-8.json",
        ]


@pytest.fixture
def held(tmp_path: Path) -> Held:
    return Held(tmp_path)


def moved(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def emptied(folder: Path) -> None:
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def test_where_nothing_is_gone_nothing_is_said(held: Held) -> None:
    held.own.restore()
    assert (held.notes, held.own.generation, held.restored) == ([], 0, 0)


@pytest.mark.parametrize("remove", [shutil.rmtree, moved, emptied])
def test_the_runs_folder_is_made_anew_with_what_a_resumption_needs(
    remove: Callable[[Path], object], held: Held
) -> None:
    remove(held.run)
    held.own.restore()
    assert held.are_whole()
    (note,) = held.notes
    assert note == (
        f"The run's folder {held.run} disappeared, or a part of it. Another program or a pipeline"
        " removed it. It was made anew, and no pipeline is blamed."
    )
    assert held.own.why == f"the run's folder {held.run} disappeared during it"
    held.own.restore()
    assert len(held.notes) == held.own.generation == held.restored == 1


@pytest.mark.parametrize("remove", [shutil.rmtree, moved, emptied])
@pytest.mark.parametrize("is_whole_tmp", [False, True])
def test_the_scratch_folder_is_made_anew_and_is_called_by_its_name(
    remove: Callable[[Path], object], is_whole_tmp: bool, held: Held
) -> None:
    remove(held.scratch.parent if is_whole_tmp else held.scratch)
    held.own.restore()
    assert held.are_whole()
    assert [note.partition(" disappeared")[0] for note in held.notes] == [
        f"The scratch folder {held.scratch}"
    ]


def test_no_other_process_resumes_a_run_whose_folder_was_made_anew(held: Held) -> None:
    shutil.rmtree(held.run)
    held.own.restore()
    with (held.run / "resume.json").open("r+") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_where_there_is_no_room_that_is_one_sentence(held: Held) -> None:
    shutil.rmtree(held.scratch.parent)
    held.scratch.parent.write_text("no folder")
    with pytest.raises(FeedbenchError) as caught:
        held.own.restore()
    assert str(caught.value) == (
        f"cannot write to {held.scratch}: Not a directory\n"
        "hint: make room there, or set TMPDIR to another folder; --resume continues a run"
    )


def test_the_folder_that_a_loader_walks_is_made_anew(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "images.json"
    write_workload(workload_over(photos), file)  # the folder holds a note as well
    views = Views(tmp_path)
    folder = Path(views.folder(file))
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    shutil.rmtree(folder)
    assert views.folder(file) == str(folder)
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before != []


def test_the_links_to_loaders_are_made_anew_by_the_same_paths(tmp_path: Path) -> None:
    loaders = [tmp_path / name / "loader.py" for name in ("base", "new")]
    for loader in loaders:
        loader.parent.mkdir()
        loader.write_text("")
    specs = [parse(f"{loader.parent.name}={loader}:photos") for loader in loaders]
    paths = linked(specs, tmp_path / "links")
    assert linked(specs, tmp_path / "links") == paths
    shutil.rmtree(tmp_path / "links")
    assert linked(specs, tmp_path / "links") == paths
    assert all(Path(path).is_file() for path in paths.values())
