"""The files that pipelines read, and whether they are still those of the proof of equal work.

Sizes and times of modification are read before the proof. They are compared after each block if
that is quick, when a trial fails, and when the blocks have ended. Commands without blocks compare
them at the end, and when a trial fails.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from msgspec.structs import replace

from feedbench.bench.records.conditions.sources import AGAIN, SourceChange, SourceKind
from feedbench.bench.records.trial import Fault, TrialRecord
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import FeedbenchError, RequestError
from feedbench.pipelines.images.index import image_id
from feedbench.pipelines.remote.reading import Stamp, is_refused, stamp, stamps_or_errors

QUICK_SECONDS = 1.0  # a comparison that takes longer is not made after each block

Status = Stamp
"""A file's size in bytes, and when it was modified in ns; in a store, a digest of its version."""


def status(file: str) -> Status:
    """Return a file's status. Raises OSError if it cannot be read."""
    return stamp(file)


def sources_of(workload: Workload) -> tuple[str, ...]:
    """Return the files that trials read: the images', and the user's record files."""
    records = workload.records
    return workload.files if records is None else (*workload.files, *records.files)


def statuses_of(workload: Workload, listed: Sequence[Status | None] = ()) -> list[Status]:
    """Return the status of each of `sources_of(workload)`; `listed` are those that are known.

    Raises RequestError, with its name, if a file cannot be read any more.
    """
    files = sources_of(workload)
    try:
        return [
            status(file) if state is None else state
            for file, state in zip(files, listed or [None] * len(files), strict=True)
        ]
    except OSError as error:
        name = image_id(str(error.filename))
        if is_refused(str(error.filename), error):
            raise RequestError(f"{name} cannot be read: {error.strerror}") from error
        raise RequestError(f"{name} disappeared before it was read", hint=AGAIN) from error


class Sources:
    """The files that pipelines read, and their sizes and times.

    `statuses` are those of `sources_of(workload)`, in the same order. `when` is a clause on the
    time in which they must not change, for a command without blocks.
    """

    def __init__(
        self,
        workload: Workload,
        statuses: Iterable[Status],
        clock: Callable[[], float] = time.monotonic,
        *,
        when: str = "",
    ) -> None:
        self._folder = workload.folder
        self._images = len(workload.files)
        self._files = list(sources_of(workload))
        self._prepared_from = len(self._files)
        self._statuses = array("q", [number for pair in statuses for number in pair])
        self._clock = clock
        self._when = when
        self._seconds = 0.0  # that the latest comparison took
        self._unchanged_after = 0  # the last block at whose end nothing had changed
        self.change: SourceChange | None = None  # the first that a comparison showed

    @classmethod
    def now(cls, workload: Workload, when: str) -> Self:
        """Return the files as they are. Raises RequestError if one cannot be read any more."""
        return cls(workload, statuses_of(workload), when=when)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Raise RequestError at the end of this context if a file has changed.

        It takes the place of another error, which the change may have caused.
        """
        try:
            yield
        except (FeedbenchError, OSError) as error:
            self._refuse_change(error)
            raise
        self._refuse_change(None)

    def _refuse_change(self, cause: Exception | None) -> None:
        if self.compare(0) is not None:
            raise RequestError(self.clause, hint=self.hint) from cause

    @property
    def clause(self) -> str:
        """What changed, and when; "" if nothing has."""
        if self.change is None:
            return ""
        return f"{self.change.what} {self._when}" if self._when else self.change.clause

    @property
    def hint(self) -> str:
        """What to do where files changed."""
        return AGAIN if self.change is None else self.change.hint

    def has_changed(self) -> bool:
        """Compare all files outside of a block; return whether one has changed so far."""
        return self.compare(0) is not None

    def add_prepared(self, folders: Iterable[Path]) -> None:
        """Add the files that pipelines wrote in advance, as they are now."""
        for folder in folders:
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    self._files.append(str(file))
                    self._statuses.extend(status(str(file)))

    def compare(self, block: int) -> SourceChange | None:
        """Compare all files during or after a block; return the first change so far."""
        if self.change is None:
            begun = self._clock()
            self.change = self._changed(block)
            self._seconds = self._clock() - begun
        return self.change

    def compare_after(self, block: int) -> SourceChange | None:
        """Compare all files after a block, unless that takes long; return the first change."""
        if self._seconds <= QUICK_SECONDS and self.compare(block) is None:
            self._unchanged_after = block
        return self.change

    def explained(self, record: TrialRecord) -> TrialRecord:
        """Return the record of a failed trial: if files have changed, that is the reason."""
        # Trials after the blocks have numbers of their own.
        change = self.compare(max(record.block, self._unchanged_after + 1))
        if change is None:
            return record
        return replace(record, fault=Fault.SOURCES_CHANGED, why=self.clause)

    def _changed(self, block: int) -> SourceChange | None:
        """Return what changed; if nothing did, what a store does not show; None: neither."""
        places, refused, gone, refusal = [], [], 0, ""
        statuses = self._statuses
        images = stamps_or_errors(self._files[: self._prepared_from])
        prepared = stamps_or_errors(self._files[self._prepared_from :])
        for place, now in enumerate([*images, *prepared]):
            if not isinstance(now, OSError):
                if now != (statuses[2 * place], statuses[2 * place + 1]):
                    places.append(place)
            elif is_refused(self._files[place], now):
                refused.append(place)
                refusal = refusal or str(now.strerror)
            else:
                places.append(place)
                gone += 1
        if places:
            return self._change(places, gone, block)
        return self._change(refused, 0, block, refusal) if refused else None

    def _change(
        self, places: Sequence[int], gone: int, block: int, refusal: str = ""
    ) -> SourceChange:
        kind, name = self._named(places[0])
        return SourceChange(
            kind=kind,
            first=name,
            files=len(places),
            gone=gone,
            first_block=min(self._unchanged_after + 1, block),
            last_block=block,
            refusal=refusal,
        )

    def _named(self, place: int) -> tuple[SourceKind, str]:
        file = self._files[place]
        if place < self._images:
            return "photo", image_id(os.path.relpath(file, self._folder))
        return ("record file" if place < self._prepared_from else "prepared file"), image_id(file)
