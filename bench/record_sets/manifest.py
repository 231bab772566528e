"""The manifest of a set of record files: what is in it, and a checksum of each file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from feedbench.bench.files import write_whole
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.regular_files import open_regular

SCHEMA = 1
NAME = "manifest.json"
FEATURES = {"image_raw": "bytes", "label": "int64", "id": "bytes"}
"""The features of each record, a tf.train.Example, and their kinds."""


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One record file that is complete."""

    file: str  # its name
    images: int
    bytes: int
    sha256: str  # of the file, hexadecimal

    def is_intact(self, folder: Path) -> bool:
        """Whether the file is in the folder, and its content is what was written."""
        try:
            return digest_of(folder / self.file) == (self.bytes, self.sha256)
        except OSError:
            return False


class RecordSet(msgspec.Struct, frozen=True, kw_only=True):
    """What `manifest.json` holds. It is written last: a folder that has it is complete."""

    schema: int = SCHEMA
    key: str  # of the photos and of what is stored of each
    made_at: str  # UTC, ISO 8601
    seconds: float  # to write what was not complete
    runner: str  # local or beam
    software: dict[str, str]  # package -> version
    folder: str  # of the photos
    spec: str  # the pipeline that writes the same records
    stored: dict[str, object]  # what the records depend on, apart from the photos
    class_names: list[str]  # a label is a place in it
    images: int
    bytes: int  # of all record files
    features: dict[str, str]  # of each record
    shards: list[Shard]


def read(folder: Path) -> RecordSet | None:
    """Return the manifest in a folder; None if there is none.

    Raises RequestError if it cannot be read.
    """
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=RecordSet)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise RequestError(
            f"{folder / NAME}: expected the manifest of record files; found {error}",
            hint="name another folder with --out",
        ) from None


def write(folder: Path, records: RecordSet) -> None:
    """Write the manifest in one step."""
    text = msgspec.json.format(msgspec.json.encode(records), indent=2)
    write_whole(folder / NAME, text + b"\n")


def digest_of(file: Path) -> tuple[int, str]:
    """Return the bytes of a file and its SHA-256. Raises OSError."""
    with os.fdopen(open_regular(file), "rb", buffering=0) as opened:
        digest = hashlib.file_digest(opened, "sha256")
        return os.fstat(opened.fileno()).st_size, digest.hexdigest()
