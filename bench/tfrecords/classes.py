"""The classes of labels that records hold: their names, their order. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from feedbench.bench.tfrecords.features import Label
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import listed, ordered


@dataclass(frozen=True)
class Classes:
    """The classes, in the order of the labels that pipelines deliver."""

    names: tuple[str, ...]
    values: tuple[Label, ...]  # of each class: its label in the records
    notes: tuple[str, ...] = ()


def classes_of(
    labels: Collection[Label], texts: Mapping[Label, str], asked: Sequence[str] | None
) -> Classes:
    """Return the classes of the labels in some records.

    Of whole numbers, `asked` are the names of 0, 1, and so on; without them, a class is called by
    its text in `texts`, if each label has a different one, else by its number, in digits that sort.
    Of texts, `asked` are the classes to use. Raises RequestError for labels that do not fit.
    """
    numbers = sorted(label for label in labels if isinstance(label, int))
    words = sorted(label for label in labels if isinstance(label, str))
    if numbers and words:
        raise RequestError(
            f"the labels of the records: expected whole numbers or texts; found both, such as"
            f" {numbers[0]} and {words[0]!r}",
            hint="write the records with labels of one type",
        )
    if words:
        chosen, left_out = ordered(words, asked)
        return Classes(chosen, chosen, left_out)
    if numbers[0] < 0:
        raise RequestError(
            f"the labels of the records: expected numbers from 0; found {numbers[0]}",
            hint="write the records with the place of each class",
        )
    if asked is not None:
        return _named(numbers, asked)
    names = tuple(texts[label] for label in numbers if label in texts)
    if len(set(names)) < len(numbers):
        width = len(str(numbers[-1]))
        names = tuple(f"{label:0{width}d}" for label in numbers)
    notes: tuple[str, ...] = ()
    if numbers != list(range(len(numbers))):
        which = listed([str(number) for number in numbers])
        note = f"The labels in the records are {which}. Pipelines deliver them as 0 to"
        notes = (f"{note} {len(numbers) - 1}, in this order.",)
    return Classes(names, tuple(numbers), notes)


def _named(numbers: Sequence[int], names: Sequence[str]) -> Classes:
    """Return the classes of numbers with these names, by index; some may have no images."""
    if numbers[-1] >= len(names):
        raise RequestError(
            f"--classes: expected a name for each label of the records, 0 to {numbers[-1]}; found"
            f" {len(names)} names",
            hint="name all classes in the order of their labels, or leave --classes out",
        )
    return Classes(tuple(names), tuple(range(len(names))))
