"""What extraction leaves: a folder of images, and next to it the list of them. No TensorFlow.

FOLDER/images/CLASS/NAME  the images
FOLDER/records.json       what they were extracted from

JSON by the standard library, which keeps names that are not valid UTF-8.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from feedbench.pipelines.contract import Records
from feedbench.pipelines.images.index import Index
from feedbench.pipelines.system.regular_files import read_regular

IMAGES = "images"
_LIST = "records.json"


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The images of some record files, by class and name."""

    records: Records
    class_names: tuple[str, ...]
    files: tuple[str, ...]  # relative to the folder of images
    labels: tuple[int, ...]
    notes: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Write the list."""
        (folder / _LIST).write_text(json.dumps(dataclasses.asdict(self)), encoding="ascii")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the list that `write` wrote."""
        return msgspec.convert(json.loads(read_regular(folder / _LIST).decode("ascii")), cls)


def index_extracted(images: Path) -> Index:
    """Return the index of extracted images, by the list next to their folder."""
    catalogue = Catalogue.read(images.parent)
    return Index(
        folder=images.absolute(),
        class_names=catalogue.class_names,
        files=catalogue.files,
        labels=catalogue.labels,
        ignored=0,
        notes=catalogue.notes,
        records=catalogue.records,
    )
