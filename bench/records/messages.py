"""The messages between the parent, the forkserver and a measured process, as JSON lines.

The parent sends commands to the forkserver. Events come back on one pipe, from the forkserver and
from the measured process. Times are CLOCK_MONOTONIC seconds, which all processes share.
"""

from __future__ import annotations

import dataclasses
import struct
from typing import Literal

import msgspec

from feedbench.bench.records.demand.demand import ModelRecord
from feedbench.bench.records.measurement import Measurement, Profile
from feedbench.bench.records.pace import USUAL, Pace
from feedbench.bench.records.proof import Proof
from feedbench.bench.records.trained_epoch import TrainedEpoch
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.forms import Fit
from feedbench.pipelines.images.image_check import Finding

SCHEMA = 2

Purpose = Literal[
    "check",
    "build",
    "decode",
    "pilot",
    "prepare",
    "records",
    "record set",
    "references",
    "verify",
    "train",
    "show",
    "main",
    "control",
    "trace",
    "ceiling",
    "diagnostic",
    "model",
    "appetite",
    "curve",
    "cores",
]
"""check: can it be built; decode: which files are bad; pilot: a rough rate;
build: does a model suit the workload; train: train it;
records: extract the images of the user's record files; record set: write record files that the
user keeps; references: compute them; verify: compare with them; show: collect images for a picture;
main and control: the reported rates; model: feed a model; appetite: feed it one batch that is
ready; curve: feed emulated ones, for the demand curve; cores: feed a model on some of the cores;
the others: the diagnosis."""

DIAGNOSTIC: frozenset[Purpose] = frozenset(("trace", "ceiling", "diagnostic"))
"""Trials after the blocks, whose rates never count as a pipeline's rate."""

FEEDING: frozenset[Purpose] = frozenset(("model", "appetite", "curve", "cores"))
"""Trials that feed a model, in blocks of their own after the main ones."""

AFTERWARDS = DIAGNOSTIC | FEEDING
"""Trials that are no part of the main blocks."""


LastStep = Literal["", "read", "decode", "resize", "all"]
"""The last step of a pipeline whose rate is measured briefly; all: the whole pipeline, as briefly;
"": a normal trial."""


