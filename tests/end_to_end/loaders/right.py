"""Right loaders as people write them, one function each. `feedbench verify` runs them all."""

# ruff: noqa: NPY002 - as people write them

from __future__ import annotations

import math
import multiprocessing
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

AUTOTUNE = tf.data.AUTOTUNE


# tf.data


def decode(file: Any, label: Any, workload: Any) -> Any:
    image = tf.io.decode_jpeg(tf.io.read_file(file), channels=3, dct_method="INTEGER_ACCURATE")
    return tf.image.resize(image, (workload.height, workload.width)) / 255, label


def samples(workload: Any) -> Any:
    files, labels = list(workload.files), list(workload.labels)
    return tf.data.Dataset.from_tensor_slices((files, labels)).shuffle(len(files))


def images(workload: Any) -> Any:
    return samples(workload).map(
        lambda file, label: decode(file, label, workload), num_parallel_calls=AUTOTUNE
    )


def tfdata(workload: Any) -> Any:
    return images(workload).batch(workload.batch_size)


def tfdata_prefetched(workload: Any) -> Any:
    return tfdata(workload).prefetch(AUTOTUNE)


def tfdata_cached(workload: Any) -> Any:
    cached = images(workload).cache().shuffle(len(workload.files))
    return cached.batch(workload.batch_size).prefetch(AUTOTUNE)


def tfdata_cached_in_file(workload: Any) -> Any:
    cached = images(workload).cache(str(Path(workload.scratch) / "cache"))
    return cached.shuffle(len(workload.files)).batch(workload.batch_size)


def tfdata_not_deterministic(workload: Any) -> Any:
    return (
        samples(workload)
        .map(
            lambda file, label: decode(file, label, workload),
            num_parallel_calls=4,
            deterministic=False,
        )
        .batch(workload.batch_size, num_parallel_calls=2)
    )


def tfdata_list_files(workload: Any) -> Any:
    names = tf.constant(workload.class_names)

    def labelled(file: Any) -> Any:
        name = tf.strings.split(file, "/")[-2]
        return decode(file, tf.argmax(names == name), workload)

    files = tf.data.Dataset.list_files(f"{workload.folder}/*/*.jpg")
    return files.map(labelled).batch(workload.batch_size)


def tfdata_interleaved(workload: Any) -> Any:
    def of_class(label: Any) -> Any:
        chosen = tf.boolean_mask(list(workload.files), tf.equal(list(workload.labels), label))
        files = tf.data.Dataset.from_tensor_slices(chosen).shuffle(len(workload.files))
        return files.map(lambda file: decode(file, label, workload))

    classes = tf.data.Dataset.range(len(workload.class_names)).map(lambda at: tf.cast(at, tf.int32))
    mixed = classes.interleave(of_class, cycle_length=len(workload.class_names))
    return mixed.batch(workload.batch_size)


def tfds_style_dicts(workload: Any) -> Any:
    def as_example(image: Any, label: Any) -> Any:
        return {"image": image, "label": tf.cast(label, tf.int64)}

    return images(workload).map(as_example).batch(workload.batch_size)


def with_sample_weights(workload: Any) -> Any:
    return tfdata(workload).map(lambda x, y: (x, y, tf.ones_like(y, tf.float32)))


def int64_labels(workload: Any) -> Any:
    return tfdata(workload).map(lambda x, y: (x, tf.cast(y, tf.int64)))


def labels_in_a_column(workload: Any) -> Any:
    return tfdata(workload).map(lambda x, y: (x, y[:, tf.newaxis]))


def tfdata_with_the_default_transform(workload: Any) -> Any:
    def read(file: Any, label: Any) -> Any:
        image = tf.io.decode_image(tf.io.read_file(file), 3, expand_animations=False)
        return tf.image.resize(image, (workload.height, workload.width)) / 255, label

    return samples(workload).map(read).batch(workload.batch_size)


def tfdata_antialiased(workload: Any) -> Any:
    def read(file: Any, label: Any) -> Any:
        image = tf.io.decode_jpeg(tf.io.read_file(file), 3, dct_method="INTEGER_ACCURATE")
        size = (workload.height, workload.width)
        return tf.image.resize(image, size, antialias=True) / 255, label

    return samples(workload).map(read).batch(workload.batch_size)


