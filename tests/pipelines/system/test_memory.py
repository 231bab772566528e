import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.pipelines.system.memory import CacheFit, available_bytes, fit_cache

GB = 10**9
MB = 10**6


def fit(
    cache: str = "memory",
    shuffle: int | str = "full",
    images: int = 100,
    folder_images: int = 1000,
    memory_bytes: int = 2 * GB,
    disk_bytes: int = 100 * GB,
    encoded_bytes: int = 0,
    cache_at: str = "delivered",
) -> CacheFit:
    """Fit images of 1 MB: a folder of 1 GB, unless told otherwise."""
    return fit_cache(
        cache=cache,
        cache_at=cache_at,
        shuffle=shuffle,
        images=images,
        folder_images=folder_images,
        image_bytes=MB,
        encoded_bytes=encoded_bytes,
        memory_bytes=memory_bytes,
        disk_bytes=disk_bytes,
    )


def test_a_cache_that_fits_is_taken_as_asked() -> None:
    for cache in ("memory", "file", "none"):
        assert fit(cache) == CacheFit(cache, 100, ())


def test_a_fifth_of_the_free_memory_is_left_to_the_model_and_the_page_cache() -> None:
    assert fit(memory_bytes=1250 * MB).cache == "memory"
    assert fit(memory_bytes=1249 * MB).cache == "file"


def test_the_whole_folder_must_fit_and_not_only_the_part_that_is_measured() -> None:
    assert fit(images=10, folder_images=1000, memory_bytes=GB).cache == "file"
    assert fit(images=10, folder_images=100, memory_bytes=GB).cache == "memory"


def test_a_cache_too_large_for_memory_goes_to_a_file_and_says_why() -> None:
    cache, shuffle = fit(folder_images=3456, memory_bytes=2 * GB).overruled
    assert cache == (
        "cache",
        "memory",
        "file",
        "3,456 decoded images take 3.5 GB, but this process may only use 1.6 GB of memory",
    )
    assert shuffle[:3] == ("shuffle", "full", 1600)  # of the whole folder, though of a part all


def test_a_cache_too_large_for_memory_and_disk_is_none_and_says_why() -> None:
    fitting = fit(folder_images=3456, memory_bytes=int(2.5 * GB), disk_bytes=2 * GB)
    assert fitting.cache == "none"
    assert fitting.overruled == (
        (
            "cache",
            "memory",
            "none",
            (
                "3,456 decoded images take 3.5 GB, but this process may only use 2.0 GB of memory,"
                " and only 2.0 GB of the scratch disk are free"
            ),
        ),
    )


def test_a_file_cache_is_not_bounded_by_memory_but_by_the_disk() -> None:
    assert fit("file", shuffle="none", memory_bytes=0).cache == "file"
    fitting = fit("file", disk_bytes=GB - 1)
    assert fitting.cache == "none"
    assert [(knob, asked, used) for knob, asked, used, _ in fitting.overruled] == [
        ("cache", "file", "none")
    ]


def test_a_shuffle_buffer_behind_a_file_cache_is_bounded_by_memory() -> None:
    fitting = fit("file", shuffle=500, images=1000, memory_bytes=100 * MB)
    assert fitting == CacheFit(
        "file",
        80,
        (("shuffle", 500, 80, "more decoded images do not fit in 0.1 GB of memory"),),
    )


def test_a_cache_that_had_to_go_to_a_file_bounds_its_shuffle_buffer_too() -> None:
    fitting = fit("memory", images=1000, memory_bytes=100 * MB)
    assert (fitting.cache, fitting.buffer) == ("file", 80)
    assert [knob for knob, *_ in fitting.overruled] == ["cache", "shuffle"]


def test_a_cache_of_batches_is_shuffled_by_batches_and_no_other_is() -> None:
    for shuffle in ("full", 7):
        fitting = fit(shuffle=shuffle, cache_at="batched")
        assert fitting.buffer == 100
        assert fitting.overruled == (
            (
                "shuffle",
                shuffle,
                "batches",
                "a cache of batches repeats the batches of the first epoch",
            ),
        )
    assert fit(shuffle="batches", cache_at="batched").overruled == ()
    assert fit(shuffle="none", cache_at="batched") == CacheFit("memory", 0, ())
    for other in (fit(shuffle="batches"), fit("none", "batches", cache_at="batched")):
        assert other.buffer == 100
        assert [change[:3] for change in other.overruled] == [("shuffle", "batches", "full")]


def test_batches_from_a_file_are_shuffled_as_far_as_they_fit_in_memory() -> None:
    fitting = fit("file", images=1000, memory_bytes=100 * MB, cache_at="batched")
    assert fitting.buffer == 80
    assert [change[:3] for change in fitting.overruled] == [("shuffle", "full", 80)]


