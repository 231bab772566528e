"""The wrapper of an iterable of batches."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from feedbench.bench.watching.recorder import Recorder
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from feedbench.bench.records.trainings.watch import WatchRecord

_T = TypeVar("_T")


def watch(
    batches: Iterable[_T],
    *,
    name: str = "input",
    out: str | Path | None = None,
    logdir: str | Path | None = None,
) -> Watched[_T]:
    """Return the same batches, and measure how long the training waits for each.

    The wait is the time within `next()`, in the thread that calls it. A tf.data.Dataset stays one,
    and can go into Keras' `fit`. For anything else in `fit`, use WatchCallback.

    One line is printed on standard error as the process ends, or at `report()`. `out` is a file
    for the figures, which `feedbench report FILE` opens. `logdir` is a folder for TensorBoard.

    Raises RequestError if `batches` is no iterable, or if `out` or `logdir` cannot be written.
    """
    if not (hasattr(batches, "__iter__") or hasattr(batches, "__getitem__")):
        raise RequestError(
            f"feedbench.watch: expected an iterable of batches; found {type(batches).__name__}",
            hint="give it what a `for` loop over batches takes",
        )
    recorder = Recorder(
        name,
        type(batches).__name__,
        None if out is None else Path(out),
        None if logdir is None else Path(logdir),
    )
    tensorflow = sys.modules.get("tensorflow")  # which a dataset has imported
    if tensorflow is not None and isinstance(batches, tensorflow.data.Dataset):
        from feedbench.bench.watching.tf_inputs import WatchedDataset

        return cast("Watched[_T]", WatchedDataset(batches, recorder))
    return Watched(batches, recorder)


class Watched(Generic[_T]):
    """An iterable whose waits are measured. All its other attributes are those of the original."""

    def __init__(self, batches: Iterable[_T], recorder: Recorder) -> None:
        self._batches = batches
        self._recorder = recorder

    def __iter__(self) -> Iterator[_T]:
        """Begin an epoch. What `iter()` takes, such as to start workers, is part of its first wait.

        In the loop over it, each wait is from the request for a batch to its arrival.
        """
        epoch = self._recorder.begin_epoch()
        add, clock = epoch.add, time.perf_counter
        asked = clock()
        iterator = iter(self._batches)
        while True:
            try:
                batch = next(iterator)
            except StopIteration:
                epoch.finish(clock() - asked)
                self._recorder.end_epoch()
                return
            add((asked, clock()))
            yield batch
            del batch  # as a loop without it: no second reference while the next is made
            asked = clock()

    def __len__(self) -> int:
        """Return the number of batches, if the original knows it."""
        return len(self._batches)  # type: ignore[arg-type]

    def __bool__(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the original, such as `set_epoch`."""
        if name.startswith("__"):  # copying and pickling ask before there is an original
            raise AttributeError(name)
        return getattr(self._batches, name)

    def report(self) -> str:
        """Print the line, write what was asked for, and return the line.

        Raises RequestError if a file cannot be written.
        """
        return self._recorder.report()

    def record(self) -> WatchRecord:
        """Return the figures so far."""
        return self._recorder.record()
