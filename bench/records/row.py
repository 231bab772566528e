"""A pipeline's line in the table of a run."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from feedbench.bench.records.conditions.page_cache import PageCacheUse
from feedbench.bench.records.conditions.usage import GpuUsage, Latency, NoGpu
from feedbench.bench.records.diagnosis import Autotune
from feedbench.bench.records.proof import Proof
from feedbench.bench.records.trial import Preparation

Word = Literal["faster", "slower", "equivalent", "inconclusive", "withheld"]


Withheld = Literal[
    "control",
    "work",
    "baseline's work",
    "exclusions",
    "other programs",
    "baseline's other programs",
    "slow turns",
    "photos changed",
    "rate",
    "baseline's rate",
    "augmentation",
]
"""Why there is no verdict: the baseline differed from its own second copy; equal work is not proven
for the pipeline or for the baseline; it depends on which disturbed trials were left out; other
programs were busy in the turns of the pipeline or of the baseline, and not in the others'; it
depends on which slow turns were left out; the files that pipelines read changed after the proof of
equal work; no pipeline can have the rate of this one or of the baseline; or one of the two augments
its images, and the other does not."""

UNSURE: frozenset[Withheld | None] = frozenset(
    {
        "exclusions",
        "other programs",
        "baseline's other programs",
        "slow turns",
        "photos changed",
        "rate",
    }
)
"""The reasons that lie in how the pipelines were measured: none of them is among the best."""


class Unaugmented(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline without `--augment`, in the blocks of the pipeline itself. Rates in images/s."""

    blocks: int = 0  # that both have
    rate: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None
    share: float | None = None  # of this rate that augmentation takes away: 0.6 leaves 40 %
    share_low: float | None = None
    share_high: float | None = None
    is_disturbed: bool = False  # in no block were both undisturbed, so that all blocks count
    why: str = ""  # a clause: why the share is not known


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline's line in the table. Rates in images/s, times in seconds; null: not known."""

    label: str
    spec: str
    blocks: int  # in which it was measured
    rate: float | None = None  # continuous, unless `continuous` is false
    rate_low: float | None = None
    rate_high: float | None = None
    ratio: float | None = None  # to the baseline, over the blocks of both
    ratio_low: float | None = None
    ratio_high: float | None = None
    # Of a first ratio, after fewer blocks than a verdict needs: half its 95 % interval, as a share.
    ratio_width: float | None = None
    level: float | None = None  # of the intervals
    # A check: the ratio's interval by signed ranks, and the verdict from it; null: too few blocks
    # for the level.
    ranks_low: float | None = None
    ranks_high: float | None = None
    ranks_verdict: Word | None = None
    verdict: Word | None = None
    withheld: Withheld | None = None  # why, where the verdict is "withheld"
    within_margin: bool = False
    # In a rotation: slow turns came mostly with it or mostly with the baseline, so none was left
    # out of the ratio.
    counts_all_turns: bool = False
    more_blocks: int | None = None  # that a verdict would take, about
    first_batch_seconds: float | None = None  # from open's call
    first_epoch_seconds: float | None = None  # from open's call
    # The whole folder's; null: what it takes to begin cannot be separated from the images' share.
    folder_first_epoch_seconds: float | None = None
    turnover_seconds: float | None = None
    epoch_seconds: float | None = None  # of the images measured, restarted
    folder_epoch_seconds: float | None = None  # of the whole folder; of a part, extrapolated
    continuous: bool = True
    unsteady_trials: int = 0
    unsettled_share: float = 0.0  # of its turns, that began while batches were still ready
    attempts: int = 0  # trials that were measured, repeated ones included
    disturbed: int = 0  # of these, around which the machine was not calm: left out
    latency: Latency | None = None  # percentiles: means over the trials; longest: of all
    cpu_seconds_per_1000_images: float | None = None  # of the whole process tree
    cpu_utilisation: float | None = None  # of the cores that it could use, 0 to 1
    peak_memory_bytes: int | None = None  # the most of any trial
    consumer_share: float | None = None  # of the windows' time that the harness itself takes
    read_bytes_per_image: float | None = None  # from the device
    received_bytes_per_image: float | None = None  # by TCP, as from tf.data service
    gpus: list[GpuUsage] | NoGpu | None = None  # null: no trial was measured
    preparation: Preparation | None = None  # null: it reads the images' files as they are
    is_augmented: bool = True  # false: with --augment, its images are as they are
    unaugmented: Unaugmented | None = None  # null: it was not measured without augmentation
    proof: Proof | None = None  # that it delivers the same images; null: not checked
    page_cache: PageCacheUse | None = None  # around its first epochs; null: not checked
    autotune: Autotune | None = None  # what it had chosen when the last trial ended
    knobs: dict[str, Any] = {}
    remarks: list[str] = []
    failures: list[str] = []  # how its failed trials ended
