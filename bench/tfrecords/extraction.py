"""The images of record files as files: found in the store, or extracted by a child process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.client import Processes, what_went_wrong
from feedbench.bench.processes.folders.trial_log import last_line
from feedbench.bench.processes.progress import Listener
from feedbench.bench.records.messages import (
    Counted,
    Event,
    Failed,
    Phase,
    Prepared,
    Request,
    Start,
)
from feedbench.bench.text import counted, size
from feedbench.bench.tfrecords.catalogue import IMAGES
from feedbench.bench.tfrecords.task import PIPELINE, Extraction
from feedbench.pipelines.errors import FeedbenchError, RequestError
from feedbench.pipelines.images.index import shown

_ENDLESS_SECONDS = 1e9


@contextmanager
def extracted(task: Extraction, store: Store, listener: Listener) -> Iterator[Path]:
    """Provide the folder of the extracted images; during this context, no one clears the store.

    Raises RequestError for records that cannot be used, and FeedbenchError if extraction fails.
    """
    with store.in_use():
        key = task.key()
        listener.stage(f"looking for images extracted from {shown(task.pattern)}")
        if store.find(key) is None:
            _extract(task, store, listener)
        yield (store.files(key) / IMAGES).absolute()


def _extract(task: Extraction, store: Store, listener: Listener) -> None:
    files = counted(len(task.files), "record file")
    what = f"extracting images from {files}"

    def on_event(event: Event) -> None:
        match event:
            case Counted(images=images):
                listener.stage(f"{what}: {images:,}")
            case Phase(name="waiting"):
                listener.stage("waiting for another run to extract these images")

    with tempfile.TemporaryDirectory(prefix="feedbench-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        task.write(scratch / "records.json")
        request = Request(
            label=PIPELINE,
            spec="",
            purpose="records",
            workload=str(scratch / "records.json"),
            prepared=str(store.folder.absolute()),
            scratch=str(scratch),
        )
        start = Start(request=request, log=str(scratch / "records.log"))
        listener.stage("importing TensorFlow")
        with Processes(scratch, scratch / "forkserver.log") as processes:
            outcome = processes.run(start, _ENDLESS_SECONDS, on_event)
        match outcome.result:
            case Prepared() as made:
                listener.note(
                    f"Extracted {counted(made.images, 'image')} from {files} in"
                    f" {made.seconds:.1f} s ({size(made.bytes)}). Later runs use them again; this"
                    " time does not count as --time."
                )
            case Failed() as failed:
                raise RequestError(failed.sentence, hint=failed.hint)
            case _:
                raise FeedbenchError(
                    f"the images of {files} could not be extracted:"
                    f" {what_went_wrong(outcome)} ({last_line(Path(start.log))})"
                )
