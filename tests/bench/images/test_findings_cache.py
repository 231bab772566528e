"""A check costs once: what was found is known again, until the file changes."""

import errno
from collections.abc import Mapping
from pathlib import Path

import pytest

from feedbench.bench.files import stamp_of
from feedbench.bench.images.findings_cache import MOST_BYTES, SPARE_LINES, FindingsCache
from feedbench.pipelines.images import image_check
from feedbench.pipelines.images.image_check import Finding
from feedbench.pipelines.remote.reading import Stamp

GOOD = Finding(None, "JPEG", "RGB", 6, 4, channels=3)
BAD = Finding("Pillow: image file is truncated", "JPEG", "RGB", 6, 4, channels=3)
HEADER = Finding(None, "PNG", "P", 6, 4)
BROKEN = Finding("an empty file")
STAMPS = {"/p/a.jpg": Stamp(10, 100), "/p/caf\udce9.jpg": Stamp(20, 200)}


def memory(
    tmp_path: Path,
    folder: str = "/p",
    *,
    most_bytes: int = MOST_BYTES,
    spare_lines: int = SPARE_LINES,
) -> FindingsCache:
    cache = tmp_path / "cache"
    return FindingsCache(cache, Path(folder), most_bytes=most_bytes, spare_lines=spare_lines)


def remember(tmp_path: Path, findings: Mapping[str, Finding]) -> Path:
    held = memory(tmp_path)
    for path, finding in findings.items():
        held.add(path, STAMPS[path], finding)
    held.flush()
    (file,) = (tmp_path / "cache").iterdir()
    return file


def test_what_was_found_is_known_again(tmp_path: Path) -> None:
    remember(tmp_path, {"/p/a.jpg": GOOD, "/p/caf\udce9.jpg": BAD})
    assert memory(tmp_path).find(STAMPS, 3) == {"/p/a.jpg": GOOD, "/p/caf\udce9.jpg": BAD}


def test_what_was_found_by_other_rules_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(tmp_path, {"/p/a.jpg": GOOD})
    monkeypatch.setattr(image_check, "RULES", image_check.RULES + 1)
    assert memory(tmp_path).find(STAMPS, 3) == {}


@pytest.mark.parametrize("stamp", [Stamp(11, 100), Stamp(10, 101)])
def test_a_file_that_changed_is_not_known(tmp_path: Path, stamp: Stamp) -> None:
    remember(tmp_path, {"/p/a.jpg": GOOD})
    assert memory(tmp_path).find({"/p/a.jpg": stamp}, 3) == {}


def test_a_header_is_no_decoding_but_a_decoding_is_a_header(tmp_path: Path) -> None:
    remember(tmp_path, {"/p/a.jpg": HEADER, "/p/caf\udce9.jpg": GOOD})
    assert memory(tmp_path).find(STAMPS, 3) == {"/p/caf\udce9.jpg": GOOD}
    assert memory(tmp_path).find(STAMPS, 1) == {}
    assert memory(tmp_path).find(STAMPS, 0) == {"/p/a.jpg": HEADER, "/p/caf\udce9.jpg": GOOD}


def test_what_makes_a_header_bad_holds_at_any_channels(tmp_path: Path) -> None:
    remember(tmp_path, {"/p/a.jpg": BROKEN})
    assert memory(tmp_path).find(STAMPS, 1) == {"/p/a.jpg": BROKEN}


def test_what_does_not_last_is_not_remembered(tmp_path: Path) -> None:
    remember(tmp_path, {"/p/a.jpg": GOOD, "/p/caf\udce9.jpg": Finding("no", lasts=False)})
    assert list(memory(tmp_path).find(STAMPS, 3)) == ["/p/a.jpg"]


@pytest.mark.parametrize("cut", range(1, 90, 11))
def test_a_line_that_a_crash_cut_short_costs_itself_only(tmp_path: Path, cut: int) -> None:
    file = remember(tmp_path, {"/p/a.jpg": GOOD, "/p/caf\udce9.jpg": BAD})
    lines = file.read_bytes().rstrip().rpartition(b"\n")
    file.write_bytes(lines[0] + b"\n" + lines[2][: min(cut, len(lines[2]) - 1)])
    assert list(memory(tmp_path).find(STAMPS, 3)) == ["/p/a.jpg"]
    remember(tmp_path, {"/p/caf\udce9.jpg": BAD})
    assert len(memory(tmp_path).find(STAMPS, 3)) == 2


def test_a_file_of_anything_else_is_no_memory(tmp_path: Path) -> None:
    file = remember(tmp_path, {"/p/a.jpg": GOOD})
    file.write_bytes(bytes(range(256)) * 10)
    assert memory(tmp_path).find(STAMPS, 3) == {}


def test_a_cache_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    held = memory(tmp_path)
    held.add("/p/a.jpg", STAMPS["/p/a.jpg"], GOOD)
    held.flush()
    assert held.find(STAMPS, 3) == {}


def test_what_has_grown_to_twice_its_need_is_written_anew(tmp_path: Path) -> None:
    file = remember(tmp_path, {"/p/a.jpg": BAD, "/p/caf\udce9.jpg": GOOD})
    for _ in range(6):
        remember(tmp_path, {"/p/a.jpg": GOOD})
    before = file.stat().st_size
    assert memory(tmp_path, spare_lines=3).find(STAMPS, 3)["/p/a.jpg"] == GOOD
    assert file.stat().st_size < before / 2
    assert len(memory(tmp_path).find(STAMPS, 3)) == 2
    assert list((tmp_path / "cache").iterdir()) == [file]


def test_who_asks_for_some_files_makes_it_forget_no_others(tmp_path: Path) -> None:
    file = remember(tmp_path, {"/p/a.jpg": GOOD, "/p/caf\udce9.jpg": BAD})
    for _ in range(6):
        remember(tmp_path, {"/p/a.jpg": GOOD})
    before = file.stat().st_size
    some = {"/p/a.jpg": STAMPS["/p/a.jpg"]}
    assert memory(tmp_path, spare_lines=0).find(some, 3) == {"/p/a.jpg": GOOD}
    assert file.stat().st_size < before
    assert memory(tmp_path).find(STAMPS, 3) == {"/p/a.jpg": GOOD, "/p/caf\udce9.jpg": BAD}


def test_a_memory_that_cannot_be_written_anew_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = remember(tmp_path, {"/p/a.jpg": GOOD})
    for _ in range(3):
        remember(tmp_path, {"/p/a.jpg": GOOD})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = file.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        assert memory(tmp_path, spare_lines=0).find(STAMPS, 3) == {"/p/a.jpg": GOOD}
    assert file.read_bytes() == before
    assert list((tmp_path / "cache").iterdir()) == [file]


def test_the_folders_looked_at_longest_ago_make_room(tmp_path: Path) -> None:
    for number in range(6):
        held = memory(tmp_path, f"/p{number}", most_bytes=300)
        held.add("/p/a.jpg", STAMPS["/p/a.jpg"], GOOD)
        held.flush()
    files = list((tmp_path / "cache").iterdir())
    assert 1 <= len(files) < 6
    assert sum(file.stat().st_size for file in files) <= 300
    assert memory(tmp_path, "/p5").find(STAMPS, 3)


def test_a_stamp_changes_with_the_file_and_is_none_without_one(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("a")
    before = stamp_of(str(file))
    file.write_text("ab")
    assert before != stamp_of(str(file))
    assert stamp_of(str(tmp_path / "b")) is None
