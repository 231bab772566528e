"""TensorBoard's scalars, written by TensorBoard's own writer of records, without TensorFlow."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedbench.bench.watching import figures
from feedbench.bench.watching.times import EpochTimes

if TYPE_CHECKING:
    from collections.abc import Mapping

WAIT, STEP = "input/wait_ms", "input/step_ms"
"""Of each step. First batches are no steps."""
SHARE, FIRST, END = "input/waiting_share", "input/first_batch_ms", "input/epoch_end_ms"
"""Of each epoch."""


class Scalars:
    """An event file in a logdir. It is made at the first scalar."""

    def __init__(self, logdir: Path) -> None:
        self.logdir = logdir
        self._writer: Any = None
        self._times: EpochTimes | None = None  # the epoch that is written
        self._steps = 0  # of it, written
        self._steps_before = 0

    def epoch(self, times: EpochTimes, number: int, offset: float) -> None:
        """Write those steps of an epoch that are not written yet. Its own figures come once.

        `offset` are the seconds from the clock of the times to the wall clock. Raises OSError.
        """
        if times is not self._times:
            self._times, self._steps_before = times, self._steps_before + self._steps
            self._steps = 0
        if not len(times):
            return
        if not self._steps:
            first = figures.milliseconds(figures.epoch(times).first_seconds)
            self._write(number, offset + times.arrived[0], {FIRST: first})
        for arrived, wait, whole in times.steps(self._steps):
            values = {WAIT: figures.milliseconds(wait), STEP: figures.milliseconds(whole)}
            self._write(self._steps_before + self._steps, offset + arrived, values)
            self._steps += 1
        if self._writer is not None:
            self._writer.flush()

    def end(self, times: EpochTimes, number: int, offset: float) -> None:
        """Write the figures of a whole epoch. Raises OSError."""
        self.epoch(times, number, offset)
        if not len(times):
            return
        whole = figures.epoch(times)
        values = {SHARE: whole.waited_seconds / whole.seconds} if whole.seconds else {}
        if whole.end_seconds is not None:
            values[END] = figures.milliseconds(whole.end_seconds)
        if values:
            self._write(number, offset + times.arrived[-1], values)
            self._writer.flush()

    def _write(self, step: int, wall_time: float, values: Mapping[str, float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        if self._writer is None:
            self._open(Event)
        summary = Summary()
        for tag, value in values.items():
            summary.value.add(tag=tag, simple_value=value)
        event = Event(wall_time=wall_time, step=step, summary=summary)
        self._writer.write(event.SerializeToString())

    def _open(self, event: Any) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        self.logdir.mkdir(parents=True, exist_ok=True)
        now = time.time()
        name = f"events.out.tfevents.{now:.0f}.{socket.gethostname()}.{os.getpid()}.{id(self)}"
        self._writer = RecordWriter((self.logdir / f"{name}.feedbench").open("wb"))
        first = event(wall_time=now, file_version="brain.Event:2")
        self._writer.write(first.SerializeToString())
