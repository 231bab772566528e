"""The schema of a proof of equal work."""

from __future__ import annotations

from typing import Literal

import msgspec

from feedbench.bench.records.augmented import Augmented

# What the rule of equal work allows, in mean grey levels: METHOD, rule 1.
MOST_SAME = 1.5  # from the first reference: the fast JPEG transform has 1.0
MOST_NEAR = 1.0  # from the second, which is 1.9 from the first (flowers at 224x224)
REFERENCE_SHEET = "_reference.webp"  # no label's slug has an underscore
AMPLIFIED = 8  # times, a difference in grey levels on a contact sheet

Work = Literal["same", "near", "accepted", "augmented", "different"]
"""same: the first reference's images; near: the second's; accepted: pixels no farther from the
nearer one than `--pixels` allows; augmented: the files' images, transformed at random as
`--augment` asks; different: none of these, and no verdict."""


Kind = Literal["full", "partial", "none", "fixed", "unknown"]
"""full: as good as chance; partial: through a buffer, or in pieces; none: in the order of the list;
fixed: every epoch in the same other order; unknown: too few images to tell."""

FixedIn = Literal["new iterators", "repeat"]
"""new iterators: each one begins with the same order, and epochs within `repeat()` differ; repeat:
its epochs have the same order, and new iterators differ."""


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """How far pixels are from a reference, in grey levels of 255: absolute differences."""

    mean: float  # over all values of all images that were compared
    p99: float  # 99 % of the values are nearer, to an eighth of a level; from every fourth row
    worst: float  # the mean of the image that is farthest
    worst_file: str


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """How the pixels probably came about, if they are not those of the first reference."""

    name: str  # such as "nearest-neighbour sampling"
    is_fault: bool  # it is other work, or shows other images
    images: int  # that were compared
    distance: float  # from it, in grey levels
    is_resampling: bool = False  # only decoding or resizing differs, not what an image shows
    is_reduced: bool = False  # decoded at a reduced scale that is large enough: all pixels count


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The images of an epoch compared with the list of files. Counts files with equal content."""

    images: int  # delivered
    epoch: int = 1  # the second, where that is worse
    missing: int = 0  # never delivered
    doubled: int = 0  # delivered once too often
    unknown: int = 0  # of no file's content
    wrong_labels: int = 0
    first_missing: str | None = None
    first_doubled: str | None = None
    first_wrong_label: str | None = None  # as a clause: daisy/1.jpg as 'roses'
    are_classes_sorted: bool = True  # false: --classes has another order

    @property
    def is_whole(self) -> bool:
        """Whether every image arrived once, and no others."""
        return not (self.missing or self.doubled or self.unknown)

    @property
    def is_right(self) -> bool:
        """Whether the images also have their labels."""
        return self.is_whole and not self.wrong_labels


class Shuffle(msgspec.Struct, frozen=True, kw_only=True):
    """How an epoch was shuffled. Correlations are Spearman's, of ranks: 1 for the same order."""

    kind: Kind
    fixed_in: FixedIn | None = None  # only one of the two repeats its order; null: both, or neither
    with_list: float | None = None  # of the order with the list of files
    with_neighbour: float | None = None  # of each image's place with that of the one before it
    with_next_epoch: float | None = None  # null: no further epoch was checked
    neighbours_kept: float | None = None  # of this share the image before is as an epoch earlier
    ahead: int | None = None  # places that an image came before its turn in the list, at most
    batch_classes: float | None = None  # different ones within a batch, the mean
    batch_classes_by_chance: float | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An image on the contact sheet."""

    file: str
    class_name: str
    delivered_as: str | None = None  # a class's name; null: it did not arrive


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The result of comparing a pipeline's epochs with the references."""

    work: Work
    reason: str | None = None  # a clause that follows the label, if there is something to report
    is_wrong: bool = False  # images are missing or doubled, or labels are wrong
    counts: Counts
    compared: int  # images whose pixels were
    off: int = 0  # of these: single images that differ
    others_mean: float = 0.0  # of those that are not: grey levels from the nearer reference
    from_sampled: Distance | None = None  # the first reference; null: none was compared
    from_filtered: Distance | None = None  # the second
    between: float = 0.0  # grey levels from one reference to the other, of the same images
    likeness: Likeness | None = None
    shuffle: Shuffle
    augmented: Augmented | None = None  # null: the workload does not augment
    forms: list[str] = []  # clauses: which parts of a batch were compared, and in which form
    sheet: list[Shown] = []
    made_at: str = ""  # UTC, ISO 8601
    seconds: float = 0.0
    is_remembered: bool = False  # from an earlier run on the same files with the same software


def is_equal(proof: Proof | None) -> bool:
    """Return whether equal work is proven for a pipeline, so that its rate can be compared."""
    return proof is not None and proof.work != "different"
