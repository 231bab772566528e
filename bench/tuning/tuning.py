"""The story of `feedbench tune`: rungs of candidates, then the winner anew in fresh blocks.

Each rung is an ordinary run in a folder of its own. Candidates that are shown slower than the best,
or that the user does not allow, leave. The others, and variants of the best in how much it does at
once, go to the next rung. The best of many is partly the luckiest of many. So the winner and the
default are measured once more, alone, and that gain counts.
"""

from __future__ import annotations

import dataclasses
import math
import shlex
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace

from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.interpreters.interpreter import refuse_own_python
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import refuse_used
from feedbench.bench.records.conditions.sources import SourceChange
from feedbench.bench.records.pace import BRIEF, USUAL, Pace
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.storage import read_trials
from feedbench.bench.records.tuning.tuning import (
    FINAL,
    NO_TIME,
    Allowance,
    Exclusion,
    Rung,
    TuningRecord,
)
from feedbench.bench.run.budget import Cost, least_images
from feedbench.bench.run.images_source import list_images
from feedbench.bench.run.plan import (
    TooShortError,
    guessed_cost,
    guesses,
    refuse_unsuitable,
    rounded_up,
    words_without,
)
from feedbench.bench.run.run import perform
from feedbench.bench.text import counted
from feedbench.bench.tuning.allowance import Amounts, why_not
from feedbench.bench.tuning.candidates import as_typed, candidates_of, different, refined
from feedbench.bench.tuning.halving import (
    Measured,
    challenger,
    chosen_anew,
    gain_in,
    rung_of,
    staying,
)
from feedbench.bench.tuning.keeper import Keeper
from feedbench.bench.tuning.schedule import LEAST_SECONDS, Schedule, images_for, schedule_of
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import DTYPE_BYTES
from feedbench.pipelines.images.index import Index, stamps_of
from feedbench.pipelines.images.placement import least_of

