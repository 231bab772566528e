"""What an epoch of a pipeline was found to be."""

from __future__ import annotations

from typing import Literal

import msgspec

# What the rule of equal work allows, in mean grey levels: METHOD, rule 1.
MOST_SAME = 1.5  # from the first reference: the fast JPEG transform has 1.0
MOST_NEAR = 1.0  # from the second, which is 1.9 from the first (flowers at 224x224)
REFERENCE_SHEET = "_reference.webp"  # no label's slug has an underscore
AMPLIFIED = 8  # times, a difference in grey levels on a contact sheet

Work = Literal["same", "near", "different"]
"""same: the first reference's images; near: the second's; different: neither, and no verdict."""


Kind = Literal["full", "partial", "none", "fixed", "unknown"]
"""full: as good as chance; partial: through a buffer, or in pieces; none: in the order of the list;
fixed: each epoch in one and the same other order; unknown: too few images to tell."""


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """How far pixels are from a reference, in grey levels of 255: absolute differences."""

    mean: float  # over all values of all images that were compared
    p99: float  # 99 % of the values are nearer, to an eighth of a level; by every fourth row
    worst: float  # the mean of the image that is farthest
    worst_file: str


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """What the pixels are, where they are not those of the first reference."""

    name: str  # such as "nearest-neighbour sampling"
    is_fault: bool  # it is other work, or shows other images
    images: int  # that were looked at
    distance: float  # from it, in grey levels


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The images of an epoch beside the list of files. Files of the same content are counted."""

    images: int  # delivered
    epoch: int = 1  # the second, where that is worse
    missing: int = 0  # never delivered
    doubled: int = 0  # delivered once too often
    unknown: int = 0  # of no file's content
    wrong_labels: int = 0
    first_missing: str | None = None
    first_doubled: str | None = None
    first_wrong_label: str | None = None  # as a clause: daisy/1.jpg as 'roses'

    @property
    def is_whole(self) -> bool:
        """Whether every image came once and none beside."""
        return not (self.missing or self.doubled or self.unknown)

    @property
    def is_right(self) -> bool:
        """Whether they have their labels, too."""
        return self.is_whole and not self.wrong_labels


class Shuffle(msgspec.Struct, frozen=True, kw_only=True):
    """How an epoch was shuffled. Correlations are Spearman's, of ranks: 1 for the same order."""

    kind: Kind
    with_list: float | None = None  # of the order with the list of files
    with_neighbour: float | None = None  # of each image's place with that of the one before it
    with_next_epoch: float | None = None  # null: no further epoch was looked at
    ahead: int | None = None  # places that an image came before its turn in the list, at most
    batch_classes: float | None = None  # different ones within a batch, the mean
    batch_classes_by_chance: float | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An image on the contact sheet."""

    file: str
    class_name: str
    delivered_as: str | None = None  # a class's name; null: it did not come


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What an epoch of a pipeline was found to be."""

    work: Work
    reason: str | None = None  # a clause behind the label, where there is something to say
    is_wrong: bool = False  # images are missing or doubled, or labels wrong: no filter's doing
    counts: Counts
    compared: int  # images whose pixels were
    off: int = 0  # of these: images that are off by themselves
    others_mean: float = 0.0  # of those that are not: grey levels from the nearer reference
    from_sampled: Distance | None = None  # the first reference; null: none was compared
    from_filtered: Distance | None = None  # the second
    likeness: Likeness | None = None
    shuffle: Shuffle
    forms: list[str] = []  # clauses: what of a batch was compared, and in which form it came
    sheet: list[Shown] = []
    made_at: str = ""  # UTC, ISO 8601
    seconds: float = 0.0
    is_remembered: bool = False  # of an earlier run on the same files with the same software


def is_equal(proof: Proof | None) -> bool:
    """Tell whether a pipeline's work can be compared with others': it was shown to be the same."""
    return proof is not None and proof.work != "different"
