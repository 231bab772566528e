"""TFRecord files as people have them, written by TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from feedbench.bench.prepared.store import Store
from feedbench.bench.records.messages import Event, Failed, Prepared
from feedbench.bench.tfrecords.catalogue import IMAGES, index_extracted
from feedbench.bench.tfrecords.extraction_task import serve
from feedbench.bench.tfrecords.task import Extraction
from feedbench.pipelines.images.index import Index

Values = bytes | str | int | float | list[Any]


def example(**features: Values) -> bytes:
    """A tf.train.Example; `__` in a name stands for a slash."""
    import tensorflow as tf

    def feature(given: Values) -> Any:
        values = given if isinstance(given, list) else [given]
        texts = [value.encode() if isinstance(value, str) else value for value in values]
        if all(isinstance(value, bytes) for value in texts):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=texts))
        if all(isinstance(value, int) for value in texts):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=texts))
        return tf.train.Feature(float_list=tf.train.FloatList(value=texts))

    named = {name.replace("__", "/"): feature(values) for name, values in features.items()}
    record: bytes = tf.train.Example(features=tf.train.Features(feature=named)).SerializeToString()
    return record


def write(file: Path, records: Iterable[bytes], compression: str = "") -> Path:
    import tensorflow as tf

    file.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(file), tf.io.TFRecordOptions(compression)) as writer:
        for record in records:
            writer.write(record)
    return file


def write_shards(photos: Path, folder: Path, first_label: int = 0) -> str:
    """Write a folder of photos as a plain, a GZIP and a ZLIB file, and return their pattern."""
    classes = sorted(entry.name for entry in photos.iterdir() if entry.is_dir())
    images = [
        (file, label)
        for label, name in enumerate(classes, first_label)
        for file in sorted((photos / name).iterdir())
        if file.suffix in {".jpg", ".png", ".jpeg"}
    ]
    for number, compression in enumerate(("", "GZIP", "ZLIB")):
        write(
            folder / f"train-{number}.tfrecord",
            [
                example(image_raw=file.read_bytes(), label=label, height=3)
                for file, label in images[number::3]
            ],
            compression,
        )
    return str(folder / "train-*.tfrecord")


def extract(
    store: Path, pattern: object, *, classes: tuple[str, ...] | None = None, **keys: str
) -> Index | Failed:
    """Extract images as the process for that does: their index, or what failed."""
    task = Extraction.of(str(pattern), classes=classes, **keys)
    store.mkdir(exist_ok=True)
    task.write(store / "task.json")
    events: list[Event] = []
    serve(store / "task.json", Store(store), events.append)
    last = events[-1]
    if isinstance(last, Failed):
        return last
    assert isinstance(last, Prepared)
    return index_extracted(Path(last.folder) / IMAGES)