@pytest.mark.parametrize(
    ("cache_at", "images"),
    [("encoded", "encoded images"), ("decoded", "decoded images of full size")],
)
def test_a_cache_that_does_not_fit_says_what_it_would_keep(cache_at: str, images: str) -> None:
    (_, _, used, reason), *_ = fit(memory_bytes=GB, cache_at=cache_at).overruled
    assert used == "file"
    assert reason.startswith(f"1,000 {images} take 1.0 GB, but this process")


def test_a_buffer_that_shares_the_images_of_a_memory_cache_or_holds_names_is_not_bounded() -> None:
    assert fit("memory", images=1000, memory_bytes=1250 * MB).buffer == 1000
    assert fit("none", images=1000, memory_bytes=0).buffer == 1000


def test_a_buffer_of_encoded_images_is_bounded_by_memory() -> None:
    small: dict[str, Any] = {
        "cache": "none",
        "folder_images": 1000,
        "images": 1000,
        "memory_bytes": 125 * MB,
    }
    assert fit(**small, encoded_bytes=MB // 10).buffer == 1000
    fitting = fit(**small, encoded_bytes=MB // 5)
    assert fitting.buffer == 500
    [(knob, asked, used, reason)] = fitting.overruled
    assert (knob, asked, used) == ("shuffle", "full", 500)
    assert reason == "more encoded images do not fit in 0.1 GB of memory"


def test_no_shuffle_is_a_buffer_of_nothing_and_full_is_as_many_as_there_are() -> None:
    assert fit(shuffle="none").buffer == 0
    assert fit(shuffle="full", images=70).buffer == 70
    assert fit(shuffle=5).buffer == 5
    assert fit(shuffle=5000, images=70).buffer == 70


sizes = st.integers(0, 10**13)


@given(
    cache=st.sampled_from(["memory", "file", "none"]),
    shuffle=st.integers(1, 10**8) | st.sampled_from(["full", "none"]),
    images=st.integers(1, 10**4),
    others=st.integers(0, 10**7),
    memory_bytes=sizes,
    disk_bytes=sizes,
)
def test_what_is_fitted_never_exceeds_the_memory_and_the_disk_that_there_are(
    cache: str, shuffle: int | str, images: int, others: int, memory_bytes: int, disk_bytes: int
) -> None:
    folder_images = images + others
    fitting = fit(cache, shuffle, images, folder_images, memory_bytes, disk_bytes)
    needed = folder_images * MB
    assert fitting.cache != "memory" or needed <= memory_bytes
    assert fitting.cache != "file" or needed <= disk_bytes
    assert fitting.cache != "file" or fitting.buffer <= max(memory_bytes // MB, 1)
    assert fitting.buffer <= images
    assert ("cache" in {knob for knob, *_ in fitting.overruled}) == (fitting.cache != cache)


def test_this_process_may_use_some_memory() -> None:
    assert available_bytes() > 0


def test_a_limit_on_the_address_space_bounds_what_is_available() -> None:
    program = f"""
import resource
import psutil
from feedbench.pipelines.system.memory import available_bytes
limit = psutil.Process().memory_info().vms + {200 * MB}
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(available_bytes())
"""
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(answer.stdout) == pytest.approx(200 * MB, rel=0.2)


class Cgroup:
    """A made-up cgroup file system, and this process's place in it."""

    def __init__(self, folder: Path, line: str) -> None:
        self._membership = folder / "membership"
        self._membership.write_text(f"{line}\n")
        self._mounted = folder / "mounted"

    def file(self, path: str, content: object) -> Self:
        file = self._mounted / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{content}\n")
        return self

    @property
    def available(self) -> int:
        return available_bytes(self._membership, self._mounted)


def test_the_tightest_cgroup_around_the_process_bounds_its_memory(tmp_path: Path) -> None:
    group = Cgroup(tmp_path, "0::/a/b")
    group.file("a/b/memory.max", 9 * MB).file("a/b/memory.current", MB)
    assert group.available == 8 * MB
    group.file("a/memory.max", 6 * MB).file("a/memory.current", 5 * MB)
    assert group.available == MB
    group.file("a/memory.max", "max")
    assert group.available == 8 * MB


def test_a_cgroups_page_cache_is_available(tmp_path: Path) -> None:
    group = Cgroup(tmp_path, "0::/a").file("a/memory.max", 9 * MB).file("a/memory.current", 9 * MB)
    assert group.available == 0
    assert group.file("a/memory.stat", f"anon 7\ninactive_file {4 * MB}").available == 4 * MB


def test_the_first_version_of_cgroups_bounds_it_too(tmp_path: Path) -> None:
    group = Cgroup(tmp_path, "5:memory:/docker/abc")
    group.file("memory/memory.limit_in_bytes", 3 * MB).file("memory/memory.usage_in_bytes", MB)
    assert group.available == 2 * MB


def test_without_a_cgroup_the_machine_bounds_it(tmp_path: Path) -> None:
    assert available_bytes(tmp_path / "none", tmp_path) > 9 * MB
