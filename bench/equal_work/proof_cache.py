"""Remembered proofs of equal work: the same pipeline and the same files are compared once.

FOLDER/KEY.proof holds the proof and its contact sheets in one file, written in one step. The key
covers everything that the result depends on. Proofs of a user's own code are never remembered.
"""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import msgspec

from feedbench.bench.disk_cache import DiskCache
from feedbench.bench.files import DAMAGED
from feedbench.bench.machine.software import software
from feedbench.bench.prepared.preparation_task import key_of
from feedbench.bench.records.proof import REFERENCE_SHEET, Proof
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.system.regular_files import read_regular

_SCHEMA = 3
_SHEETS = {".webp", "_full.webp", REFERENCE_SHEET}
MOST_BYTES = 100_000_000  # of all proofs together; one takes 20 to 500 kB
# The key covers the first three file by file. A proof does not depend on the other part.
_LISTS = {"files", "labels", "class_names", "validation_files", "validation_labels"}


class _Entry(msgspec.Struct, frozen=True):
    proof: Proof
    sheets: dict[str, bytes]  # by the suffix after the stem; the references' sheet by its name


class ProofCache:
    """The proofs in a folder; without a folder, none is remembered."""

    def __init__(self, folder: Path | None, *, most_bytes: int = MOST_BYTES) -> None:
        """Open a folder whose proofs may take `most_bytes` together."""
        self.folder = folder
        self._cache = DiskCache(folder, suffix=".proof", most_bytes=most_bytes)

    def find(self, spec: Spec, workload: Workload, sheet: Path | None) -> Proof | None:
        """Return the proof of a pipeline, and write its contact sheets; None if there is none.

        `sheet` is the path of the contact sheets without a suffix.
        """
        if not self._may_hold(spec):
            return None
        try:
            content = self._cache.read(_key(spec, workload))
            entry = None if content is None else msgspec.msgpack.decode(content, type=_Entry)
        except (OSError, *DAMAGED):
            return None
        if entry is None:
            return None
        if sheet is not None:
            for name in _SHEETS & entry.sheets.keys():  # a damaged file may name others
                _sheet(sheet, name).write_bytes(entry.sheets[name])
        return msgspec.structs.replace(entry.proof, is_remembered=True)

    def add(self, spec: Spec, workload: Workload, proof: Proof, sheet: Path) -> None:
        """Remember a proof and its contact sheets, if the folder can be written.

        A proof of missing or doubled images or wrong labels is not kept: it may be an accident.
        """
        if not self._may_hold(spec) or proof.is_wrong:
            return
        sheets = {}
        for name in _SHEETS:
            with contextlib.suppress(OSError):
                sheets[name] = read_regular(_sheet(sheet, name))
        with contextlib.suppress(OSError):  # a photo that is gone has no key
            key = _key(spec, workload)
            self._cache.write(key, msgspec.msgpack.encode(_Entry(proof, sheets)))

    def _may_hold(self, spec: Spec) -> bool:
        """Whether the key has all that a proof depends on; it lacks the versions of peers."""
        is_keyed = not (spec.is_foreign or spec.is_peer or spec.python)
        return self.folder is not None and is_keyed


def _key(spec: Spec, workload: Workload) -> str:
    """Return the key of a pipeline's proof. Raises OSError if a photo cannot be read."""
    depends_on = {"proof": _SCHEMA, "knobs": knobs.values(catalog.load(spec))}
    return key_of(spec.name, depends_on | circumstances(workload), workload)[0]


def circumstances(workload: Workload) -> dict[str, object]:
    """Return what any proof over a workload depends on, apart from its images and labels."""
    fields = {field.name: getattr(workload, field.name) for field in dataclasses.fields(workload)}
    of_all = {name: fields[name] for name in fields if name not in _LISTS}
    return {"software": software(), "workload": of_all}


def _sheet(stem: Path, name: str) -> Path:
    return stem.with_name(name if name == REFERENCE_SHEET else stem.name + name)
