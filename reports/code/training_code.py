"""A built-in pipeline as Python code to paste into a training script.

The code delivers the same batches without Feedbench. It needs TensorFlow, and the dependencies of
ImageDataGenerator if it uses that. It holds only the steps that the knobs in effect ask for. This
module imports no TensorFlow.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache, lru_cache, partial
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from feedbench.bench.records.row import Row
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.built_in.keras.image_dataset_from_directory import (
    ImageDatasetFromDirectory,
)
from feedbench.pipelines.built_in.keras.image_dataset_from_directory_grain import (
    ImageDatasetFromDirectoryGrain,
)
from feedbench.pipelines.built_in.service.served_records import ServedRecords
from feedbench.pipelines.built_in.service.tfdata_service import TfdataService
from feedbench.pipelines.built_in.stored.stored_knobs import StoredKnobs
from feedbench.pipelines.built_in.stored.tfdata_saved import TfdataSaved
from feedbench.pipelines.built_in.tail_knobs import TailKnobs
from feedbench.pipelines.built_in.tfrecord.tfrecord_base import Tfrecord
from feedbench.pipelines.built_in.tfrecord.tfrecord_existing import TfrecordExisting
from feedbench.pipelines.contract import LUMA, Dtype, Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.file_kinds import FOREIGN_SUFFIXES, SUFFIXES
from feedbench.pipelines.images.placement import covered_size
from feedbench.pipelines.remote.address import is_address
from feedbench.reports.code import augmentation
from feedbench.reports.code.parts import parts_of
from feedbench.reports.code.prepared_files import existing, stored_name, written_once
from feedbench.reports.code.python_text import (
    assignment,
    base_of,
    digest_of,
    is_undecodable,
    names_of,
    quoted,
)

_KERAS_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
"""Those that keras.utils.image_dataset_from_directory lists."""
_KEPT = {
    "encoded": "the files' bytes",
    "decoded": "uint8 images of full size",
    "reduced": "uint8 images as decoded",
    "batched": "batches, decoded: {size}",
}
"""What a cache keeps, by its place, in a comment."""


def training_code(
    row: Row,
    workload: Workload,
    left_out: Collection[str] = (),
    *,
    images_json: Path | None = None,
    is_labelled: bool = False,
    share: float | None = None,
) -> str | None:
    """Return a row's pipeline as the text of a script, or None if it is not built in.

    `left_out` are bad images, as paths relative to the folder or as ids. `images_json` is the
    run's list. The code reads it if the sub-folders do not give the files and labels, or if the
    run's labels came from elsewhere (`is_labelled`). `share` is that of the images for validation,
    if the run split them.
    """
    pipeline = _pipeline(row)
    if pipeline is None or (isinstance(pipeline, TfrecordExisting) and workload.records is None):
        return None
    if workload.augmentation is not None and not augmentation.is_coded(
        pipeline, workload.augmentation
    ):
        return None
    is_read_by_tensorflow = getattr(pipeline, "store", "") == "raw"
    if is_address(workload.folder) and (is_read_by_tensorflow or isinstance(pipeline, TfdataSaved)):
        return None  # TensorFlow would have to read the store
    name = catalog.spec_of(row.label, row.spec).name
    parts = parts_of(workload, share, is_labelled=is_labelled)
    is_listed = parts.is_listed
    images = workload.images if is_listed else workload.folder_images
    values = _source(workload, tuple(left_out), images_json)
    values |= {
        "is_listed": is_listed,
        "scheme": parts.scheme,
        "has_validation": parts.has_validation,
        "split_by": parts.split_by,
        "validation_folder": quoted(parts.validation_folder),
        "share": share,
        "in_range": partial(_in_range, workload),
        "covered": covered_size(workload),
        "augmentation_layers": list(augmentation.layers(workload.augmentation)),
        "is_augmented_by_model": workload.augmentation is not None
        and getattr(pipeline, "augment_in", "") == "model",
        "augmentation_arguments": augmentation.arguments(workload.augmentation),
    }
    if isinstance(pipeline, TailKnobs):
        values |= _tail(pipeline, workload, images, share)
    if isinstance(pipeline, TfdataService):
        values["worker_cores"] = list(pipeline.worker_cores)
    values |= written_once(pipeline, workload, images, share)
    if isinstance(pipeline, ImageDatasetFromDirectory | ImageDatasetFromDirectoryGrain):
        values |= _keras_folder(
            pipeline,
            workload,
            images,
            share,
            is_plain=not (is_listed or values["left_out"] or parts.split_by == "seed"),
        )
    if isinstance(pipeline, TfrecordExisting):
        assert workload.records is not None
        values |= existing(workload.records, workload)
    return (
        _environment()
        .select_template([*_templates(name, pipeline)])
        .render(workload=workload, knobs=pipeline, luma=list(LUMA), **values)
    )


def _has_template(name: str) -> bool:
    return f"{name}.py.j2" in _environment().list_templates()


def _templates(name: str, pipeline: object) -> Iterator[str]:
    """Yield the possible names of a pipeline's template, the most special one first."""
    yield f"{name}.py.j2"
    if isinstance(pipeline, Tfrecord | ServedRecords):
        yield "tfrecord.py.j2"
    elif isinstance(pipeline, TailKnobs):
        yield "tfdata.py.j2"


