"""Decides whether a pipeline delivers the same images as the others, or how they differ. Pure.

A pipeline is compared with two references (references.py): TensorFlow's sampling rule, and
Pillow's antialiased filter.
"""

from __future__ import annotations

import msgspec

from feedbench.bench.measured.batches.hints import UNSORTED
from feedbench.bench.records.proof import (
    MOST_NEAR,
    MOST_SAME,
    Counts,
    Distance,
    Likeness,
    Proof,
    Work,
)
from feedbench.bench.text import counted, digits

FILTER = "Pillow's antialiased bilinear filter"

ROUNDING = 0.3  # whole grey levels are 0.25 from exact ones on average
# An image is off if it is farther from both references than a filter explains. The distance
# between the two references of that image shows how much a filter changes it.
_OFF, _OFF_FACTOR = 4.0, 2.0


def is_off(sampled: float, filtered: float, between: float) -> bool:
    """Whether one image is off, by its grey levels from both references and between the two."""
    return min(sampled, filtered) > _OFF + _OFF_FACTOR * between


def work_of(
    sampled: Distance | None,
    filtered: Distance | None,
    off: int,
    likeness: Likeness | None,
    between: float = 0.0,
) -> Work:
    """Judge the pixels by their distances.

    A recognised fault makes them different at any distance: on smooth images, distances are small.
    JPEGs decoded at a reduced scale are near if they are no farther from the filter than
    TensorFlow's sampling is, which is `between`: they are averages of more pixels than it reads.
    """
    if off or (likeness is not None and likeness.is_fault):
        return "different"
    if sampled is None or filtered is None:
        return "different"  # nothing could be compared
    if sampled.mean <= MOST_SAME and sampled.mean <= filtered.mean + ROUNDING:
        return "same"
    is_reduced = likeness is not None and likeness.is_reduced
    most = max(MOST_NEAR, between) if is_reduced else MOST_NEAR
    return "near" if filtered.mean <= most else "different"


def judged(proof: Proof) -> Proof:
    """Return the proof with its answer and its reason, from the proof's figures."""
    pixels = _pixels(proof)
    counts = proof.counts
    # Different pixels can look like another file's. Then the counts are not certain.
    is_sure = pixels != "different" and not counts.unknown
    is_wrong = is_sure and not counts.is_right
    work: Work = "different" if is_wrong or counts.unknown else pixels
    made = msgspec.structs.replace(proof, work=work, is_wrong=is_wrong)
    return msgspec.structs.replace(made, reason=_reason(made))


def accepted(proof: Proof, pixels: float | None) -> Proof:
    """Return the proof as a user judges it who accepts `pixels` grey levels on average.

    Then pixels are the only deviation: each file's image is recognised once, with its label, and no
    known mistake shows anything else. None: as it is.
    """
    likeness, nearer = proof.likeness, _nearer(proof)
    shows_more = likeness is not None and likeness.is_fault and not likeness.is_resampling
    if pixels is None or nearer is None or proof.work != "different" or shows_more:
        return proof
    if nearer.mean > pixels or not proof.counts.is_right:
        return proof
    reason = (
        f"its pixels are {levels(nearer.mean)} from the reference, and {levels(nearer.worst)} in"
        f" the worst image ({nearer.worst_file}); --pixels {pixels:g} accepts that"
    )
    return msgspec.structs.replace(proof, work="accepted", reason=reason)


def _nearer(proof: Proof) -> Distance | None:
    """Return the distance from the nearer reference; None if nothing was compared."""
    both = (distance for distance in (proof.from_sampled, proof.from_filtered) if distance)
    return min(both, key=lambda distance: distance.mean, default=None)


def _pixels(proof: Proof) -> Work:
    return work_of(
        proof.from_sampled, proof.from_filtered, proof.off, proof.likeness, proof.between
    )


def _reason(proof: Proof) -> str | None:
    """Return the reason as a clause, or None if all pixels match the reference."""
    counts = proof.counts
    if proof.is_wrong:
        clauses = [of_counts(counts), of_labels(counts)]
    else:
        unknown = None
        if counts.unknown:
            of = counted(counts.images, "delivered image")
            unknown = f"{counts.unknown:,} of {of} match no file"
        clauses = [unknown, _of_pixels(proof)]
    reason = "; ".join(filter(None, clauses))
    return f"in its second epoch, {reason}" if reason and counts.epoch > 1 else reason or None


def of_counts(counts: Counts) -> str | None:
    """Return which images are missing or came too often, as a clause; None for none."""
    clauses = []
    if counts.doubled:
        clauses.append(f"{counted(counts.doubled, 'image')} too many ({counts.first_doubled})")
    if counts.missing:
        clauses.append(f"{counted(counts.missing, 'image')} missing ({counts.first_missing})")
    if not clauses:
        return None
    return f"{' and '.join(clauses)}; expected every image once"


def of_labels(counts: Counts) -> str | None:
    """Return how many labels are wrong, as a clause; None for none."""
    if not counts.wrong_labels:
        return None
    clause = (
        f"{counts.wrong_labels:,} of {counted(counts.images, 'image')} have the wrong label"
        f" ({counts.first_wrong_label})"
    )
    return clause if counts.are_classes_sorted else f"{clause}; {UNSORTED}"


def _of_pixels(proof: Proof) -> str | None:
    sampled, filtered, likeness = proof.from_sampled, proof.from_filtered, proof.likeness
    if likeness is not None and likeness.is_reduced and _pixels(proof) == "near":
        return f"its pixels match {likeness.name}: {_of_both(sampled, filtered)}"
    if likeness is not None:
        of = "they are" if proof.counts.unknown else "its pixels match"
        is_far = sampled is not None and sampled.mean > ROUNDING
        far = (
            "" if sampled is None or not is_far else f", {levels(sampled.mean)} from the reference"
        )
        return f"{of} {likeness.name}{far}"
    if sampled is None or filtered is None:
        return None if proof.counts.unknown else "none of its pixels could be compared"
    nearer = min(sampled, filtered, key=lambda distance: distance.mean)
    pixels = work_of(sampled, filtered, proof.off, None)
    if pixels == "near":
        return f"its pixels are {_of_both(sampled, filtered)}"
    if pixels == "different" and not (proof.off and proof.others_mean <= MOST_NEAR):
        return (
            f"its pixels are {levels(sampled.mean)} from TensorFlow's sampling (expected"
            f" {MOST_SAME:g} at most), and {levels(filtered.mean)} from {FILTER}"
            f" (expected {MOST_NEAR:g} at most)"
        )
    return _of_few_pixels(proof, nearer)


def _of_both(sampled: Distance | None, filtered: Distance | None) -> str:
    assert sampled is not None
    assert filtered is not None
    return (
        f"{levels(filtered.mean)} from {FILTER}, and {levels(sampled.mean)} from TensorFlow's"
        " sampling"
    )


def _of_few_pixels(proof: Proof, nearer: Distance) -> str | None:
    """Return the reason for pixels that are near on average; None if they match."""
    if proof.off:
        return (
            f"{proof.off:,} of {counted(proof.compared, 'image')} have different pixels"
            f" ({nearer.worst_file}, {levels(nearer.worst)} from the reference)"
        )
    return f"{levels(nearer.mean)} from the reference" if nearer.mean > ROUNDING else None


def levels(value: float) -> str:
    """Return a distance as text, such as 0.00 or 1.82 grey levels."""
    return f"{value:.2f} grey levels" if value < 1 else f"{digits(value)} grey levels"
