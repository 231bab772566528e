"""Equal work in words: what each pipeline delivers, and how it shuffles. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from feedbench.bench.records.proof import Proof, Shuffle, is_equal
from feedbench.bench.text import counted, digits, listed
from feedbench.reports.sentences.augmentation import augmented
from feedbench.reports.text.figures import MISSING, shown

if TYPE_CHECKING:
    from feedbench.bench.records.row import Row
    from feedbench.bench.records.run import RunRecord

_MIXED = 0.95  # of the classes that chance gives a batch, under which they are worth a word
_MOVED_TOGETHER = 0.5  # of the images; by chance it is one image of an epoch
_CLOSE = 0.5  # a correlation with the list, from which "ahead" says how far a shuffle reaches


def word(row: Row) -> str:
    """Return the answer on a pipeline's work in one word."""
    return MISSING if row.proof is None else row.proof.work


def shuffled(proof: Proof | None) -> str:
    """Return how it shuffles: full, none, fixed, partial, or through about how many images."""
    if proof is None or proof.shuffle.kind == "unknown":
        return MISSING
    reach = _reach(proof.shuffle)
    return proof.shuffle.kind if reach is None else f"{reach:,}"


def unequal(run: RunRecord) -> set[str]:
    """Return the labels of the pipelines whose equal work is not proven."""
    labels = {row.label for row in run.rows if row.withheld == "work"}
    labels |= {row.label for row in run.rows if row.proof and not is_equal(row.proof)}
    if any(row.withheld == "baseline's work" for row in run.rows):
        labels.add(run.rows[0].label)
    return labels


def images(proof: Proof) -> str:
    """Return how many images of an epoch came, or what is wrong with them."""
    counts = proof.counts
    faults = [
        f"{count:,} {name}"
        for count, name in (
            (counts.missing, "missing"),
            (counts.doubled, "doubled"),
            (0 if proof.augmented is not None and is_equal(proof) else counts.unknown, "unknown"),
            (counts.wrong_labels, "with the wrong label"),
        )
        if count
    ]
    if faults:
        return ", ".join(faults)
    is_counted = proof.augmented is not None and not proof.augmented.is_identity_proven
    return f"{counts.images:,}" if is_counted else f"{counts.images:,}, each once"


def warnings(run: RunRecord) -> Iterator[str]:
    """Yield which pipelines are not proven to deliver the same images, and why."""
    proofs = _proofs(run)
    if not proofs:
        yield "The images that the pipelines deliver were not compared."
        return
    for row in run.rows:
        if row.proof is None and not row.failures:
            yield f"{row.label} has no verdict: its images were not compared."
        elif row.withheld == "work" and is_equal(row.proof):
            yield f"{row.label} has no verdict: what was timed is not what was proven."
    for label, proof in proofs.items():
        if proof.work == "different" and proof.reason and not proof.is_wrong:
            yield f"{label}: no verdict, different images: {proof.reason}."


def remarks(run: RunRecord) -> Iterator[str]:
    """Yield which pipelines deliver the same images, and how far the others are off."""
    proofs = _proofs(run)
    for label, proof in proofs.items():
        if proof.work != "different" and proof.reason and not proof.is_wrong:
            yield f"{label} ({proof.work}): {proof.reason}."
    yield from of_forms(proofs.items())
    same = [label for label, it in proofs.items() if it.work == "same" and not it.reason]
    if same:
        yield f"Same images, each once with its label: {listed(same)}."


def as_asked(run: RunRecord) -> Iterator[str]:
    """Yield which pipelines augment as asked, and how they transform images."""
    alike = {
        label: proof.augmented
        for label, proof in _proofs(run).items()
        if proof.work == "augmented" and proof.augmented is not None and not proof.reason
    }
    if alike:
        yield f"Augmented as asked, each image once with its label: {listed(list(alike))}."
        done = augmented.of_all(list(alike.values()))
        if done:
            yield f"Their images are {done}."


def _proofs(run: RunRecord) -> dict[str, Proof]:
    """Return by label what was proven. A pipeline that is wrong failed, and that has a note."""
    return {row.label: row.proof for row in run.rows if row.proof is not None}


def of_forms(proofs: Iterable[tuple[str, Proof | None]]) -> Iterator[str]:
    """Yield in which other form pipelines deliver the same, and where only a restart is fixed."""
    for label, proof in proofs:
        if proof is None:
            continue
        for form in proof.forms:
            yield f"{label}: {form}."
        if proof.shuffle.fixed_in == "new iterators":
            yield (
                f"{label}: every new iterator begins in the same order, which is fixed; within"
                " repeat(), each epoch has another order."
            )


def of_shuffles(proofs: Iterable[tuple[str, Proof | None]]) -> Iterator[str]:
    """Yield which pipelines shuffle less than the others, and how."""
    for label, proof in proofs:
        sentence = None if proof is None else _of_shuffle(proof.shuffle)
        if sentence:
            yield f"{label} {sentence}."


def _of_shuffle(shuffle: Shuffle) -> str | None:
    classes = ""
    in_a_batch, by_chance = shuffle.batch_classes, shuffle.batch_classes_by_chance
    if in_a_batch is not None and by_chance is not None and in_a_batch < _MIXED * by_chance:
        classes = (
            f": a batch has {digits(in_a_batch)} classes on average, {digits(by_chance)} by chance"
        )
    match shuffle.kind:
        case "none":
            return f"does not shuffle, which is less work{classes}"
        case "fixed" if shuffle.fixed_in == "repeat":
            return (
                "delivers every epoch within repeat() in the same order, which is less work:"
                f" only a new iterator has another order{classes}"
            )
        case "fixed":
            return f"delivers every epoch in the same order, which is less work{classes}"
        case "partial" if (shuffle.neighbours_kept or 0.0) > _MOVED_TOGETHER:
            return f"shuffles whole batches, whose images stay together: less work{classes}"
        case "partial":
            reach = _reach(shuffle)
            far = "" if reach is None else f", through about {counted(reach, 'image')}"
            return f"shuffles only partly{far}, which is less work{classes}"
    return None


def _reach(shuffle: Shuffle) -> int | None:
    """Return the size of the buffer that an order looks like; None if it looks like none."""
    if shuffle.kind != "partial" or shuffle.ahead is None or (shuffle.with_list or 0.0) < _CLOSE:
        return None
    return shuffle.ahead + 1


def correlation(value: float | None) -> str:
    """Return a rank correlation with two places: 0.87."""
    return shown(value, lambda r: f"{round(r, 2) + 0.0:.2f}")  # and never -0.00


def nearest(row: Row) -> str:
    """Return the mean distance of a pipeline's pixels from the nearer reference."""
    proof = row.proof
    if proof is None:
        return MISSING
    both = (each.mean for each in (proof.from_sampled, proof.from_filtered) if each is not None)
    return distance(min(both, default=None))


def distance(value: float | None) -> str:
    """Return a distance in grey levels, two places while it is small: 0.00, 1.87, 34.9."""
    return shown(value, lambda d: f"{d:.2f}" if d < 1 else digits(d))
