"""Remembered fingerprints of the references, for runs whose proofs are remembered.

FOLDER/KEY.prints is the file that the references' process writes, of 512 bytes an image. Where
images are augmented, KEY.thumbs has their thumbnails.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from feedbench.bench.disk_cache import DiskCache
from feedbench.bench.equal_work.proof_cache import circumstances
from feedbench.bench.equal_work.reference_files import FINGERPRINTS, THUMBNAILS, kept_files
from feedbench.bench.prepared.preparation_task import key_of
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.system.regular_files import read_regular

_SCHEMA = 1
_MOST_BYTES = 200_000_000
_SUFFIXES = {FINGERPRINTS: ".prints", THUMBNAILS: ".thumbs"}


class FingerprintCache:
    """The fingerprints in a folder; without a folder, none are remembered."""

    def __init__(self, folder: Path | None) -> None:
        self._caches = {
            name: DiskCache(folder, suffix=suffix, most_bytes=_MOST_BYTES)
            for name, suffix in _SUFFIXES.items()
        }

    def find(self, workload: Workload, folder: Path) -> bool:
        """Write the fingerprints of a workload into a folder; return whether there are any."""
        with contextlib.suppress(OSError):
            key = _key(workload)
            contents = {name: self._caches[name].read(key) for name in kept_files(workload)}
            if None not in contents.values():
                for name, content in contents.items():
                    (folder / name).write_bytes(content or b"")
                return True
        return False

    def add(self, workload: Workload, folder: Path) -> None:
        """Remember the fingerprints in a folder, unless they are too many."""
        files = [folder / name for name in kept_files(workload)]
        with contextlib.suppress(OSError):  # a photo that is gone has no key
            if all(file.stat().st_size <= _MOST_BYTES for file in files):
                for file in files:
                    self._caches[file.name].write(_key(workload), read_regular(file))


def _key(workload: Workload) -> str:
    """Return the key of a workload's fingerprints. Raises OSError if a photo cannot be read."""
    depends_on = {"fingerprints": _SCHEMA} | circumstances(workload)
    return key_of("references", depends_on, workload)[0]
