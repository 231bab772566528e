"""The process that extracts the images of record files. TensorFlow reads and parses the records."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from feedbench.bench.prepared.preparation_task import prepared
from feedbench.bench.prepared.store import Source, Store
from feedbench.bench.processes.folder_views import class_folders
from feedbench.bench.records.messages import Counted, Event, Failed, Phase
from feedbench.bench.text import counted
from feedbench.bench.tfrecords import features as of_record
from feedbench.bench.tfrecords.catalogue import IMAGES, Catalogue
from feedbench.bench.tfrecords.classes import Classes, classes_of
from feedbench.bench.tfrecords.features import Feature, Features, Label
from feedbench.bench.tfrecords.record_files import short_names
from feedbench.bench.tfrecords.task import PIPELINE, Extraction
from feedbench.pipelines.built_in.autotune import untuned
from feedbench.pipelines.contract import Records
from feedbench.pipelines.errors import FeedbenchError, PreparationError, RequestError
from feedbench.pipelines.images.file_formats import signature_of
from feedbench.pipelines.images.index import image_id, shown
from feedbench.pipelines.remote.address import is_address
from feedbench.pipelines.tfrecords.stored_records import records_of

_PROGRESS_SECONDS = 0.5
_TEXT_KEYS = {"image/class/label": "image/class/text"}  # the feature with a label's name
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif", "BMP": ".bmp", "WebP": ".webp"}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}

Say = Callable[[Event], Any]


def serve(file: Path, store: Store, say: Say) -> None:
    """Extract what the task in `file` asks for into the store, and report the result."""
    try:
        _obtain(Extraction.read(file), store, say)
    except FeedbenchError as error:
        say(Failed(sentence=error.sentence, hint=error.hint))


def _obtain(task: Extraction, store: Store, say: Say) -> None:
    key = task.key()
    work = _Work(task, say)

    def extract(folder: Path) -> None:
        work.run(folder)
        if task.key() != key:
            raise PreparationError(
                f"the record files {shown(task.pattern)} changed while they were read",
                hint="run it again when nothing writes to them",
            )

    def source() -> Source:
        return Source(
            pipeline=PIPELINE,
            depends_on={"image_key": task.image_key, "label_key": task.label_key},
            folder=image_id(task.pattern),
            images=work.images,
            bytes=task.source_bytes,
        )

    manifest, was_found = store.obtain(
        key, source, extract, on_wait=lambda: say(Phase(name="waiting", at=0.0))
    )
    say(prepared(store.files(key), manifest, was_found=was_found))


class _Work:
    """Reads record after record, and writes each image to the folder of its label."""

    def __init__(self, task: Extraction, say: Say) -> None:
        self._task = task
        self._say = say
        self._image_key = ""
        self._label_key = ""
        self._latest = 0.0
        self._folders: dict[Label, Path] = {}  # of each label, until the classes are known
        self._texts: dict[Label, str] = {}
        self._entries: list[tuple[Label, str, tuple[int, int]]] = []  # label, name, place

    @property
    def images(self) -> int:
        """How many images were extracted."""
        return len(self._entries)

    def run(self, folder: Path) -> None:
        """Extract all images into an empty folder. Raises RequestError and PreparationError."""
        needed, free = self._task.source_bytes, shutil.disk_usage(folder).free
        if free < needed:
            raise _no_room(folder, f"need at least {needed / 1e6:,.1f} MB")
        try:
            images = folder / IMAGES
            images.mkdir()
            compressions = self._task.compressions
            counts = self._extract(images, compressions)
            if not self._entries:
                what = "images of these classes" if sum(counts) else "records"
                pattern = shown(self._task.pattern)
                raise RequestError(f"--records {pattern}: expected {what}; found none")
            self._catalogue(images, compressions, counts).write(folder)
        except OSError as error:
            if isinstance(error, FeedbenchError) or error.errno not in _NO_ROOM:
                raise
            raise _no_room(folder, "do not fit") from error

    def _extract(self, images: Path, compressions: tuple[str, ...]) -> list[int]:
        """Write the images, and return the number of records in each file."""
        counts = []
        names = short_names(self._task.files)
        for number, (file, compression) in enumerate(
            zip(self._task.files, compressions, strict=True)
        ):
            count = 0
            for record in records_in(file, compression):
                where = f"record {count:,} of {shown(file)}"
                try:
                    self._add(record, images, f"{names[number]}-{count:07d}", (number, count))
                except RequestError as error:
                    raise RequestError(f"{where}: {error.sentence}", hint=error.hint) from None
                count += 1
            counts.append(count)
        return counts

    def _add(self, record: bytes, images: Path, name: str, place: tuple[int, int]) -> None:
        """Write the image of one record to the folder of its label."""
        features = features_of(record)
        if not self._image_key:
            self._image_key = of_record.image_key(features, self._task.image_key)
            self._label_key = of_record.label_key(features, self._task.label_key, self._image_key)
            first = of_record.image_in(features, self._image_key)
            of_record.refuse_not_encoded(first, self._image_key)
        label = of_record.label_in(features, self._label_key)
        image = of_record.image_in(features, self._image_key)
        asked = self._task.classes
        if isinstance(label, str) and asked is not None and label not in asked:
            self._folders.setdefault(label, Path())
            return
        self._note_text(features, label)
        file = self._folder(images, label) / f"{name}{_suffix(image)}"
        file.write_bytes(image)
        self._entries.append((label, file.name, place))
        self._report()

    def _note_text(self, features: Features, label: Label) -> None:
        key = _TEXT_KEYS.get(self._label_key)
        text = None if key is None else of_record.text_in(features, key)
        if text is not None and self._texts.setdefault(label, text) != text:
            raise RequestError(
                f"the label {label} has the text {text!r}, and in an earlier record"
                f" {self._texts[label]!r}; expected one text a label",
                hint="name the feature that holds the class with --label-key",
            )

    def _folder(self, images: Path, label: Label) -> Path:
        if label not in self._folders:
            self._folders[label] = images / f".{len(self._folders)}"
            self._folders[label].mkdir()
        return self._folders[label]

    def _catalogue(
        self, images: Path, compressions: tuple[str, ...], counts: list[int]
    ) -> Catalogue:
        """Name the folders by their classes, and return the list of the images."""
        classes = classes_of(self._folders, self._texts, self._task.classes)
        names = class_folders(classes.names)
        folders = dict(zip(classes.values, names, strict=True))
        places = {value: label for label, value in enumerate(classes.values)}
        for value, folder in folders.items():
            if value in self._folders:
                self._folders[value].rename(images / folder)
        entries = sorted(
            (places[value], f"{folders[value]}/{name}", place)
            for value, name, place in self._entries
        )
        return Catalogue(
            records=Records(
                files=self._task.files,
                compressions=compressions,
                counts=tuple(counts),
                image_key=self._image_key,
                label_key=self._label_key,
                label_values=classes.values,
                places=tuple(place for _, _, place in entries),
            ),
            class_names=classes.names,
            files=tuple(file for _, file, _ in entries),
            labels=tuple(label for label, _, _ in entries),
            notes=self._notes(classes, compressions),
        )

    def _notes(self, classes: Classes, compressions: tuple[str, ...]) -> tuple[str, ...]:
        kinds = Counter(compressions)
        compressed = ", ".join(f"{kinds[kind]} {kind}" for kind in ("GZIP", "ZLIB") if kinds[kind])
        files = counted(len(compressions), "record file") + (f" ({compressed})" * bool(compressed))
        source = (
            f"The images are from {files} {shown(self._task.pattern)}: images in"
            f" {shown(self._image_key)}, labels in {shown(self._label_key)}."
        )
        return (source, *classes.notes)

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._latest > _PROGRESS_SECONDS:
            self._latest = now
            self._say(Counted(images=self.images))


def records_in(file: str, compression: str) -> Iterator[bytes]:
    """Yield the records of a file. Raises RequestError if one is damaged, or cannot be read."""
    import tensorflow as tf

    count = 0
    try:
        for record in (
            records_of(file, compression)
            if is_address(file)
            else untuned(
                tf.data.TFRecordDataset(os.fsencode(file), compression)
            ).as_numpy_iterator()
        ):
            yield record
            count += 1
    except OSError as error:  # of a store
        raise RequestError(
            f"{file} cannot be read after {counted(count, 'record')}: {error.strerror}",
            hint="write or copy the file again, or leave it out of --records",
        ) from None
    except tf.errors.OpError as error:
        what = "is damaged" if count else "is damaged, or not a TFRecord file"
        if isinstance(error, (tf.errors.PermissionDeniedError, tf.errors.NotFoundError)):
            what = "cannot be read"
        raise RequestError(
            f"{shown(file)} {what}: expected a whole record after {counted(count, 'record')}",
            hint="write or copy the file again, or leave it out of --records",
        ) from None


def features_of(record: bytes) -> Features:
    """Return the features of a record. Raises RequestError, with a clause."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    try:
        example = tf.train.Example.FromString(record)
    except DecodeError:
        raise RequestError(
            f"expected a tf.train.Example; found {len(record):,} bytes of another kind",
            hint="write the records as tf.train.Example, with an encoded image and a label each",
        ) from None
    return {name: _feature(each) for name, each in example.features.feature.items()}


def _feature(feature: Any) -> Feature:
    match feature.WhichOneof("kind"):
        case "bytes_list":
            return Feature("bytes", feature.bytes_list.value)
        case "float_list":
            return Feature("float", feature.float_list.value)
        case "int64_list":
            return Feature("int64", feature.int64_list.value)
        case _:
            return Feature("nothing", ())


def _suffix(image: bytes) -> str:
    """Return a suffix for the content; an image of no known format is judged later."""
    return _SUFFIXES.get(signature_of(image) or "", ".bin")


def _no_room(folder: Path, what: str) -> PreparationError:
    free = shutil.disk_usage(folder).free
    return PreparationError(
        f"the images of the records {what}, but {free / 1e6:,.1f} MB are free in {folder}",
        hint="free some space, or choose another folder with --prepared",
    )
