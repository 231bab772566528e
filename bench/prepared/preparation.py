"""Before the blocks: find pipelines' prepared files in the store, or write them."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from feedbench.bench.prepared.store import Manifest, Store
from feedbench.bench.processes.folders.trial_folders import repeated_if_lost
from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.trials import Trials
from feedbench.bench.records.messages import Event, Phase, Writing
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.text import counted, size
from feedbench.pipelines.catalog import Spec

_PAUSE_FACTOR = 20.0


def obtain_all(
    trials: Trials,
    specs: Iterable[Spec],
    workload: Path,
    store: Store,
    limit: Callable[[], Limit],
    listener: Listener,
) -> list[TrialRecord]:
    """Prepare each of the pipelines and return the records; a failure affects only its pipeline.

    Calls `limit` before each preparation, since the time left decreases.
    """
    records = []
    for spec in specs:
        progress = _Progress(spec.label, listener)
        prepare = partial(_obtain, trials, spec, workload, store, limit, progress)
        record = repeated_if_lost(prepare)
        records.append(record)
        listener.note(f"{spec.label}: {_outcome_text(record)}")
    return records


def _obtain(
    trials: Trials,
    spec: Spec,
    workload: Path,
    store: Store,
    limit: Callable[[], Limit],
    progress: _Progress,
) -> TrialRecord:
    return trials.prepare(
        spec, workload, store.folder, limit(), progress.on_event, progress.on_tick
    )


def listing(store: Store) -> list[str]:
    """Return a line for each preparation in the store, and a last line with their total."""
    contents = store.contents()
    lines = [
        _line(made) if made else f"damaged or unfinished: {size(_bytes_below(path))} in {path}"
        for path, made in contents
    ]
    total = size(sum(made.bytes if made else _bytes_below(path) for path, made in contents))
    return [*lines, f"{counted(len(lines), 'preparation')}, {total}, in {store.folder}"]


def _line(made: Manifest) -> str:
    source = made.source
    return (
        f"{source.pipeline}: {size(made.bytes)} in {counted(len(made.files), 'file')}, from"
        f" {counted(source.images, 'image')} in {source.folder};"
        f" written on {made.made_at[:10]} in {made.seconds:.1f} s"
    )


class _Progress:
    """Follows a preparation from outside, by how its files grow."""

    def __init__(self, label: str, listener: Listener) -> None:
        self._label = label
        self._listener = listener
        self._writing: Writing | None = None
        self._not_before = 0.0  # CLOCK_MONOTONIC
        listener.stage(f"looking for prepared files of {label}")

    def on_event(self, event: Event) -> None:
        match event:
            case Writing():
                self._writing = event
                if event.replaces:
                    self._listener.note(
                        f"{self._label}: earlier prepared files are damaged (missing, cut short or"
                        " changed). Writing them again."
                    )
                self.on_tick()
            case Phase(name="waiting"):
                self._listener.stage(f"waiting for another run to prepare {self._label}")

    def on_tick(self) -> None:
        begun = time.monotonic()
        if self._writing is None or begun < self._not_before:
            return
        written = size(_bytes_below(Path(self._writing.folder)))
        # Counting a million small files takes seconds, on a core that the writer could use.
        self._not_before = begun + _PAUSE_FACTOR * (time.monotonic() - begun)
        about = size(self._writing.expected_bytes)
        self._listener.stage(f"preparing {self._label}: {written} written of about {about}")


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            status = path.stat()
        except OSError:  # it was moved into place this moment
            continue
        total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total


def _outcome_text(record: TrialRecord) -> str:
    made = record.preparation
    if made is None:
        return f"preparation failed: {record.why or record.ended}"
    files = f"{size(made.bytes)} in {counted(made.files, 'file')}"
    if made.was_found:
        return f"reused {files}, written on {made.made_at[:10]} in {made.seconds:.1f} s"
    return f"wrote {files} in {made.seconds:.1f} s"
