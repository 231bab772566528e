"""run.json: the request and the results of a run."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

import msgspec

from feedbench.bench.records.conditions.calm import Calm
from feedbench.bench.records.conditions.environment import Environment, Other
from feedbench.bench.records.conditions.page_cache import State
from feedbench.bench.records.conditions.sources import SourceChange
from feedbench.bench.records.demand.demand import Demand
from feedbench.bench.records.diagnosis import Diagnosis
from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import SCHEMA
from feedbench.bench.text import counted, digits, listed

_AS_FAST = 1.05  # times the fastest


class Stopped(StrEnum):
    """What ended a run's blocks."""

    BLOCKS = "blocks"  # as many as were requested
    SPARE = "spare"  # these, and more for disturbed ones
    TIME = "time"  # it was up
    PRECISE = "precise"  # every interval was narrow enough
    DECIDED = "decided"  # no verdict was inconclusive, and that was requested
    FAILED = "failed"  # every pipeline failed
    INCOMPARABLE = "incomparable"  # the two pipelines of a gate
    SOURCES = "sources"  # the files that pipelines read changed
    INTERRUPTED = "interrupted"  # by Ctrl-C

    def clause(self, blocks: int) -> str:
        """Return what ended a run with this many completed blocks, as a clause after "because"."""
        if self is Stopped.BLOCKS:
            return f"{counted(blocks, 'block')} {'was' if blocks == 1 else 'were'} requested"
        return _CLAUSES[self]


_CLAUSES = {
    Stopped.SPARE: "the requested blocks were measured, and more for disturbed ones",
    Stopped.TIME: "its time was up",
    Stopped.PRECISE: "every interval was narrow enough",
    Stopped.DECIDED: "every verdict was decided",
    Stopped.FAILED: "every pipeline failed",
    Stopped.INCOMPARABLE: "its two pipelines cannot be compared",
    Stopped.SOURCES: "the files that it measured changed",
    Stopped.INTERRUPTED: "it was interrupted",
}


class PipelineRecord(msgspec.Struct, frozen=True):
    """A row's identity."""

    label: str
    spec: str
    slug: str  # the label as a file's name
    beside: str | None = None  # of one in another environment: the label of the same one in this
    python: str = ""  # its own interpreter; "": this environment's, or that of `against`
    cores: list[int] = []  # that its trials were limited to; []: they were not


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline that was left out because there was no time for it."""

    label: str
    spec: str
    times_slower: float | None = None  # in its pilot, than the fastest; null: it had no pilot

    @property
    def why(self) -> str:
        """Why it was this one, in a few words."""
        times = self.times_slower
        if times is None:
            return "no time for a pilot"
        if times < _AS_FAST:
            return "not slower in its pilot, but probably in later epochs"
        return f"{digits(times, 2)} times slower in its pilot"


def left_out_sentence(dropped: Sequence[Dropped]) -> str:
    """Return a sentence on the pipelines for which there was no time, at least one."""
    labels: dict[str, list[str]] = {}
    for each in dropped:
        labels.setdefault(each.why, []).append(each.label)
    clauses = (f"{listed(of_it)} ({why})" for why, of_it in labels.items())
    return f"Left out for lack of time: {'; '.join(clauses)}."


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """An image that was left out."""

    file: str  # relative to the folder
    reason: str  # why it is bad


class SplitRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The split of the images into two parts, of which one was measured."""

    subset: Literal["training", "validation"]  # the part that was measured
    training: int  # images
    validation: int
    by: str  # what decided which image is in which part: seed 0, or the folders train and val
    share: float | None = None  # of each class, for validation; null: the folder has the parts

    @property
    def sentence(self) -> str:
        """How many images are in which part, without a full stop."""
        training, validation = counted(self.training, "image"), f"{self.validation:,}"
        return f"{training} for training; {validation} for validation, by {self.by}"

    @property
    def other(self) -> str:
        """How many images are in the part that was not measured, as a clause."""
        if self.subset == "training":
            return f"{self.validation:,} for validation, by {self.by}"
        return f"{self.training:,} for training, by {self.by}"


class WorkloadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The images, and how to deliver them; the list itself is in images.json."""

    folder: str
    folder_images: int  # of a split: in the part that was measured
    images: int  # that were measured: all of the folder, or some
    images_digest: str = ""  # of each one's name below the folder, class and bytes; "": not known
    ignored_files: int
    check: str = "none"  # how the images were checked: header, decode or none
    left_out: list[LeftOut] = []  # bad images
    notes: list[str] = []  # what a user may not expect of the list of images
    classes: dict[str, int]  # images measured of each
    height: int
    width: int
    fit: str = "stretch"  # as --fit takes it
    channels: int
    batch_size: int
    dtype: str
    data_format: str = "channels_last"
    value_range: tuple[float, float]
    normalization: str = "none"  # imagenet or caffe: channels differ
    label_mode: str
    seed: int
    augmentation: str = ""  # as --augment takes it; "": images as they are
    preprocess: str = ""  # the network whose preprocess_input was asked for; "": none
    split: SplitRecord | None = None  # null: the images were not split

    @property
    def split_by_seed(self) -> SplitRecord | None:
        """The split, if the run made it; None if there is none, or if the folder has the parts."""
        return None if self.split is None or self.split.share is None else self.split

    @property
    def purpose(self) -> str:
        """What the images are for, after a noun: " for training"; "" if they were not split."""
        return "" if self.split is None else f" for {self.split.subset}"

    @property
    def is_part(self) -> bool:
        """Whether only some images of the folder were measured, or of its part of a split."""
        return self.images < self.folder_images


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may take since it was extended: in all, from its beginning."""

    blocks: int | None = None  # null: as many as the time allows
    seconds: float | None = None  # null: no limit


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """A resumption of a run by another process."""

    at: str  # UTC, ISO 8601
    blocks: int  # that were completed by then
    left_out: int  # trials of the unfinished block and of the diagnosis, which were repeated
    extended_to: Extension | None = None  # null: it was resumed as requested at first


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """run.json."""

    schema: int = SCHEMA
    status: Literal["running", "complete", "interrupted"]
    one_at_a_time: str | None = None  # why trials took no turns, a clause; "": they did; null: 0.2
    command: list[str]
    started_at: str  # UTC, ISO 8601
    seconds: float = 0.0
    time_seconds: float | None  # that it was given, with what extensions added
    quick: bool = False  # few pipelines, and no reasons
    sequential: bool = False  # it could stop after any block because of its verdicts
    blocks: int = 0  # that are completed
    block_seconds: float | None = None  # that one took, on average
    stopped_because: Stopped | None = None
    changed: SourceChange | None = None  # of the files that pipelines read; then no verdicts
    resumed: list[Resumed] = []
    margin: float
    pixels: float | None = None  # grey levels of distance that are accepted; null: none was given
    pipelines: list[PipelineRecord]
    dropped: list[Dropped] = []
    workload: WorkloadRecord
    environment: Environment
    code: str = ""  # a digest of what of Feedbench measured it; "": not known
    best: list[str] = []  # labels not shown slower than another
    control: tuple[float, float, float] | None = None  # ratio of the baseline's second copy to it
    rows: list[Row] = []
    calm: Calm | None = None
    page_cache: State = "warm"  # that was requested
    against: Other | None = None  # the other environment
    interpreters: list[Other] = []  # of single pipelines
    diagnosis: Diagnosis | None = None  # why pipelines are as fast as they are
    demand: Demand | None = None  # whether a model waits for its input; null: not requested

    @property
    def extension(self) -> Extension | None:
        """The last extension of the run; None if it has none."""
        extensions = [each.extended_to for each in self.resumed if each.extended_to is not None]
        return extensions[-1] if extensions else None
