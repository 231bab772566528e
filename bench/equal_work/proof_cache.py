"""Proofs of equal work, remembered: the same pipeline over the same files is laid beside them once.

FOLDER/KEY.proof: the proof and its contact sheets, in one file, written in one step. A key holds
everything that the result depends on; what somebody else's code delivers is never remembered.
"""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from pathlib import Path

import msgspec

from feedbench.bench.machine.software import software
from feedbench.bench.prepared.preparation_task import key_of
from feedbench.bench.records.proof import REFERENCE_SHEET, Proof
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.contract import Workload

_SCHEMA = 1
_MOST_BYTES = 100_000_000  # of all proofs together; one takes 20 to 500 kB
_SUFFIX = ".proof"
_LISTS = {"files", "labels", "class_names"}  # that the key takes file by file


class _Entry(msgspec.Struct, frozen=True):
    proof: Proof
    sheets: dict[str, bytes]  # by what stands behind the stem; the references' by its name


class Proofs:
    """The proofs in a folder; None: nothing is remembered."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def find(self, spec: Spec, workload: Workload, sheet: Path | None) -> Proof | None:
        """Return the proof of a pipeline, and write its contact sheets; None where there is none.

        `sheet` is where they go, without a suffix.
        """
        if self._folder is None or spec.is_foreign or spec.python:
            return None
        try:
            content = self._file(self._folder, spec, workload).read_bytes()
            entry = msgspec.msgpack.decode(content, type=_Entry)
        except (OSError, msgspec.MsgspecError):
            return None
        if sheet is not None:
            for name, picture in entry.sheets.items():
                _sheet(sheet, name).write_bytes(picture)
        return msgspec.structs.replace(entry.proof, is_remembered=True)

    def add(self, spec: Spec, workload: Workload, proof: Proof, sheet: Path) -> None:
        """Remember a proof and its contact sheets; a folder that cannot be written forgets it.

        Not where images were missing, doubled or had wrong labels: that may have been an accident.
        """
        if self._folder is None or spec.is_foreign or spec.python or proof.is_wrong:
            return
        sheets = {}
        for name in (".webp", "_full.webp", REFERENCE_SHEET):
            with contextlib.suppress(FileNotFoundError):
                sheets[name] = _sheet(sheet, name).read_bytes()
        content = msgspec.msgpack.encode(_Entry(proof, sheets))
        with contextlib.suppress(OSError):
            to = self._file(self._folder, spec, workload)
            self._folder.mkdir(parents=True, exist_ok=True)
            _replace(to, content)
            _make_room(self._folder)

    @staticmethod
    def _file(folder: Path, spec: Spec, workload: Workload) -> Path:
        fields = {
            field.name: getattr(workload, field.name) for field in dataclasses.fields(workload)
        }
        depends_on = {
            "proof": _SCHEMA,
            "software": software(),
            "knobs": knobs.values(catalog.load(spec)),
            "workload": {name: fields[name] for name in fields if name not in _LISTS},
        }
        return folder / f"{key_of(spec.name, depends_on, workload)[0]}{_SUFFIX}"


def _replace(file: Path, content: bytes) -> None:
    """Write a file in one step; of one that cannot be written nothing is left. Raises OSError."""
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as new:
        try:
            new.write(content)
            new.flush()
            Path(new.name).replace(file)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise


def _sheet(stem: Path, name: str) -> Path:
    return stem.with_name(name if name == REFERENCE_SHEET else stem.name + name)


def _make_room(folder: Path) -> None:
    """Remove the oldest proofs, until all take what they may."""
    files = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda file: file.stat().st_mtime)
    total = sum(file.stat().st_size for file in files)
    for file in files:
        if total <= _MOST_BYTES:
            break
        total -= file.stat().st_size
        file.unlink()
