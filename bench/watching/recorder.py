"""What is collected while a training runs, and what is reported at its end."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from feedbench.bench.watching.times import EpochTimes
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from feedbench.bench.records.trainings.watch import Place, WatchRecord
    from feedbench.bench.watching.scalars import Scalars


class Recorder:
    """The epochs of one iterable. It reports when it is asked to, and as the process ends.

    Nothing is written but one line on standard error, unless `out` or `logdir` is given.
    """

    def __init__(self, name: str, source: str, out: Path | None, logdir: Path | None) -> None:
        self.source = source
        self.place: Place = "python"
        self.steps_per_execution = 1
        self.blind = ""
        self.collect: Callable[[], None] = lambda: None
        """Fetches times that TensorFlow keeps until then."""
        self._name = name
        self._out = None if out is None else _checked(out)
        self._scalars = None if logdir is None else _scalars(logdir)
        self._epochs: list[EpochTimes] = []
        self._is_ended = False  # the epoch's scalars are written
        self._reported = -1  # batches at the last report
        self._wall = time.time() - time.perf_counter()
        self._pid = os.getpid()
        atexit.register(self._at_exit)

    @property
    def epoch(self) -> EpochTimes:
        """The epoch in which batches are counted now."""
        return self._epochs[-1] if self._epochs else self.begin_epoch()

    def begin_epoch(self) -> EpochTimes:
        """Begin an epoch: its first batch is counted apart."""
        self.end_epoch()
        self._epochs = [times for times in self._epochs if len(times)]
        self._epochs.append(EpochTimes())
        self._is_ended = False
        return self._epochs[-1]

    def end_epoch(self) -> None:
        """Fetch what belongs to the epoch, and write its scalars. Raises RequestError."""
        self.collect()
        if self._scalars is None or not self._epochs or self._is_ended:
            return
        number = len(self._epochs) - 1
        try:
            self._scalars.end(self._epochs[-1], number, self._offset)
        except OSError as error:
            raise _unwritable(self._scalars.logdir, "logdir", error) from error
        self._is_ended = True

    @property
    def _offset(self) -> float:
        """The seconds from the clock of the times to the wall clock."""
        return self._wall if self.place == "python" else 0.0

    def record(self) -> WatchRecord:
        """Return what was collected so far."""
        from feedbench.bench.records.trainings.watch import WatchRecord
        from feedbench.bench.watching import figures

        self.collect()
        epochs = [times for times in self._epochs if len(times)]
        return WatchRecord(
            name=self._name,
            source=self.source,
            place=self.place,
            steps_per_execution=self.steps_per_execution,
            blind=self.blind,
            epochs=tuple(figures.epoch(times) for times in epochs),
            stretches=figures.stretches(epochs),
        )

    def report(self) -> str:
        """Print the report on standard error, write what was asked for, return the report.

        Raises RequestError if the file cannot be written.
        """
        from feedbench.bench.watching import sentence

        self.end_epoch()
        record = self.record()
        self._reported = self._batches
        text = sentence.report(record)
        print(f"feedbench: {text}", file=sys.stderr)  # noqa: T201 - its one line
        if self._out is not None:
            from feedbench.bench.records.trainings.watch_file import write_watch

            write_watch(self._out, record)
        return text

    @property
    def _batches(self) -> int:
        return sum(map(len, self._epochs))

    def _at_exit(self) -> None:
        if os.getpid() != self._pid:  # a forked worker
            return
        with suppress(Exception):  # TensorFlow may be gone
            self.collect()
        if self._batches == self._reported:
            return
        try:
            self.report()
        except Exception as error:  # noqa: BLE001 - a report must not change how a training ends
            print(f"feedbench: {error}", file=sys.stderr)  # noqa: T201


def _checked(out: Path) -> Path:
    """Return the file's path, made absolute: a script may change its folder before the end."""
    file = out.absolute()
    if not file.parent.is_dir():
        raise RequestError(
            f"out={str(out)!r}: expected a file in a folder that exists; found no {file.parent}",
            hint="make that folder first, or name another file",
        )
    if file.is_dir():
        raise RequestError(
            f"out={str(out)!r}: expected the name of a file; found a folder",
            hint="name a file in it, such as watch.json",
        )
    return file


def _scalars(logdir: Path) -> Scalars:
    from feedbench.bench.watching.scalars import Scalars

    if logdir.exists() and not logdir.is_dir():
        raise RequestError(
            f"logdir={str(logdir)!r}: expected a folder; found a file",
            hint="name a folder, which is made if there is none",
        )
    return Scalars(logdir.absolute())


def _unwritable(path: Path, option: str, error: OSError) -> RequestError:
    return RequestError(
        f"cannot write {path}: {error.strerror or error}", hint=f"name another one with {option}="
    )
