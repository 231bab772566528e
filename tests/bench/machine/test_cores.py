"""How many cores may be used, told from cgroup folders that the tests make up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from feedbench.bench.machine.cores import core_counts, some_cores, usable_cores, whole_cores_first

AFFINITY = 8


class Cgroups:
    """A made-up cgroup file system, and this process's place in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: list[str] = []

    def member(self, line: str) -> Cgroups:
        self._lines.append(line)
        return self

    def file(self, path: str, content: str) -> Cgroups:
        file = self._folder / "mounted" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{content}\n")
        return self

    @property
    def cores(self) -> float:
        membership = self._folder / "membership"
        membership.write_text("".join(f"{line}\n" for line in self._lines))
        return usable_cores(membership, self._folder / "mounted")


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cgroups:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(AFFINITY)))
    return Cgroups(tmp_path)


def test_without_a_quota_the_affinity_decides(cgroups: Cgroups) -> None:
    assert cgroups.cores == AFFINITY
    assert cgroups.member("0::/").cores == AFFINITY
    assert cgroups.file("cpu.max", "max 100000").cores == AFFINITY


def test_a_quota_is_in_parts_of_a_core(cgroups: Cgroups) -> None:
    assert cgroups.member("0::/").file("cpu.max", "150000 100000").cores == 1.5


def test_a_quota_above_the_affinity_changes_nothing(cgroups: Cgroups) -> None:
    assert cgroups.member("0::/").file("cpu.max", "1600000 100000").cores == AFFINITY


@pytest.mark.parametrize(
    "limited", ["cpu.max", "a/cpu.max", "a/b.slice/cpu.max", "a/b.slice/c/cpu.max"]
)
def test_a_quota_anywhere_between_the_process_and_the_root_holds(
    cgroups: Cgroups, limited: str
) -> None:
    cgroups.member("0::/a/b.slice/c").file("a/b.slice/c/cpu.max", "700000 100000")
    assert cgroups.file(limited, "50000 100000").cores == 0.5


def test_the_least_of_several_quotas_holds(cgroups: Cgroups) -> None:
    cgroups.member("0::/a/b").file("a/cpu.max", "200000 100000")
    assert cgroups.file("a/b/cpu.max", "300000 50000").cores == 2


def test_a_quota_of_another_cgroup_is_none_of_ours(cgroups: Cgroups) -> None:
    assert cgroups.member("0::/a").file("b/cpu.max", "50000 100000").cores == AFFINITY


@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct", "cpuacct,cpu"])
def test_the_first_version_of_cgroups_is_understood(cgroups: Cgroups, controllers: str) -> None:
    cgroups.member("9:name=systemd:/").member(f"1:{controllers}:/docker/abc")
    cgroups.file("cpu/docker/cpu.cfs_period_us", "50000")
    cgroups.file("cpu/docker/cpu.cfs_quota_us", "75000")
    cgroups.file("cpu/docker/abc/cpu.cfs_period_us", "100000")
    assert cgroups.file("cpu/docker/abc/cpu.cfs_quota_us", "-1").cores == 1.5


def test_the_place_in_another_controller_is_of_no_account(cgroups: Cgroups) -> None:
    cgroups.member("3:cpuset:/a").member("2:cpuacct:/a").member("1:cpu:/")
    cgroups.file("cpu/a/cpu.cfs_period_us", "100000")
    assert cgroups.file("cpu/a/cpu.cfs_quota_us", "50000").cores == AFFINITY


def test_a_container_that_is_named_as_its_host_sees_it_has_its_quota(cgroups: Cgroups) -> None:
    cgroups.member("1:cpu:/docker/abc").file("cpu/cpu.cfs_period_us", "100000")
    assert cgroups.file("cpu/cpu.cfs_quota_us", "250000").cores == 2.5


@pytest.mark.parametrize("content", ["", "nonsense", "max", "0 100000", "100000 0"])
def test_a_file_that_sets_no_quota_is_none(cgroups: Cgroups, content: str) -> None:
    assert cgroups.member("0::/").file("cpu.max", content).cores == AFFINITY


def test_this_machine_has_cores_and_no_more_than_the_affinity() -> None:
    assert 0 < usable_cores() <= len(os.sched_getaffinity(0))


def test_without_cgroups_and_affinity_it_is_all_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores(tmp_path / "none", tmp_path) == 6


@pytest.mark.parametrize(
    ("usable", "counts"),
    [(0.5, ()), (1.9, (1,)), (2.0, (1, 2)), (6.0, (1, 2, 4, 6)), (8.7, (1, 2, 4, 8))],
)
def test_fewer_cores_are_powers_of_two_and_then_all(usable: float, counts: tuple[int, ...]) -> None:
    assert core_counts(usable) == counts


@pytest.fixture
def topology(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four cores that run two threads each: 0 and 1, 2 and 3, and so on."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(AFFINITY)))
    for core in range(AFFINITY):
        folder = tmp_path / f"cpu{core}" / "topology"
        folder.mkdir(parents=True)
        first = core - core % 2
        (folder / "thread_siblings_list").write_text(f"{first}-{first + 1}\n")
    return tmp_path


def test_each_turn_has_other_cores_and_one_thread_of_each_first(topology: Path) -> None:
    assert [some_cores(1, turn, topology) for turn in range(5)] == [(0,), (2,), (4,), (6,), (0,)]
    assert some_cores(2, 1, topology) == (2, 4)
    assert some_cores(4, 3, topology) == (0, 2, 4, 6)
    assert some_cores(AFFINITY, 2, topology) == tuple(range(AFFINITY))


def test_cores_whose_threads_are_not_known_are_cores(tmp_path: Path, topology: Path) -> None:
    assert topology == tmp_path
    assert some_cores(3, 0, tmp_path / "none") == (0, 1, 2)


def test_of_all_cores_the_second_threads_come_last(topology: Path) -> None:
    assert whole_cores_first(topology) == (0, 2, 4, 6, 1, 3, 5, 7)
