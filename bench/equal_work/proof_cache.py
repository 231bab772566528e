"""Proofs of equal work, remembered: the same pipeline over the same files is laid beside them once.

FOLDER/KEY.proof: the proof and its contact sheets, in one file, written in one step. A key holds
everything that the result depends on; what somebody else's code delivers is never remembered.
"""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import msgspec

from feedbench.bench.disk_cache import DiskCache
from feedbench.bench.machine.software import software
from feedbench.bench.prepared.preparation_task import key_of
from feedbench.bench.records.proof import REFERENCE_SHEET, Proof
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.contract import Workload

_SCHEMA = 1
MOST_BYTES = 100_000_000  # of all proofs together; one takes 20 to 500 kB
_LISTS = {"files", "labels", "class_names"}  # that the key takes file by file


class _Entry(msgspec.Struct, frozen=True):
    proof: Proof
    sheets: dict[str, bytes]  # by what stands behind the stem; the references' by its name


class ProofCache:
    """The proofs in a folder; None: nothing is remembered."""

    def __init__(self, folder: Path | None, *, most_bytes: int = MOST_BYTES) -> None:
        """Take the folder, and the bytes that all proofs may take together."""
        self._cache = DiskCache(folder, suffix=".proof", most_bytes=most_bytes)
        self._is_used = folder is not None

    def find(self, spec: Spec, workload: Workload, sheet: Path | None) -> Proof | None:
        """Return the proof of a pipeline, and write its contact sheets; None where there is none.

        `sheet` is where they go, without a suffix.
        """
        if not self._may_hold(spec):
            return None
        try:
            content = self._cache.read(_key(spec, workload))
            entry = None if content is None else msgspec.msgpack.decode(content, type=_Entry)
        except (OSError, msgspec.MsgspecError):
            return None
        if entry is None:
            return None
        if sheet is not None:
            for name, picture in entry.sheets.items():
                _sheet(sheet, name).write_bytes(picture)
        return msgspec.structs.replace(entry.proof, is_remembered=True)

    def add(self, spec: Spec, workload: Workload, proof: Proof, sheet: Path) -> None:
        """Remember a proof and its contact sheets; a folder that cannot be written forgets it.

        Not where images were missing, doubled or had wrong labels: that may have been an accident.
        """
        if not self._may_hold(spec) or proof.is_wrong:
            return
        sheets = {}
        for name in (".webp", "_full.webp", REFERENCE_SHEET):
            with contextlib.suppress(FileNotFoundError):
                sheets[name] = _sheet(sheet, name).read_bytes()
        with contextlib.suppress(OSError):  # a photo that is gone has no key
            key = _key(spec, workload)
            self._cache.write(key, msgspec.msgpack.encode(_Entry(proof, sheets)))

    def _may_hold(self, spec: Spec) -> bool:
        return self._is_used and not spec.is_foreign and not spec.python


def _key(spec: Spec, workload: Workload) -> str:
    """Return the key of a pipeline's proof. Raises OSError if a photo cannot be looked at."""
    fields = {field.name: getattr(workload, field.name) for field in dataclasses.fields(workload)}
    depends_on = {
        "proof": _SCHEMA,
        "software": software(),
        "knobs": knobs.values(catalog.load(spec)),
        "workload": {name: fields[name] for name in fields if name not in _LISTS},
    }
    return key_of(spec.name, depends_on, workload)[0]


def _sheet(stem: Path, name: str) -> Path:
    return stem.with_name(name if name == REFERENCE_SHEET else stem.name + name)
