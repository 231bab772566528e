"""What the code to paste has of files that it writes once, and of a user's own record files."""

from __future__ import annotations

from feedbench.pipelines.built_in.service.served_records import ServedRecords
from feedbench.pipelines.built_in.stored.stored_knobs import LOSSLESS, StoredKnobs
from feedbench.pipelines.built_in.stored.tfdata_saved import MOST_SHARDS, TfdataSaved
from feedbench.pipelines.built_in.tfrecord.tfrecord_base import Tfrecord
from feedbench.pipelines.contract import Records, Workload
from feedbench.pipelines.peers.tar_shards.webdataset import Webdataset
from feedbench.pipelines.remote.address import scheme_of
from feedbench.pipelines.tfrecords import record_format
from feedbench.pipelines.tfrecords.stored_records import BLOCK_BYTES, by_fsspec
from feedbench.reports.code.python_text import (
    assignment,
    base_of,
    digest_of,
    is_undecodable,
    quoted,
)

_MOST_RECORD_FILES = 8  # of the user, that the code lists by name


def written_once(
    pipeline: object, workload: Workload, images: int, share: float | None
) -> dict[str, object]:
    """Return the template's values for the files of `images` images that a pipeline writes, if any.

    `share` is that of the images for validation, if the run split them.
    """
    if isinstance(pipeline, ServedRecords):
        pipeline = pipeline.in_workers(workload)
    if isinstance(pipeline, Tfrecord):
        return _records(pipeline, workload, images, share)
    if isinstance(pipeline, TfdataSaved):
        return _saved(pipeline, workload, images, share)
    if isinstance(pipeline, Webdataset):
        return _tars(pipeline, workload, images, share)
    return {}


def _records(
    pipeline: Tfrecord, workload: Workload, images: int, share: float | None
) -> dict[str, object]:
    """Return the template's values for record files of `images` images."""
    values = _files(pipeline, workload, images)
    suffix = record_format.SUFFIXES[pipeline.compression]
    base, number = _base(pipeline, workload, share), _number(pipeline, images)
    folder = "_".join([base, *suffix.split(".")[1:], *number])
    name = f"{base}{suffix}" if values["shards"] == 1 else folder
    return {**values, "records": quoted(name), "suffix": suffix}


def _saved(
    pipeline: TfdataSaved, workload: Workload, images: int, share: float | None
) -> dict[str, object]:
    """Return the template's values for `images` images in tf.data's own format."""
    base, number = _base(pipeline, workload, share), _number(pipeline, images)
    return {
        **_files(pipeline, workload, images),
        "saved": quoted("_".join([base, "saved", *number])),
        "most_shards": MOST_SHARDS,
    }


def _tars(
    pipeline: Webdataset, workload: Workload, images: int, share: float | None
) -> dict[str, object]:
    """Return the template's values for the tar files of `images` images."""
    return {
        "tars": quoted("_".join([_part(workload, share), "tar", *_number(pipeline, images)])),
        "shards": pipeline.shards if pipeline.shards == "auto" else min(pipeline.shards, images),
        "shard_bytes": record_format.SHARD_BYTES,
    }


def _base(pipeline: StoredKnobs, workload: Workload, share: float | None) -> str:
    """Return how the names of the files begin, which other folders and other parts do not share."""
    return "_".join([_part(workload, share), *stored_name(pipeline, workload)])


def _part(workload: Workload, share: float | None) -> str:
    """Return a name of the folder, or of a part of it, that no others share."""
    split = () if share is None else (workload.subset, share, workload.seed)
    return f"{base_of(workload)}_{digest_of(workload.folder, *split)}"


def _number(pipeline: StoredKnobs | Webdataset, images: int) -> list[str]:
    return [] if pipeline.shards == "auto" else [f"{min(pipeline.shards, images)}"]


def _files(pipeline: StoredKnobs, workload: Workload, images: int) -> dict[str, object]:
    return {
        "store": pipeline.store,
        **(_stored(pipeline, workload) if pipeline.store != "encoded" else {}),
        "shards": pipeline.shards if pipeline.shards == "auto" else min(pipeline.shards, images),
        "shard_bytes": record_format.SHARD_BYTES,
        "most_readers": record_format.MOST_READERS,
    }


def stored_name(pipeline: StoredKnobs, workload: Workload) -> list[str]:
    """Return how the name says what is stored; other files of the same folder have another."""
    if pipeline.store == "encoded":
        return []
    depends_on = pipeline.stored_as(workload)
    name = f"{workload.height}x{workload.width}"
    if pipeline.store == "resized":
        name = f"{pipeline.short_side(workload)}px"
    return [name, digest_of(*sorted(depends_on.items()))]


def _stored(pipeline: StoredKnobs, workload: Workload) -> dict[str, object]:
    """Return the template's values for images that are made to be stored."""
    if pipeline.store == "raw":
        return {"stored_bytes": workload.image_values}
    size = pipeline.short_side(workload)
    save = [quoted(pipeline.stored_format.upper())]
    if pipeline.stored_format not in LOSSLESS:
        save.append(f"quality={pipeline.quality}")
    if pipeline.stored_format == "jpeg":
        save.append('subsampling="4:4:4"')
    return {
        "stored_size": size,
        "stored_bytes": pipeline.stored_bytes(workload),
        "is_bmp": pipeline.stored_format == "bmp",
        "save": ", ".join(save),
    }


def existing(records: Records, workload: Workload) -> dict[str, object]:
    """Return the template's values for the user's own record files."""
    every = sum(records.counts)
    is_some = workload.folder_images < every or bool(workload.validation_files)
    is_listed = is_some or len(records.files) > _MOST_RECORD_FILES
    kinds = set(records.compressions)
    values = records.label_values
    texts = [value for value in values if isinstance(value, str)]
    places = tuple(range(len(values)))
    labels = f"LABELS = {list(values)}" if not texts else assignment("LABELS", texts, "[]")
    if not texts and values == tuple(range(int(values[0]), int(values[0]) + len(values))):
        labels = f"LABELS = range({values[0]}, {int(values[0]) + len(values)})"
    return {
        "is_listed": is_listed,
        "is_part_of_records": is_listed
        and (workload.images < every or bool(workload.validation_files)),
        "images": workload.images if is_listed else workload.folder_images,
        "record_files": assignment("RECORDS", records.files, "[]"),
        "compressions": assignment("COMPRESSIONS", records.compressions, "[]"),
        "compression": kinds.pop() if len(kinds) == 1 else None,
        "image_key": quoted(records.image_key),
        "label_key": quoted(records.label_key),
        "label_values": "" if values == places else labels,
        "has_text_labels": bool(texts),
        "has_undecodable": any(map(is_undecodable, (*records.files, *texts))),
        "most_readers": record_format.MOST_READERS,
        "records_scheme": scheme_of(records.files[0]) if by_fsspec(records.files[0]) else "",
        "block_bytes": BLOCK_BYTES,
    }
