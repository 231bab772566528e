"""Counts the images and labels of an epoch, file by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from feedbench.bench.equal_work.identity.fingerprints import UNKNOWN, Groups, Matcher
from feedbench.bench.equal_work.identity.shuffle import Order
from feedbench.bench.records.proof import Counts
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.images.index import image_id, shown


@dataclass
class Tally:
    """The images delivered so far. Files with the same content are counted together."""

    workload: Workload
    matcher: Matcher
    batch_sizes: list[int] = field(default_factory=list)
    _places: list[npt.NDArray[np.intp]] = field(default_factory=list)
    _labels: list[npt.NDArray[Any]] = field(default_factory=list)

    def add(self, places: npt.NDArray[np.intp], labels: npt.NDArray[Any]) -> None:
        """Count a batch: the places of its images' files, and of its labels' classes."""
        self.batch_sizes.append(len(places))
        self._places.append(places)
        self._labels.append(labels)

    @property
    def images(self) -> int:
        """The number of images so far."""
        return sum(self.batch_sizes)

    @property
    def labels(self) -> npt.NDArray[Any]:
        """The labels in the order of delivery, as places of classes."""
        return self._all(self._labels)

    def order(self) -> Order:
        """Return the order in which the files came that look like no other.

        It is not clear which of several equal files came. They would make the shuffle look worse.
        """
        alone = self.matcher.groups.alone()
        places = self._all(self._places)
        return np.searchsorted(alone, places[np.isin(places, alone)])

    def undelivered(self) -> list[int]:
        """Return the places of files that no image matches."""
        missing = self._expected(self.matcher.groups) - self._came(self.matcher.groups)
        members = self.matcher.groups.members
        return sorted(
            int(place) for group, count in missing.items() for place in members(group)[-count:]
        )

    def counts(self, groups: Groups | None = None) -> Counts:
        """Return the counts of a whole epoch; files of a group count as equal."""
        groups = groups or self.matcher.groups
        places, labels = self._all(self._places), self._all(self._labels)
        is_known = places != UNKNOWN
        came, expected = self._came(groups), self._expected(groups)
        # A file that Pillow does not decode has no fingerprint, so its image is unknown.
        lost = self.workload.images - expected.total()
        unknown = max(int(np.count_nonzero(~is_known)) - lost, 0)
        missing, doubled = expected - came, came - expected
        wrong, first_wrong = self._wrong_labels(
            groups, groups.of[places[is_known]], labels[is_known]
        )
        return Counts(
            images=self.images,
            missing=missing.total(),
            doubled=doubled.total(),
            unknown=unknown,
            wrong_labels=wrong,
            first_missing=self._first(groups, missing),
            first_doubled=self._first(groups, doubled),
            first_wrong_label=first_wrong,
            are_classes_sorted=self.workload.are_classes_sorted,
        )

    def _expected(self, groups: Groups) -> Counter[int]:
        """Return how many files each group has."""
        return Counter(groups.of[groups.of != UNKNOWN].tolist())

    def _came(self, groups: Groups) -> Counter[int]:
        """Return how many images of each group came."""
        places = self._all(self._places)
        return Counter(groups.of[places[places != UNKNOWN]].tolist())

    def _wrong_labels(
        self, groups: Groups, delivered_groups: npt.NDArray[np.intp], labels: npt.NDArray[Any]
    ) -> tuple[int, str | None]:
        """Return how many images have a wrong label, and the first of them."""
        theirs = Counter(zip(groups.of.tolist(), self.workload.labels, strict=True))
        delivered = Counter(zip(delivered_groups.tolist(), labels.tolist(), strict=True))
        surplus = delivered - theirs
        wrong: Counter[int] = Counter()
        for (group, _), count in surplus.items():
            wrong[group] += count
        # An image that came twice also has a label too many, but is counted as doubled already.
        wrong -= self._came(groups) - self._expected(groups)
        if not wrong:
            return 0, None
        group = min(wrong, key=lambda group: int(groups.members(group)[0]))
        label = next(label for (of, label) in surplus if of == group)
        name = shown(self.workload.class_names[label])
        return wrong.total(), f"{self._first(groups, {group: 1})} as {name!r}"

    def _first(self, groups: Groups, those: Iterable[int]) -> str | None:
        """Return the path, below the folder, of the first file of these groups."""
        firsts = [int(groups.members(group)[0]) for group in those]
        return file_id(self.workload, min(firsts)) if firsts else None

    @staticmethod
    def _all(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return np.concatenate(parts) if parts else np.empty(0, np.intp)


def file_id(workload: Workload, place: int) -> str:
    """Return a file's path below the folder, as text that can be shown."""
    file = workload.files[place]
    return image_id(file.removeprefix(workload.folder).lstrip("/"))
