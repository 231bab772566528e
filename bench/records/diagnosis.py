"""The schema of the diagnosis: why pipelines are as fast as they are, measured after the blocks."""

from __future__ import annotations

from typing import Literal

import msgspec

PYTHON, REST = "Python", "the rest"
OTHER, NATIVE = "other", "other threads"
_OF_TENSORFLOW = "list read parse decode resize scale shuffle batch cache"
_OF_STACKS = "collate transfer OpenCV"
KNOWN_STAGES = {*_OF_TENSORFLOW.split(), *_OF_STACKS.split(), PYTHON, REST, OTHER, NATIVE}
"""The usual stages; any other is an op of a user's pipeline."""


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of a pipeline, and its time."""

    name: str
    ms: float  # an image, summed over threads


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The results of a pipeline's trace. Milliseconds per image, summed over threads."""

    folder: str  # of the trace, seen from the run folder
    images: int = 0  # that were delivered while it was traced
    steps: int = 0
    seconds: float = 0.0
    cpu_ms: float | None = None  # of the whole process tree
    stages: list[Stage] = []  # the largest first
    conclusion: str | None = None  # xprof's own sentence on being input-bound
    input_bound: float | None = None  # the share of a step that waits for input, of 1
    functions: list[Stage] = []  # of Python, by own time, the largest first; where it was traced
    is_sampled: bool = False  # the stages are from samples of its stacks
    is_one_thread: bool = False  # by the samples, one thread of one process does all the work
    why_not: str | None = None  # a clause: why nothing is known of its stages

    @property
    def total_ms(self) -> float:
        """The time of all stages together."""
        return sum(stage.ms for stage in self.stages)

    def ms_of(self, name: str) -> float:
        """Return a stage's time; 0 if there is none of that name."""
        return sum(stage.ms for stage in self.stages if stage.name == name)

    def share(self, name: str) -> float:
        """Return a stage's share of all stages; 0 if there is none of that name."""
        return self.ms_of(name) / self.total_ms if self.total_ms else 0.0


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """AUTOTUNE's choices for one stage of a tf.data pipeline at the end of a trial."""

    stage: str  # as tf.data names it
    parallelism: int | None = None  # calls at once; null: the stage has none
    most_parallelism: int | None = None
    buffer: int | None = None  # elements; null: the stage has none
    ms: float  # an element, on the threads that work on it


class Autotune(msgspec.Struct, frozen=True, kw_only=True):
    """AUTOTUNE's budgets and choices."""

    cpu_budget: int  # cores
    ram_budget: int  # bytes
    choices: list[Choice]  # in the order of the data's way to the consumer, the last first

    @property
    def parallelism(self) -> Choice | None:
        """The stage with the most parallel calls, if any is parallel."""
        parallel = [choice for choice in self.choices if choice.parallelism is not None]
        return max(
            parallel, key=lambda choice: (choice.most_parallelism or 0, choice.ms), default=None
        )


CeilingName = Literal["read", "decode", "scaled decode", "ready", "client"]
"""scaled decode: by `decode=scaled`; client: batches from tf.data workers that repeat one."""


class Ceiling(msgspec.Struct, frozen=True, kw_only=True):
    """The best rate that this machine can reach."""

    name: CeilingName
    rate: float  # images/s
    cpu_ms: float | None = None  # an image


StepName = Literal["read", "decode", "resize", "the rest"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline that ends after this step; the last one is the whole pipeline."""

    name: StepName
    rate: float  # images/s, of all up to here
    cpu_ms: float | None = None  # an image, of all up to here


class Waterfall(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline, step by step."""

    label: str
    like: str = ""  # the pipeline that stands in for all steps but the last; "": it itself
    steps: list[Step]

    def added_ms(self) -> dict[str, float]:
        """Return what each step adds, in CPU milliseconds per image; empty if unknown."""
        added: dict[str, float] = {}
        before = 0.0
        for step in self.steps:
            if step.cpu_ms is None:
                return {}
            # Each step has its own trial: one that took less than the one before adds nothing.
            added[step.name] = max(step.cpu_ms - before, 0.0)
            before = max(step.cpu_ms, before)
        return added


class Fixed(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline with fixed values instead of AUTOTUNE, one trial each with and without them."""

    label: str
    spec: str  # with the fixed values
    rate: float  # images/s
    own_rate: float  # of the unchanged pipeline, in the trial before it
    turnover_seconds: float | None = None
    own_turnover_seconds: float | None = None

    @property
    def gain(self) -> float:
        """By what share the fixed values are faster."""
        return self.rate / self.own_rate - 1


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """A line of advice, and the figure that supports it."""

    label: str
    sentence: str
    figure: str  # where in run.json it is
    gain: float  # the share of time or rate that it concerns: the largest comes first
    remedy: str = ""  # the terminal shows lines with the same remedy as one
    spec: str = ""  # that does what it names; "": no SPEC does
    times: float | None = None  # the rate of that SPEC over this one's; null: not measured here


class StoreProbe(msgspec.Struct, frozen=True, kw_only=True):
    """What the images' store can do, measured after the blocks without any pipeline."""

    requests: int  # one after another, for the latency
    latency_ms: float  # until a file's first byte is there: the median
    slow_ms: float  # one request in ten takes at least this
    processes: int = 1  # that gave the highest throughput: more processes or requests gave no more
    at_once: int  # requests of each of these processes
    files: int  # that were read for it
    bytes_per_second: float  # of whole files
    files_per_second: float = 0.0


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """The diagnosis of a run."""

    traces: dict[str, Trace] = {}  # by label
    ceilings: list[Ceiling] = []
    store: StoreProbe | None = None  # null: the images are on this machine
    waterfalls: list[Waterfall] = []
    fixed: list[Fixed] = []
    source_pixels: float | None = None  # of an image's file, the mean over some
    advice: list[Advice] = []
    skipped: list[str] = []  # sentences
    seconds: float = 0.0