def tfdata_converted_first(workload: Any) -> Any:
    def read(file: Any, label: Any) -> Any:
        image = tf.io.decode_jpeg(tf.io.read_file(file), 3, dct_method="INTEGER_ACCURATE")
        image = tf.image.convert_image_dtype(image, tf.float32)
        return tf.image.resize(image, (workload.height, workload.width)), label

    return samples(workload).map(read).batch(workload.batch_size)


def keras_layers_in_map(workload: Any) -> Any:
    resizing = keras.layers.Resizing(workload.height, workload.width)
    rescaling = keras.layers.Rescaling(1 / 255)

    def read(file: Any, label: Any) -> Any:
        image = tf.io.decode_jpeg(tf.io.read_file(file), channels=3)
        return rescaling(resizing(image)), label

    return samples(workload).map(read).batch(workload.batch_size)


def tfrecords(workload: Any) -> Any:
    file = str(Path(workload.scratch) / "photos.tfrecord")
    with tf.io.TFRecordWriter(file) as writer:
        for path, label in zip(workload.files, workload.labels, strict=True):
            features = {
                "image": tf.train.Feature(
                    bytes_list=tf.train.BytesList(value=[Path(path).read_bytes()])
                ),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    parts = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }

    def read(record: Any) -> Any:
        example = tf.io.parse_single_example(record, parts)
        image = tf.io.decode_jpeg(example["image"], channels=3)
        image = tf.image.resize(image, (workload.height, workload.width)) / 255
        return image, tf.cast(example["label"], tf.int32)

    shuffled = tf.data.TFRecordDataset(file).shuffle(len(workload.files))
    return shuffled.map(read).batch(workload.batch_size)


# Keras


def keras_directory(workload: Any) -> Any:
    dataset = keras.utils.image_dataset_from_directory(
        workload.folder,
        image_size=(workload.height, workload.width),
        batch_size=workload.batch_size,
    )
    return dataset.map(lambda x, y: (x / 255, y))


def keras_directory_with_rescaling(workload: Any) -> Any:
    dataset = keras.utils.image_dataset_from_directory(
        workload.folder,
        label_mode="int",
        image_size=(workload.height, workload.width),
        batch_size=workload.batch_size,
        seed=123,
    )
    rescaling = keras.layers.Rescaling(1 / 255)
    return dataset.map(lambda x, y: (rescaling(x), y)).cache().prefetch(AUTOTUNE)


def flow_from_directory(workload: Any) -> Any:
    generator = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255)
    return generator.flow_from_directory(
        workload.folder,
        target_size=(workload.height, workload.width),
        batch_size=workload.batch_size,
        class_mode="sparse",
        interpolation="bilinear",
    )


class Photos(keras.utils.PyDataset):  # type: ignore[misc] # Keras ships no types
    def __init__(self, workload: Any, **options: Any) -> None:
        super().__init__(**options)
        self.workload = workload
        self.order = np.random.permutation(len(workload.files))

    def __len__(self) -> int:
        return math.ceil(len(self.order) / int(self.workload.batch_size))

    def __getitem__(self, place: int) -> Any:
        size = self.workload.batch_size
        chosen = self.order[place * size : (place + 1) * size]
        return pillow_batch(chosen, self.workload)

    def on_epoch_end(self) -> None:
        np.random.shuffle(self.order)


def py_dataset(workload: Any) -> Any:
    return Photos(workload)


def py_dataset_with_workers(workload: Any) -> Any:
    return Photos(workload, workers=2, max_queue_size=4)


def keras_load_img(workload: Any) -> Iterator[Any]:
    size = (workload.height, workload.width)
    order = np.random.permutation(len(workload.files))
    for start in range(0, len(order), workload.batch_size):
        chosen = order[start : start + workload.batch_size]
        loaded = [
            keras.utils.load_img(workload.files[at], target_size=size, interpolation="bilinear")
            for at in chosen
        ]
        x = np.stack([keras.utils.img_to_array(image) for image in loaded]) / 255
        yield x, np.asarray(workload.labels)[chosen]


# Python


def pillow_image(file: str, workload: Any) -> Any:
    with Image.open(file) as image:
        size = (workload.width, workload.height)
        small = image.convert("RGB").resize(size, Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32) / 255


def pillow_batch(places: Any, workload: Any) -> Any:
    x = np.stack([pillow_image(workload.files[at], workload) for at in places])
    return x, np.asarray([workload.labels[at] for at in places])