class Fed(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial's pipeline feeds. Images/s."""

    model: ModelRecord | None = None  # null: emulated ones, for a demand curve
    rate: float = 0.0  # about the pipeline's rate, of a curve
    guesses: list[float] = []  # of a curve: about where it crosses each of its targets


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What a built-in pipeline may refuse to deliver before there is a workload."""

    fit: Fit
    size: tuple[int, int]  # height and width, in pixels
    augmentation: Augmentation | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One trial."""

    schema: int = SCHEMA
    label: str
    spec: str
    purpose: Purpose
    block: int = 0  # from 1; 0 before the blocks
    attempt: int = 1
    workload: str  # the file that holds it; for decode and records, one that lists files
    prepared: str  # the folder of prepared files; for the purpose prepare, the store
    scratch: str
    link: str = ""  # the path that the loader's file is imported by; "": its own
    form: Form | None = None  # of a check: what the pipeline may refuse; null: nothing is asked
    folder: str = ""  # of exactly the workload's images, to be walked; "": the workload's own
    references: str = ""  # the folder of the references, or of their fingerprints alone
    proof: Proof | None = None  # of equal work; batches of the timed part are compared with it
    until: LastStep = ""
    is_augmented: bool = True  # false: images as they are, even if the workload is augmented
    is_autotuned: bool = True  # false: AUTOTUNE is switched off
    training: str = ""  # the file of what to train; "": nothing
    trace: str = ""  # the folder of a trace
    sampler: str = ""  # the program that samples stacks for it; "": TensorFlow's profiler traces
    sheet: str = ""  # where verifying writes the contact sheet, without a suffix; "": nowhere
    pictures: str = ""  # the file that the images of a picture are written to
    same_image: str = ""  # the image of each epoch that is in the picture; "": the first ones
    pilot_seconds: float = 2.0  # how long a pilot reads after its first batch
    fed: Fed | None = None  # what its pipeline feeds; null: only the trial's consumer
    steady_seconds: float = 0.0  # the least time that is measured after the rate is steady
    turns: str = ""  # the named pipe that says when it is this trial's turn; "": it has none
    cores: tuple[int, ...] = ()  # that its processes may use; (): all that Feedbench may
    pace: Pace = USUAL

    def asked(self, workload: Workload) -> Workload:
        """Return the workload in the file as this trial's pipeline has to deliver it."""
        return workload if self.is_augmented else dataclasses.replace(workload, augmentation=None)

    def given(self, workload: Workload) -> Workload:
        """Return the workload as a pipeline is given it: the folder to walk, and its scratch."""
        folder = self.folder or workload.folder
        return dataclasses.replace(workload, folder=folder, scratch=self.scratch)


class Start(msgspec.Struct, frozen=True, kw_only=True, tag="start", tag_field="command"):
    """Start a trial in a process of its own, whose output goes to the file `log`."""

    request: Request
    log: str
    fresh_interpreter: bool = False


TURN = struct.Struct("<If")
"""What a trial reads from its pipe: the number of a round, and the least seconds of its window.

Round 0 means that there are no more turns; 0 seconds mean those of the trial's pace."""


class End(msgspec.Struct, frozen=True, kw_only=True, tag="end", tag_field="command"):
    """End a trial's process group now."""

    trial: int = 0  # its process; 0: all of them


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    pass


class Ready(_Event, frozen=True, kw_only=True, tag="ready"):
    """The forkserver has imported what its trials need."""

    tensorflow: str  # version; "": its trials do not need it
    keras: str
    seconds: float  # that the import took


class Started(_Event, frozen=True, kw_only=True, tag="started"):
    """The trial's process has started."""

    pid: int


class Built(_Event, frozen=True, kw_only=True, tag="built"):
    """A check succeeded: the pipeline could be imported and built."""

    prepares: bool = False  # it has an offline part


class Checked(_Event, frozen=True, kw_only=True, tag="checked"):
    """A file was checked."""

    place: int  # in the list
    finding: Finding


class Writing(_Event, frozen=True, kw_only=True, tag="writing"):
    """A preparation was not found, and is being written."""

    folder: str  # unfinished
    expected_bytes: int  # that will be written, about
    replaces: bool  # a damaged one


class Prepared(_Event, frozen=True, kw_only=True, tag="prepared"):
    """A preparation is ready."""

    folder: str
    was_found: bool  # it was not written now
    made_at: str  # UTC, ISO 8601
    seconds: float  # that it took when it was made
    images: int
    bytes: int  # written
    source_bytes: int  # of the images' files
    files: int


class Counted(_Event, frozen=True, kw_only=True, tag="counted"):
    """How many images are done."""

    images: int


class Referenced(_Event, frozen=True, kw_only=True, tag="referenced"):
    """The references are ready."""

    images: int  # that have one


class Verified(_Event, frozen=True, kw_only=True, tag="verified"):
    """An epoch was compared with the references."""

    proof: Proof


class Collected(_Event, frozen=True, kw_only=True, tag="collected"):
    """The images of a picture are on disk."""

    images: int


class Phase(_Event, frozen=True, kw_only=True, tag="phase"):
    """The trial has reached the end of a phase."""

    name: Literal[
        "waiting", "open", "first batch", "first epoch", "restarted", "continuous", "ready"
    ]
    at: float


class Edge(_Event, frozen=True, kw_only=True, tag="edge"):
    """A window ended, and the next began."""

    at: float


class Turned(_Event, frozen=True, kw_only=True, tag="turned"):
    """A turn's window has ended. The trial waits for its next turn, and should be stopped now.

    The fields are those of a records/turns.py Turn.
    """

    round: int
    at: float
    images: int
    seconds: float
    dropped_images: int
    dropped_seconds: float
    is_settled: bool


class Measured(_Event, frozen=True, kw_only=True, tag="measured"):
    """The trial has completed its phases."""

    measurement: Measurement


class Traced(_Event, frozen=True, kw_only=True, tag="traced"):
    """A trace is on disk."""

    profile: Profile


class Modelled(_Event, frozen=True, kw_only=True, tag="modelled"):
    """A model suits the workload."""

    parameters: int
    compiled_with: str  # in words, if Feedbench compiled it; "": it was compiled
    note: str = ""  # a sentence on weights that were loaded


class Fitting(_Event, frozen=True, kw_only=True, tag="fitting"):
    """A model is built, both feeds are open, and `fit` begins."""

    initial_weights: str  # SHA-256
    open_seconds: float  # of both feeds
    notes: list[str] = []


class Stepped(_Event, frozen=True, kw_only=True, tag="stepped"):
    """Some steps of an epoch are done; reported at most twice a second."""

    epoch: int  # from 1
    step: int
    steps: int
    loss: float | None  # mean of the epoch so far
    accuracy: float | None


class EpochFitted(_Event, frozen=True, kw_only=True, tag="epoch fitted"):
    """An epoch is complete, and what it changed is on disk."""

    epoch: TrainedEpoch
    is_nan: bool  # its loss is not a number
    is_best: bool  # the saved model has its weights


class FitEnded(_Event, frozen=True, kw_only=True, tag="fit ended"):
    """All epochs are done, or the loss was not a number and training was to stop then."""

    is_stopped: bool


class Failed(_Event, frozen=True, kw_only=True, tag="failed"):
    """The trial raised."""

    sentence: str
    hint: str = ""  # "": the sentence holds it, or there is none
    traceback: str = ""  # of what a user's code raised; it is in the log as well
    is_wrong_work: bool = False  # it does not deliver what the workload asks for
    is_refused: bool = False  # it cannot run here, or cannot deliver these images


Result = (
    Built
    | Prepared
    | Referenced
    | Verified
    | Collected
    | Measured
    | Traced
    | Modelled
    | FitEnded
    | Failed
)
"""The last message of a trial, unless it dies first."""


class Ended(_Event, frozen=True, kw_only=True, tag="ended"):
    """A trial's process group is gone."""

    trial: int = 0  # its process
    exit_code: int | None
    signal: int | None


Command = Start | End
Event = (
    Ready
    | Started
    | Built
    | Checked
    | Writing
    | Prepared
    | Counted
    | Referenced
    | Verified
    | Collected
    | Phase
    | Edge
    | Turned
    | Measured
    | Traced
    | Modelled
    | Fitting
    | Stepped
    | EpochFitted
    | FitEnded
    | Failed
    | Ended
)

encode = msgspec.json.Encoder().encode
decode_command = msgspec.json.Decoder(Command).decode
decode_event = msgspec.json.Decoder(Event).decode
