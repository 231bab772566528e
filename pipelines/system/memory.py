"""The memory that this process may use, and the cache of decoded images that fits into it."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path

import psutil

from feedbench.pipelines.system.cgroups import MEMBERSHIP, MOUNTED, cgroups_around

_KINDS = {"encoded": "encoded images", "decoded": "decoded images of full size"}
# Share of the free memory: the model, batches in progress and the page cache need some too.
_USABLE = 0.8
_FILES = {  # by the cgroup's version: limit, in use
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    2: ("memory.max", "memory.current"),
}


@dataclass(frozen=True)
class CacheFit:
    """The cache and shuffle buffer that fit, and `(knob, asked, used, reason)` of each change."""

    cache: str
    buffer: int  # images, also where whole batches are shuffled; 0: no shuffle
    overruled: tuple[tuple[str, object, object, str], ...]


def fit_cache(
    *,
    cache: str,
    shuffle: int | str,
    images: int,
    folder_images: int,
    image_bytes: int,
    encoded_bytes: int,
    memory_bytes: int,
    disk_bytes: int,
    cache_at: str = "delivered",
) -> CacheFit:
    """Decide what cache and shuffle buffer this machine can hold.

    The whole folder must fit, not only the measured part: a cache that fits a part only would
    promise a rate that the user never gets. `image_bytes` is what one image takes in the cache.
    `encoded_bytes` is the size of an element in a shuffle buffer before the decoding; 0 for a path.
    """
    usable = int(memory_bytes * _USABLE)
    images_kept = _KINDS.get(cache_at, "decoded images")
    fitting, why = _fitting_cache(
        cache, folder_images, image_bytes, usable, disk_bytes, images_kept
    )
    overruled: list[tuple[str, object, object, str]] = []
    if fitting != cache:
        overruled.append(("cache", cache, fitting, why))
    is_batched = cache_at == "batched" and fitting != "none"
    possible = _possible_shuffle(shuffle, is_batched=is_batched)
    reason = "a cache of batches repeats the batches of the first epoch"
    if possible == "full":
        reason = "only a cache of batches (cache_at=batched) is shuffled by batches"
    asked = 0 if possible == "none" else possible if isinstance(possible, int) else folder_images
    buffer = min(asked, folder_images)
    # A buffer after a cache in memory shares the cache's images; after a file it holds copies.
    held = {"none": encoded_bytes, "memory": 0, "file": image_bytes}[fitting]
    room = max(usable // held, 1) if held else buffer
    if buffer > room:
        kind = "encoded images" if fitting == "none" else images_kept
        reason = f"more {kind} do not fit in {_gb(usable)} of memory"
        possible = buffer = room
    if possible != shuffle:
        overruled.append(("shuffle", shuffle, possible, reason))
    return CacheFit(fitting, min(buffer, images), tuple(overruled))


def _possible_shuffle(shuffle: int | str, *, is_batched: bool) -> int | str:
    """Return the shuffle that is possible: whole batches from a cache of batches, else images."""
    if is_batched:
        return shuffle if shuffle == "none" else "batches"
    return "full" if shuffle == "batches" else shuffle


def _fitting_cache(
    cache: str,
    folder_images: int,
    image_bytes: int,
    usable: int,
    disk_bytes: int,
    images_kept: str,
) -> tuple[str, str]:
    """Return the cache that the whole folder fits into, and why it is not the requested one."""
    needed = folder_images * image_bytes
    why = f"{folder_images:,} {images_kept} take {_gb(needed)}"
    if cache == "memory" and needed > usable:
        cache = "file"
        why += f", but this process may only use {_gb(usable)} of memory"
    if cache == "file" and needed > disk_bytes:
        cache = "none"
        why += f", and only {_gb(disk_bytes)} of the scratch disk are free"
    return cache, why


def available_bytes(membership: Path = MEMBERSHIP, mounted: Path = MOUNTED) -> int:
    """Return the bytes that this process may still use, by the machine, its cgroups and its limit.

    `membership` names its cgroups, `mounted` is their file system.
    """
    candidates = [psutil.virtual_memory().available]
    address_space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if address_space != resource.RLIM_INFINITY:
        candidates.append(address_space - psutil.Process().memory_info().vms)
    for group in cgroups_around("memory", membership, mounted):
        limit, in_use = (_number(group.folder / file) for file in _FILES[group.version])
        if limit is not None and in_use is not None:
            candidates.append(limit - in_use + _reclaimable(group.folder))
    return max(min(candidates), 0)


def _reclaimable(group: Path) -> int:
    """Return the bytes of a cgroup's page cache, which count as used but can be reclaimed."""
    try:
        for line in (group / "memory.stat").read_text().splitlines():
            name, _, count = line.partition(" ")
            if name == "inactive_file":
                return int(count)
    except (OSError, ValueError):  # no such file
        pass
    return 0


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return None


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