def batches_of(order: Any, workload: Any) -> list[Any]:
    size = workload.batch_size
    return [order[start : start + size] for start in range(0, len(order), size)]


def generator(workload: Any) -> Iterator[Any]:
    for places in batches_of(np.random.permutation(len(workload.files)), workload):
        yield pillow_batch(places, workload)


def from_generator(workload: Any) -> Any:
    def each() -> Iterator[Any]:
        for at in np.random.permutation(len(workload.files)):
            yield pillow_image(workload.files[at], workload), workload.labels[at]

    signature = (
        tf.TensorSpec((workload.height, workload.width, 3), tf.float32),
        tf.TensorSpec((), tf.int64),
    )
    dataset = tf.data.Dataset.from_generator(each, output_signature=signature)
    return dataset.batch(workload.batch_size)


def numpy_function(workload: Any) -> Any:
    def read(file: Any, label: Any) -> Any:
        image = tf.numpy_function(
            lambda name: pillow_image(name.decode(), workload), [file], tf.float32
        )
        return tf.ensure_shape(image, (workload.height, workload.width, 3)), label

    return samples(workload).map(read, AUTOTUNE).batch(workload.batch_size)


def list_of_batches(workload: Any) -> list[Any]:
    order = np.random.permutation(len(workload.files))
    return [pillow_batch(places, workload) for places in batches_of(order, workload)]


class HuggingFaceStyle:
    """All images in memory; dicts with the names of that library."""

    def __init__(self, workload: Any) -> None:
        self.workload = workload
        self.pixels, self.labels = pillow_batch(range(len(workload.files)), workload)

    def __iter__(self) -> Iterator[Any]:
        for places in batches_of(np.random.permutation(len(self.labels)), self.workload):
            yield {"pixel_values": self.pixels[places], "labels": self.labels[places]}


def dicts_from_memory(workload: Any) -> Any:
    return HuggingFaceStyle(workload)


def thread_pool(workload: Any) -> Iterator[Any]:
    with ThreadPoolExecutor(4) as pool:
        for places in batches_of(np.random.permutation(len(workload.files)), workload):
            files = [workload.files[at] for at in places]
            x = np.stack(list(pool.map(lambda file: pillow_image(file, workload), files)))
            yield x, np.asarray(workload.labels, np.int32)[places]


class DataLoader:
    """What torch's DataLoader does with threads: samplers, workers, a queue, a collate function."""

    def __init__(self, workload: Any, workers: int) -> None:
        self.workload, self.workers = workload, workers

    def __len__(self) -> int:
        return math.ceil(len(self.workload.files) / int(self.workload.batch_size))

    def __iter__(self) -> Iterator[Any]:
        order = np.random.permutation(len(self.workload.files))
        todo: queue.Queue[Any] = queue.Queue()
        done: queue.Queue[Any] = queue.Queue(4)
        for places in batches_of(order, self.workload):
            todo.put(places)
        for _ in range(self.workers):
            threading.Thread(target=self._work, args=(todo, done), daemon=True).start()
        for _ in range(len(self)):
            yield list(done.get())

    def _work(self, todo: queue.Queue[Any], done: queue.Queue[Any]) -> None:
        while True:
            try:
                places = todo.get_nowait()
            except queue.Empty:
                return
            done.put(pillow_batch(places, self.workload))


def torch_style(workload: Any) -> Any:
    return DataLoader(workload, workers=2)


class Seeded:
    """The order comes from a seed and the number of the epoch, as Grain and torch have it."""

    def __init__(self, workload: Any) -> None:
        self.workload = workload

    def __iter__(self) -> Iterator[Any]:
        return self._epoch(0)

    def repeat(self) -> Iterator[Any]:
        epoch = 0
        while True:
            yield from self._epoch(epoch)
            epoch += 1

    def _epoch(self, number: int) -> Iterator[Any]:
        rng = np.random.default_rng((self.workload.seed, number))
        for places in batches_of(rng.permutation(len(self.workload.files)), self.workload):
            yield pillow_batch(places, self.workload)


def seeded_by_epoch(workload: Any) -> Any:
    return Seeded(workload)


def process_pool(workload: Any) -> Iterator[Any]:
    places = batches_of(np.random.permutation(len(workload.files)), workload)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        yield from pool.starmap(pillow_batch, [(part, workload) for part in places])
