"""The processor's last cache, as the kernel tells of it: sysfs-devices-system-cpu, cache."""

from __future__ import annotations

from pathlib import Path

import msgspec

_CPUS = Path("/sys/devices/system/cpu")
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class Cache(msgspec.Struct, frozen=True):
    """A cache, and the cores that share it."""

    bytes: int
    cores: frozenset[int]


def last_cache(core: int, cpus: Path = _CPUS) -> Cache | None:
    """Return the last cache before the memory, of a core; None where the system does not tell."""
    found = {}
    try:
        for index in (cpus / f"cpu{core}" / "cache").glob("index*"):
            size = _text(index / "size")
            level = int(_text(index / "level"))
            cores = _listed(_text(index / "shared_cpu_list"))
            found[level] = Cache(int(size.rstrip("KMG")) * _UNITS.get(size[-1:], 1), cores)
    except (OSError, ValueError):  # not Linux, or of another make
        return None
    return found[max(found)] if found else None


def _text(file: Path) -> str:
    return file.read_text().strip()


def _listed(text: str) -> frozenset[int]:
    """Return the numbers of a list as the kernel writes it: 0-3,8."""
    ranges = (part.partition("-") for part in text.split(","))
    return frozenset(
        core for low, _, high in ranges for core in range(int(low), int(high or low) + 1)
    )