_MOST_ROUNDS = 8  # of turns in a block
_FEWER = 4  # times fewer images, where there was no time for the default


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is searched: the candidates, the default first, and those left out."""

    candidates: tuple[Spec, ...]
    excluded: tuple[Exclusion, ...]


def tune(options: RunOptions, allowed: Allowance, listener: Listener) -> TuningRecord:
    """Search for the fastest SPEC that is allowed, and return the record, which is on disk then.

    After Ctrl-C, its status is interrupted, and its winner is the best so far. Raises RequestError
    if the request is wrong, and a KeyboardInterrupt before the first rung has a block; nothing is
    kept then.
    """
    assert options.seconds is not None
    refuse_too_short(options)
    specs = catalog.parse_all(options.specs)
    refuse_own_python(specs, "tune searches the knobs of pipelines in this one")
    refuse_unsuitable(specs, options)
    refuse_used(options.out)
    index = list_images(options, listener)
    amounts = amounts_of(index, options)
    schedule = schedule_of(options.seconds)
    search = search_of(specs, amounts, allowed, schedule)
    tuning = _Tuning(options, index, allowed, amounts, listener, search, schedule)
    return tuning.run()


def refuse_too_short(options: RunOptions) -> None:
    """Raise RequestError if there is no time for a rung and the final run."""
    if (options.seconds or 0.0) < LEAST_SECONDS:
        raise too_short(options, LEAST_SECONDS)


def too_short(options: RunOptions, least: float) -> RequestError:
    """Return the error for a time under the least, in seconds; its hint is a command that works."""
    kept = words_without(options.command[1:], ("--time",))
    return RequestError(
        f"--time {options.seconds or 0.0:.0f}s is too short to tune: expected at least"
        f" {least:.0f}s",
        hint=shlex.join(["feedbench", *kept, "--time", f"{least:.0f}s"]),
    )


def amounts_of(index: Index, options: RunOptions) -> Amounts:
    """Return how much the workload is over the whole folder."""
    height, width = options.image_size
    return Amounts(
        images=len(index.files),
        file_bytes=sum(stamp.size for stamp in stamps_of(index) if stamp is not None),
        image_values=height * width * options.channels,
        value_bytes=DTYPE_BYTES[options.dtype],
        free_bytes=_free_bytes(options.prepared),
    )


def _free_bytes(folder: Path) -> int | None:
    """Return what is free on the disk of a folder, which need not exist yet; None: not known."""
    try:
        above = (folder.absolute(), *folder.absolute().parents)
        return shutil.disk_usage(next(each for each in above if each.exists())).free
    except OSError:  # it may not be looked into; the run says so
        return None


def search_of(
    specs: Sequence[Spec], amounts: Amounts, allowed: Allowance, schedule: Schedule
) -> Search:
    """Return the candidates that the user allows and that there is time for.

    The first pipeline is the default: it is measured in any case. Raises RequestError if no
    candidate is allowed.
    """
    everything = candidates_of(specs)
    reasons = {spec.label: why_not(spec, amounts, allowed) for spec in everything}
    if all(reasons.values()):
        spec = everything[0]
        raise RequestError(
            f"no candidate is allowed: {spec.text} is not, since {reasons[spec.label]}",
            hint="allow more with --disk or --memory, or add a pipeline with -p",
        )
    default = everything[0]
    fitting = [spec for spec in everything if spec == default or not reasons[spec.label]]
    for spec in fitting[schedule.most_candidates :]:
        reasons[spec.label] = "no time; a longer --time measures more"
    return Search(
        candidates=tuple(fitting[: schedule.most_candidates]),
        excluded=tuple(
            Exclusion(spec=spec.text, why=reasons[spec.label])
            for spec in everything
            if reasons[spec.label] and spec not in fitting[: schedule.most_candidates]
        ),
    )


@dataclass
class _Tuning:
    """A tuning as it goes on."""

    asked: RunOptions
    index: Index
    allowed: Allowance
    amounts: Amounts
    listener: Listener
    search: Search
    schedule: Schedule
    runs: list[Measured] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.options = self._in_time(self.search.candidates, self.schedule.rungs[0])
        self.has_fewer = False
        record = TuningRecord(
            status="running",
            command=list(self.options.command),
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            time_seconds=self.options.seconds or 0.0,
            folder=str(self.options.folder),
            folder_images=self.amounts.images,
            images=0,
            allowance=self.allowed,
            default=self.search.candidates[0].label,
            excluded=list(self.search.excluded),
        )
        self.keeper = Keeper(record, self.options.out, self.options.begun)

    def run(self) -> TuningRecord:
        """Measure all rungs and the final run, as far as the time allows and Ctrl-C does not."""
        try:
            is_interrupted = self._search() or self._final()
        except KeyboardInterrupt:
            if not self.runs:
                raise
            is_interrupted = True
        self.keeper.put(status="interrupted" if is_interrupted else "complete")
        return self.keeper.record

    def _in_time(self, specs: Sequence[Spec], seconds: float) -> RunOptions:
        """Return the options with as many images as there is time for, or as the user named."""
        asked, count = self.asked, len(self.index.files)
        if asked.limit is not None:
            return asked
        images = images_for(
            seconds,
            guesses(specs, self._guess),
            least=least_images(asked.batch_size, len(self.index.class_names), count),
            most=count,
            batch_size=asked.batch_size,
            pace=pace_of(asked.pace),
        )
        return dataclasses.replace(asked, limit=images)

    @cached_property
    def _guess(self) -> Cost:
        """What an image takes, guessed from a few, which are decoded for it."""
        return guessed_cost(self.index, self.asked)

    @property
    def _deadline(self) -> float:
        return self.options.begun + (self.options.seconds or 0.0)

    def _search(self) -> bool:
        """Run the rungs; return whether one was interrupted."""
        specs = list(self.search.candidates)
        for number, _ in enumerate(self.schedule.rungs):
            rungs_left = len(self.schedule.rungs) - number
            seconds = (self._deadline - time.monotonic() - self.schedule.final) / rungs_left
            self.listener.note(f"Rung {number + 1}: {counted(len(specs), 'candidate')}.")
            record = self._performed(f"rung-{number + 1}", specs, seconds)
            if record is None:
                return False
            if record.changed is not None:
                return self._ended_by(record.changed)
            rung = rung_of(self.runs[-1], self.amounts, self.allowed, specs[0].label)
            self._note_dropped(record)
            self.keeper.add(rung)
            if record.status == "interrupted":
                return True
            self._note(rung)
            self._measure_fewer(rung)
            stay = [spec for spec in specs if spec.label in {specs[0].label, *staying(rung)}]
            if rung.best is None or (rungs_left > 1 and self._is_decided(stay, rung)):
                return False
            best = next(spec for spec in specs if spec.label == rung.best)
            more = self._refined(best) if number == 0 else ()
            specs = list(different([*stay, *more]))
        return False

    def _is_decided(self, stay: Sequence[Spec], rung: Rung) -> bool:
        """Return whether only the best and the default are left, and the best has no variants."""
        left = {spec.label for spec in stay} - {rung.best, self.keeper.record.default}
        return not left and len(self.keeper.record.rungs) > 1

    def _ended_by(self, change: SourceChange) -> bool:
        """Record that photos changed in a run, which does not count.

        Raises RequestError if that is the first one.
        """
        self.keeper.put(status="interrupted", changed=change.clause)
        if not self.keeper.record.rungs:
            raise RequestError(change.clause, hint=change.hint)
        return True

    def _final(self) -> bool:
        """Measure the best and the default in fresh blocks; return whether it was interrupted.

        If the default is the best, it is measured with the second best.
        """
        record = self.keeper.record
        best, default = challenger(record.rungs[-1], record.default), record.default
        if record.winner is None or best is None:
            return False
        images, epochs = self.amounts.images, self.allowed.epochs
        self.keeper.put(
            challenger=best, before=gain_in(self.runs[-1], images, epochs, (best, default))
        )
        self.listener.note(f"{best} and {default} again, in fresh blocks.")
        specs = [self._spec(default), self._spec(best)]
        if not self.has_fewer:
            # With two pipelines there is time for more images. What is written in advance takes a
            # start too, which is multiplied where the whole folder's time is computed from a few.
            self.options = self._in_time(specs, self.schedule.final)
        final = self._performed(FINAL, specs, self._deadline - time.monotonic())
        if final is None:
            return False
        if final.changed is not None:
            return self._ended_by(final.changed)
        rung = rung_of(self.runs[-1], self.amounts, self.allowed, default)
        gain = gain_in(self.runs[-1], images, epochs, (best, default))
        self.keeper.put(
            after=gain,
            final_blocks=final.blocks,
            final_images=final.workload.images,
            run=FINAL,
        )
        if gain is not None:
            is_better = chosen_anew(gain, was_default=record.winner == default)
            self.keeper.choose(rung, best if is_better else default)
        return final.status == "interrupted"

    def _performed(self, name: str, specs: Sequence[Spec], seconds: float) -> RunRecord | None:
        """Perform a run. After the first one, return None if there is no time for it."""
        asked = dataclasses.replace(
            self.options,
            specs=tuple(map(as_typed, specs)),
            out=self.options.out / name,
            seconds=max(seconds, 1.0),
            pace=pace_of(self.options.pace),
            begun=time.monotonic(),
        )
        try:
            record = perform(asked, self.listener)
        except TooShortError as error:
            if not self.runs:
                missing = error.needed_seconds - seconds
                least = (self.options.seconds or 0.0) + len(self.schedule.rungs) * missing
                raise too_short(self.options, rounded_up(least)) from None
            self.listener.note(f"{name} was left out: {error.sentence}.")
            return None
        self.runs.append(_measured(name, asked.out, record))
        if name != FINAL:
            self.keeper.put(images=record.workload.images)
        return record

    def _spec(self, label: str) -> Spec:
        """Return a candidate by its label."""
        everything = [
            *self.search.candidates,
            *(more for spec in self.search.candidates for more in self._refined(spec)),
        ]
        return next(spec for spec in everything if spec.label == label)

    def _refined(self, spec: Spec) -> tuple[Spec, ...]:
        delivered = least_of(self.options.fit, self.options.image_size).longest
        return refined(spec, math.ceil(usable_cores()), delivered)

    def _note_dropped(self, record: RunRecord) -> None:
        """Keep why the run had no time for some candidates."""
        dropped = [Exclusion(spec=each.spec, why=each.why) for each in record.dropped]
        self.keeper.put(excluded=[*self.keeper.record.excluded, *dropped])

    def _measure_fewer(self, rung: Rung) -> None:
        """Measure fewer images from now on if there was no time for the default.

        Gains are compared with it, so without it the search would have no result.
        """
        default, images = self.keeper.record.default, self.keeper.record.images
        of_default = [result for result in rung.results if result.label == default]
        if any(result.rate is not None or result.why_out != NO_TIME for result in of_default):
            return
        fewer = max(images // _FEWER, min(2 * self.options.batch_size, images))
        if fewer < images:
            self.options = dataclasses.replace(self.options, limit=fewer)
            self.has_fewer = True
            self.listener.note(
                f"There was no time for {default}, with which all others are compared. So the next"
                f" run has {fewer:,} of these {images:,} images."
            )

    def _note(self, rung: Rung) -> None:
        for result in rung.results:
            if result.why_out:
                self.listener.note(f"{result.label} is out: {result.why_out}.")


def pace_of(pace: Pace) -> Pace:
    """Return the pace of a rung: many short blocks show a difference sooner than a few long."""
    if not pace.rounds:  # the trials take no turns
        return pace
    short = BRIEF if pace == USUAL else pace
    most = min(short.most_rounds, _MOST_ROUNDS)
    return replace(short, rounds=short.least_rounds, most_rounds=most)


def _measured(name: str, folder: Path, record: RunRecord) -> Measured:
    trials = [trial for trial in read_trials(folder) if trial.block <= record.blocks]
    return Measured(
        folder=name,
        blocks=record.blocks,
        images=record.workload.images,
        rows=record.rows,
        trials=trials,
    )
