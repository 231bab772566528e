"""What extraction is asked to do, as a file for the process that does it. No TensorFlow."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from feedbench.bench.text import counted
from feedbench.bench.tfrecords.record_files import compression_of, files_of
from feedbench.pipelines.remote.address import is_address
from feedbench.pipelines.remote.errors import unreadable
from feedbench.pipelines.remote.reading import Stamp, mapped, stamps_or_errors, total_size
from feedbench.pipelines.tfrecords.stored_records import refuse_compression

_SCHEMA = 1
PIPELINE = "records"
"""The name under which the store lists extracted images."""


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """Which images to extract, and from where."""

    pattern: str  # as the user wrote it
    files: tuple[str, ...]  # absolute paths, or addresses in a store
    image_key: str | None = None  # None: to be found
    label_key: str | None = None
    classes: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        pattern: str,
        image_key: str | None = None,
        label_key: str | None = None,
        classes: tuple[str, ...] | None = None,
    ) -> Self:
        """Return the extraction from the files of a pattern. Raises RequestError for none."""
        return cls(
            pattern=pattern,
            files=files_of(pattern),
            image_key=image_key,
            label_key=label_key,
            classes=classes,
        )

    @property
    def compressions(self) -> tuple[str, ...]:
        """How each file is compressed, as TensorFlow names it.

        Raises RequestError for one that a store has and only TensorFlow reads.
        """
        found = tuple(mapped(compression_of, self.files))
        for file, compression in zip(self.files, found, strict=True):
            refuse_compression(file, compression)
        return found

    @property
    def source_bytes(self) -> int:
        """The bytes of all files."""
        return total_size(self.files)

    def key(self) -> str:
        """Return a name in the store that is unique to the files, their times and the request.

        A change of a file that keeps its size and its time goes undetected. Raises RequestError if
        a store lists files that it does not let be read.
        """
        head = [_SCHEMA, self.image_key, self.label_key, self.classes]
        digest = hashlib.sha256(json.dumps(head).encode())
        for file, (size, changed) in zip(self.files, self._stamps(), strict=True):
            digest.update(b"\n%d %d " % (size, changed) + os.fsencode(file))
        return f"{PIPELINE}-{digest.hexdigest()[:20]}"

    def _stamps(self) -> list[Stamp]:
        answers = stamps_or_errors(self.files)
        errors = [
            (file, each)
            for file, each in zip(self.files, answers, strict=True)
            if isinstance(each, OSError)
        ]
        if errors:
            first, error = errors[0]
            if not is_address(first):
                raise error
            what = f"{len(errors):,} of {counted(len(self.files), 'record file')}"
            reason = error.strerror or str(error)
            raise unreadable(f"--records {self.pattern}", what, first, reason) from None
        return [each for each in answers if not isinstance(each, OSError)]

    def write(self, file: Path) -> None:
        """Write it as ASCII JSON, which keeps names that are not UTF-8."""
        file.write_text(json.dumps(dataclasses.asdict(self)), encoding="ascii")

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read what `write` wrote."""
        return msgspec.convert(json.loads(file.read_text(encoding="ascii")), cls)
