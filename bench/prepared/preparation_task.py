"""Runs in the process that prepares a pipeline: finds its files in the store, or writes them."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from feedbench.bench.prepared.store import SCHEMA, Manifest, Source, Store
from feedbench.bench.processes.run_folder import slugs
from feedbench.bench.records.messages import Event, Phase, Prepared, Writing
from feedbench.pipelines import knobs
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.contract import Preparing, Workload
from feedbench.pipelines.errors import PreparationError
from feedbench.pipelines.images.index import image_id
from feedbench.pipelines.remote.reading import stamp, stamps

# Fields of the workload that the key holds in another way, or does not depend on.
_ELSEWHERE_IN_THE_KEY = {
    *("folder", "files", "labels", "class_names", "folder_images", "scratch"),
    *("validation_files", "validation_labels"),
}


def obtain(
    pipeline: Preparing,
    spec: Spec,
    workload: Workload,
    given: Workload,
    store: Store,
    say: Callable[[Event], object],
) -> None:
    """Find or write the pipeline's prepared files, and report where they are and their cost.

    The pipeline gets the workload as `given`, whose folder may be a view of this run alone. Raises
    PreparationError if the images changed meanwhile, and whatever the pipeline raises.
    """
    depends_on = _depends_on(pipeline, spec, workload)
    key, source_bytes = key_of(spec.name, depends_on, workload)
    source = Source(
        pipeline=spec.name,
        depends_on=depends_on,
        folder=image_id(workload.folder),
        images=workload.images,
        bytes=source_bytes,
    )

    def prepare(folder: Path) -> None:
        pipeline.prepare(given, folder)
        if key_of(spec.name, depends_on, workload)[0] != key:
            raise PreparationError(
                f"the photos in {image_id(workload.folder)} changed while they were read",
                hint="run it again when nothing writes to them",
            )

    manifest, was_found = store.obtain(
        key,
        source,
        prepare,
        on_wait=lambda: say(Phase(name="waiting", at=0.0)),
        on_write=lambda folder, is_damaged: say(
            Writing(
                folder=str(folder),
                expected_bytes=_expected_bytes(pipeline, given, source_bytes),
                replaces=is_damaged,
            )
        ),
    )
    say(prepared(store.files(key), manifest, was_found=was_found))


def prepared(folder: Path, manifest: Manifest, *, was_found: bool) -> Prepared:
    """Return the message that these files are ready."""
    return Prepared(
        folder=os.fspath(folder),
        was_found=was_found,
        made_at=manifest.made_at,
        seconds=manifest.seconds,
        images=manifest.source.images,
        bytes=manifest.bytes,
        source_bytes=manifest.source.bytes,
        files=len(manifest.files),
    )


def key_of(name: str, depends_on: dict[str, object], workload: Workload) -> tuple[str, int]:
    """Return a name that is unique to a preparation's input, and the bytes of the images' files.

    It covers the pipeline's name, what the pipeline says it depends on, and each image's path,
    size, modification time and label. A change that keeps all of these goes undetected.
    """
    head = [SCHEMA, name, depends_on, list(map(image_id, workload.class_names))]
    digest = hashlib.sha256(msgspec.json.encode(head, order="deterministic"))
    total = 0
    found = stamps(workload.files)
    for file, label, each in zip(workload.files, workload.labels, found, strict=True):
        size, changed = stamp(file) if each is None else each  # it raises
        total += size
        line = b"\n%d %d %d " % (label, size, changed)
        digest.update(line + os.fsencode(file))
    return f"{slugs((name,))[name]}-{digest.hexdigest()[:20]}", total


def _expected_bytes(pipeline: Preparing, given: Workload, source_bytes: int) -> int:
    """Return about how many bytes will be written, as the pipeline says, or as many as it reads."""
    prepared_bytes = getattr(pipeline, "prepared_bytes", None)
    return source_bytes if prepared_bytes is None else int(prepared_bytes(given))


def _depends_on(pipeline: Preparing, spec: Spec, workload: Workload) -> dict[str, object]:
    preparation = getattr(pipeline, "preparation", None)
    if preparation is not None:
        depends_on: dict[str, object] = dict(preparation(workload))
    else:
        fields = dataclasses.asdict(workload)
        work = {name: fields[name] for name in fields if name not in _ELSEWHERE_IN_THE_KEY}
        depends_on = {"knobs": knobs.values(pipeline), "workload": work}
        if workload.validation_files:  # the pipeline may write these as well
            other = dataclasses.replace(
                workload, files=workload.validation_files, labels=workload.validation_labels
            )
            depends_on["validation"] = key_of(spec.name, {}, other)[0]
    if spec.is_foreign:
        depends_on["code"] = _code(pipeline)
    return depends_on


def _code(pipeline: Preparing) -> str:
    """Return a digest of the source file of a user's pipeline, which its author may edit."""
    try:
        source = Path(inspect.getfile(type(pipeline))).read_bytes()
    except (OSError, TypeError):
        return "unknown"
    return hashlib.sha256(source).hexdigest()