@cache
def _environment() -> Environment:
    return Environment(  # noqa: S701 - it makes Python, and no HTML
        loader=PackageLoader("feedbench.reports.code"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _pipeline(row: Row) -> object | None:
    """Return the pipeline with the knobs in effect; None if this Feedbench does not have it."""
    try:
        spec = catalog.spec_of(row.label, row.spec)
        if spec.is_foreign or (spec.is_peer and not _has_template(spec.name)):
            return None
        in_effect = knobs.values(catalog.load(spec)) | row.knobs
        given = {knob: knobs.as_text(value) for knob, value in in_effect.items()}
        pipeline: object = knobs.build(catalog.class_of(spec), spec.name, given)
    except RequestError:  # a run of another version, which had other knobs
        return None
    return pipeline


@lru_cache(maxsize=1)
def _source(
    workload: Workload, left_out: tuple[str, ...], images_json: Path | None
) -> dict[str, object]:
    """Return the folder of the images and their list, as values of the template."""
    files = (*workload.files, *workload.validation_files)
    names_in_lower_case = [name.lower() for name in files]
    suffixes = SUFFIXES + tuple(
        suffix
        for suffix in FOREIGN_SUFFIXES
        if any(name.endswith(suffix) for name in names_in_lower_case)
    )
    bad = sorted({name for name in names_of(left_out) if name.lower().endswith(suffixes)})
    is_part = workload.images < workload.folder_images
    purpose = "" if workload.subset == "all" else f" for {workload.subset}"
    whole = f"of the folder's {workload.folder_images:,}"
    names = (*files, *workload.class_names)
    return {
        "folder": quoted(workload.folder),
        "classes": assignment("CLASSES", workload.class_names, "[]"),
        "suffixes": assignment("SUFFIXES", suffixes, "()"),
        "left_out": assignment("LEFT_OUT", bad, "{}") if bad else "",
        "images_json": quoted(os.fspath(images_json or "images.json")),
        "extent": f"{workload.images:,} {whole} images{purpose}"
        if is_part
        else f"all images{purpose}",
        "has_undecodable": any(not name.isascii() and is_undecodable(name) for name in names),
    }


def _tail(
    pipeline: TailKnobs, workload: Workload, images: int, share: float | None
) -> dict[str, object]:
    """Return the template's values for the steps from decoding on, for `images` images."""
    is_as_written = getattr(pipeline, "graph_rewrites", "default") == "off"
    # The formats of images that were not measured are not known.
    stored = workload.formats
    if isinstance(pipeline, StoredKnobs):
        stored = pipeline.stored_formats(workload)
    formats = set(stored) if images == workload.images else set()
    decoder = "jpeg" if formats and formats <= {"JPEG", "PNG"} else "any"
    if formats == {"JPEG", "PNG"} and pipeline.decode == "scaled":
        decoder = "any"  # only JPEGs have a ratio
    # TensorFlow would read a cache of other pixels or files without a warning.
    low, high = map(float, workload.value_range)
    form = (workload.channels, workload.dtype, low, high, pipeline.dct, *_unusual(workload, share))
    if pipeline.decode != "full":
        form = (*form, pipeline.decode)
    if isinstance(pipeline, StoredKnobs) and pipeline.store != "encoded":
        form = (*form, *stored_name(pipeline, workload))
    place = pipeline.cache_at if pipeline.cache != "none" else "none"
    if place == "batched":
        form = (*form, place, workload.batch_size, workload.label_mode)
    elif place != "delivered":
        form = (*form, place)
    augmented_at = "none"
    kept_form = workload
    if workload.augmentation is not None and pipeline.augment_in == "pipeline":
        augmented_at = "batch" if place == "batched" else pipeline.augment
        kept_dtype: Dtype = "uint8" if workload.dtype == "uint8" else "float32"
        kept_form = replace(workload, dtype=kept_dtype)
        form = (*form, "to be augmented")
    decoded_size = _decoded_size(kept_form, images)
    is_reduced = pipeline.decode == "scaled" or getattr(pipeline, "store", "") == "resized"
    kept = "reduced" if place == "decoded" and is_reduced else place
    decoder = "png" if formats == {"PNG"} else decoder
    return {
        "decoder": decoder,
        "is_scaled": pipeline.decode == "scaled" and decoder != "png",
        "place": place,
        "augmented_at": augmented_at,
        "kept": _KEPT.get(kept, "decoded: {size}").format(size=decoded_size),
        "cache_file": _cache_file(workload, form),
        "luma_column": [[weight] for weight in LUMA],
        "is_as_written": is_as_written,
        "is_fixed": pipeline.is_fixed,
        "has_options": is_as_written or not pipeline.deterministic or pipeline.is_fixed,
    }


def _unusual(workload: Workload, share: float | None) -> list[str]:
    """Return what of the form is not the default; the names of caches without it stay the same."""
    split = [] if share is None else [f"{workload.subset} {share} {workload.seed}"]
    usual = {"fit": "stretch", "normalization": "none", "data_format": "channels_last"}
    return [
        f"{name}={value}"
        for name, default in usual.items()
        if (value := str(getattr(workload, name))) != default
    ] + split


def _in_range(workload: Workload, images: str) -> str:
    """Return an expression that brings `images` of 0 to 255 into the workload's range."""
    if workload.normalization == "caffe":
        return f"{images}[..., ::-1] - MEAN"
    if workload.normalization == "imagenet":
        return f"({images} - MEAN) / STD"
    low, high = map(float, workload.value_range)
    scaled = images if (low, high) == (0, 255) else f"{images} / {255 / (high - low)!r}"
    if low:
        scaled += f" - {-low!r}" if low < 0 else f" + {low!r}"
    return scaled


def _keras_folder(
    pipeline: ImageDatasetFromDirectory | ImageDatasetFromDirectoryGrain,
    workload: Workload,
    images: int,
    share: float | None,
    *,
    is_plain: bool,
) -> dict[str, object]:
    """Return the template's values for a folder that Keras lists.

    It needs a folder of links where Keras would list other images than the run has.
    """
    is_usual = (workload.dtype, workload.data_format) == ("float32", "channels_last")
    needs_more = not is_usual or workload.channels == 1
    rescaling = _rescaling(workload)
    form = (workload.channels, workload.dtype, *map(float, workload.value_range))
    return {
        "links": not (is_plain and _is_listed_by_keras(workload)),
        "is_grain": isinstance(pipeline, ImageDatasetFromDirectoryGrain),
        "rescaling": rescaling,
        "in_form": "in_form" if needs_more else "rescale" if rescaling else "",
        "decoded_size": _decoded_size(workload, images),
        "cache_file": _cache_file(
            workload, (*form, pipeline.interpolation, *_unusual(workload, share))
        ),
        "luma_column": [[weight] for weight in LUMA],
    }


def _rescaling(workload: Workload) -> str:
    """Return what of Keras brings 0 to 255 into the workload's range; "" for nothing."""
    if workload.normalization != "none":
        model = "resnet50" if workload.normalization == "caffe" else "densenet"
        return f"keras.applications.{model}.preprocess_input"
    low, high = workload.value_range
    if (low, high) == (0, 255):
        return ""
    offset = f", offset={low:g}" if low else ""
    return f"keras.layers.Rescaling({high - low:g} / 255{offset})"


@lru_cache(maxsize=1)
def _is_listed_by_keras(workload: Workload) -> bool:
    """Whether Keras lists all these files by their names, and TensorFlow can open them."""
    return not any(name.startswith(".") for name in workload.class_names) and all(
        file.lower().endswith(_KERAS_SUFFIXES) and not is_undecodable(file)
        for file in workload.files
    )


def _decoded_size(workload: Workload, images: int) -> str:
    return f"{math.ceil(images * workload.image_bytes / 1e6):,} MB"


def _cache_file(workload: Workload, form: tuple[object, ...]) -> str:
    size = f"{workload.height}x{workload.width}"
    return quoted(f"{base_of(workload)}_{size}_{digest_of(workload.folder, form)}.cache")
