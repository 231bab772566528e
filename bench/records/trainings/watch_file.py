"""Reading and writing of the file of `feedbench.watch`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from feedbench.bench import files
from feedbench.bench.records.trainings.watch import SCHEMA, WatchRecord
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.regular_files import read_regular


class _Head(msgspec.Struct, frozen=True):
    kind: object = None
    schema: object = None


def write_watch(file: Path, record: WatchRecord) -> None:
    """Replace the file in one step. Raises RequestError if it cannot be written."""
    content = msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"
    files.replace(file, content, option="out=")


def read_watch(file: Path) -> WatchRecord:
    """Read the file. Raises RequestError if it is missing, of another kind or schema, or broken."""
    hint = "name a file that feedbench.watch wrote, or the folder of a run"
    try:
        content = read_regular(file)
        head = msgspec.json.decode(content, type=_Head)
    except OSError as error:
        raise RequestError(f"cannot read {file}: {error.strerror}", hint=hint) from error
    except files.DAMAGED as error:
        raise RequestError(
            f"{file}: expected a file of feedbench.watch; found no JSON object ({error})", hint=hint
        ) from error
    if head.kind != "watch":
        raise RequestError(
            f"{file}: expected a file of feedbench.watch; found other JSON", hint=hint
        )
    if head.schema != SCHEMA:
        raise RequestError(
            f"{file}: expected schema {SCHEMA}; found {head.schema}",
            hint="use the version of Feedbench that wrote it",
        )
    try:
        return msgspec.json.decode(content, type=WatchRecord)
    except files.DAMAGED as error:
        raise RequestError(f"{file} is broken: {error}", hint=hint) from error
