"""Which candidates the user allows: by what they would need, and by what they needed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from feedbench.bench.records.proof import is_equal
from feedbench.bench.records.row import Row
from feedbench.bench.records.tuning.tuning import NO_TIME, Allowance
from feedbench.bench.text import duration, size
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.catalog import Spec


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """How much a workload is, over the whole folder."""

    images: int
    file_bytes: int  # of the images' own files
    image_values: int  # of a delivered image: height, width and channels
    value_bytes: int  # of a delivered value
    free_bytes: int | None = None  # on the disk of what is written in advance; None: not known

    @property
    def delivered_bytes(self) -> int:
        """All delivered images."""
        return self.images * self.image_values * self.value_bytes

    @property
    def raw_bytes(self) -> int:
        """All delivered images as uint8."""
        return self.images * self.image_values


def needs(spec: Spec, amounts: Amounts) -> tuple[int, int]:
    """Return the bytes on the disk and in a cache in memory that are sure before it is measured.

    What cannot be computed, such as the size of smaller images, counts as 0 here.
    """
    if spec.is_foreign:
        return 0, 0
    of = knobs.values(catalog.load(spec))
    stored = {"encoded": amounts.file_bytes, "raw": amounts.raw_bytes}.get(of.get("store", ""), 0)
    if of.get("compression", "none") != "none":
        stored = 0
    cached = _cached(of.get("cache_at", ""), amounts, stored if "store" in of else None)
    cache = of.get("cache", "none")
    return stored + (cached if cache == "file" else 0), cached if cache == "memory" else 0


def why_not(spec: Spec, amounts: Amounts, allowed: Allowance) -> str:
    """Return why a candidate is not allowed, as a clause, before it is measured; "": it may be."""
    store = "" if spec.is_foreign else knobs.values(catalog.load(spec)).get("store", "")
    if store == "resized" and allowed.pixels is None:
        return "it changes the pixels, and there is no --pixels"
    disk, memory = needs(spec, amounts)
    return _too_much(disk, memory, amounts, allowed, "would take")


def why_out(row: Row, amounts: Amounts, images: int, allowed: Allowance) -> str:
    """Return why a candidate is not allowed, as a clause, by what was measured; "": it is.

    `images` were measured. What was written for them is scaled to the whole folder. So is a cache
    in memory, as well as the process itself.
    """
    if row.rate is None:
        return f"it failed: {row.failures[0]}" if row.failures else NO_TIME
    if not is_equal(row.proof):
        return _other_work(row)
    disk, memory = needs(catalog.spec_of(row.label, row.spec), amounts)
    if (made := row.preparation) is not None:
        written = made.bytes * amounts.images // max(made.images, 1)
        cache = disk if row.knobs.get("cache") == "file" else 0
        disk = max(written + (cache if "store" not in row.knobs else 0), disk)
        seconds = made.seconds * amounts.images / max(made.images, 1)
        most = allowed.preparation_seconds
        if most is not None and seconds > most:
            takes, allows = duration(seconds), duration(most)
            return f"it takes {takes} to prepare, and --preparation allows {allows}"
    unmeasured = memory * max(amounts.images - images, 0) // max(amounts.images, 1)
    peak = max(memory, (row.peak_memory_bytes or 0) + unmeasured)
    return _too_much(disk, peak, amounts, allowed, "takes")


def _other_work(row: Row) -> str:
    proof = row.proof
    if proof is None:
        return "equal work is not proven"
    distances = [each.mean for each in (proof.from_sampled, proof.from_filtered) if each]
    if proof.is_wrong or not distances:
        return proof.reason or "it delivers other images"
    return f"its pixels are {min(distances):.2f} grey levels from the reference"


def _too_much(disk: int, memory: int, amounts: Amounts, allowed: Allowance, takes: str) -> str:
    for used, limit, where, option in (
        (disk, allowed.disk_bytes, "on the disk", "--disk"),
        (memory, allowed.memory_bytes, "of memory", "--memory"),
    ):
        if limit is not None and used > limit:
            return f"it {takes} {size(used)} {where}, and {option} allows {size(limit)}"
    if amounts.free_bytes is not None and disk > amounts.free_bytes:
        free = size(amounts.free_bytes)
        return f"it {takes} {size(disk)} on the disk for all images, and {free} are free"
    return ""


def _cached(cache_at: str, amounts: Amounts, stored: int | None) -> int:
    if cache_at == "encoded":
        return amounts.file_bytes if stored is None else stored
    return amounts.delivered_bytes if cache_at in {"delivered", "batched"} else 0
