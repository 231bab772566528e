from __future__ import annotations

import os
from pathlib import Path

import pytest

from feedbench.bench.disk_cache import DiskCache


@pytest.fixture
def cache(tmp_path: Path) -> DiskCache:
    return DiskCache(tmp_path / "cache", suffix=".blob", most_bytes=100)


def test_what_was_written_is_read_again_and_replaced(cache: DiskCache) -> None:
    assert cache.read("a") is None
    cache.write("a", b"old")
    cache.write("a", [b"n", b"ew"])
    assert cache.read("a") == b"new"


def test_lines_are_added_and_one_that_was_cut_short_costs_itself_only(
    cache: DiskCache, tmp_path: Path
) -> None:
    assert list(cache.lines("a")) == []
    cache.append("a", b"1\n2\n")
    with (tmp_path / "cache" / "a.blob").open("ab") as file:
        file.write(b"cut sh")
    cache.append("a", b"3\n")
    assert list(cache.lines("a")) == [b"\n", b"1\n", b"2\n", b"cut sh\n", b"3\n"]


@pytest.mark.parametrize("is_appended", [True, False])
def test_the_oldest_files_make_room_and_the_newest_stays(
    is_appended: bool, cache: DiskCache, tmp_path: Path
) -> None:
    mine = tmp_path / "cache" / "mine.txt"
    for number in range(3):
        cache.write(f"{number}", b"x" * 40)
        os.utime(tmp_path / "cache" / f"{number}.blob", (number, number))
        mine.write_text("no file of the cache")
    large = b"x" * 1000
    cache.append("new", large) if is_appended else cache.write("new", large)
    assert sorted(file.name for file in mine.parent.iterdir()) == ["mine.txt", "new.blob"]


def test_only_as_much_room_is_made_as_is_needed(cache: DiskCache, tmp_path: Path) -> None:
    for number in range(3):
        cache.write(f"{number}", b"x" * 40)
        os.utime(tmp_path / "cache" / f"{number}.blob", (number, number))
    assert [cache.read(f"{number}") is None for number in range(3)] == [True, False, False]


def test_a_folder_that_cannot_be_used_is_an_empty_cache(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (None, tmp_path / "file", tmp_path / "file" / "below"):
        cache = DiskCache(folder, suffix=".blob", most_bytes=100)
        cache.write("a", b"new")
        cache.append("a", b"new\n")
        assert cache.read("a") is None
        assert list(cache.lines("a")) == []
