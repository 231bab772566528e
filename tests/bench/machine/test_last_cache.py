"""The last cache, of a machine that is made of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.machine.last_cache import Cache, last_cache


def a_machine(folder: Path, *caches: tuple[int, str, str, str]) -> Path:
    """Write down the caches of core 4: level, type, size, and the cores that share it."""
    for number, of_cache in enumerate(caches):
        index = folder / "cpu4" / "cache" / f"index{number}"
        index.mkdir(parents=True)
        for name, value in zip(("level", "type", "size", "shared_cpu_list"), of_cache, strict=True):
            (index / name).write_text(f"{value}\n")
    return folder


FIRST = (1, "Data", "32K", "4,12"), (1, "Instruction", "32K", "4,12"), (2, "Unified", "1M", "4,12")


@pytest.mark.parametrize(("size", "count"), [("32768K", 32 << 20), ("96M", 96 << 20), ("512", 512)])
def test_the_last_one_is_that_of_the_highest_level_with_the_cores_that_share_it(
    tmp_path: Path, size: str, count: int
) -> None:
    machine = a_machine(tmp_path, *FIRST, (3, "Unified", size, "0-3,4-7,12"))
    assert last_cache(4, machine) == Cache(count, frozenset({*range(8), 12}))


def test_where_there_is_no_third_it_is_the_second(tmp_path: Path) -> None:
    assert last_cache(4, a_machine(tmp_path, *FIRST)) == Cache(1 << 20, frozenset({4, 12}))


@pytest.mark.parametrize("size", ["", "much", "K"])
def test_what_cannot_be_read_is_not_known(tmp_path: Path, size: str) -> None:
    assert last_cache(4, a_machine(tmp_path, (3, "Unified", size, "0-3"))) is None


def test_where_the_system_does_not_tell_nothing_is_known(tmp_path: Path) -> None:
    assert last_cache(4, tmp_path) is None
