"""A feed whose epochs come in given orders: which of them are found to be one and the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import WrongWorkError
from tests.support.builders import natural_photos
from tests.support.pipelines.feeds import Feed, proof_of

IMAGES = 36


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return natural_photos(folder, IMAGES, side=48, batch_size=8)


class Repeating:
    """Epochs by new iterators, and by `repeat()`: each in the order that its seed gives."""

    def __init__(
        self, workload: Workload, seeds_of_iterators: list[int], seeds_of_repeat: list[int]
    ) -> None:
        self.feed = Feed(workload, order=lambda order, _: self._order(len(order)))
        self.seeds_of_iterators, self.seeds_of_repeat = seeds_of_iterators, seeds_of_repeat

    def _order(self, count: int) -> list[int]:
        order: list[int] = np.random.default_rng(self._seed).permutation(count).tolist()
        return order

    def __iter__(self) -> Iterator[Any]:
        self._seed = self.seeds_of_iterators.pop(0)
        return iter(list(self.feed))

    def repeat(self) -> Iterator[Any]:
        for seed in self.seeds_of_repeat:
            self._seed = seed
            yield from self.feed


@pytest.mark.parametrize(
    ("iterators", "repeat", "kind", "fixed_in"),
    [
        ([7], [7, 8, 9], "full", "new iterators"),  # a seed and the number of the epoch
        ([1], [2, 2, 2], "fixed", "repeat"),
        ([7], [7, 7, 7], "fixed", None),
        ([1], [2, 3, 4], "full", None),
    ],
)
def test_epochs_within_repeat_are_compared_as_well_as_new_iterators(
    natural: Workload,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    iterators: list[int],
    repeat: list[int],
    kind: str,
    fixed_in: str | None,
) -> None:
    for images in (4096, 32):  # of a large folder, the second epoch is read to its end if need be
        monkeypatch.setattr("feedbench.bench.equal_work.proof_task.SECOND_EPOCH_IMAGES", images)
        feed = Repeating(natural, iterators.copy(), repeat)
        shuffle = proof_of(tmp_path, feed, natural).shuffle
        if images > IMAGES or fixed_in != "repeat":
            assert (shuffle.kind, shuffle.fixed_in) == (kind, fixed_in)


def test_a_repeat_that_ends_fails(natural: Workload, tmp_path: Path) -> None:
    with pytest.raises(
        WrongWorkError, match=r"its repeat\(\) ended; expected epoch after epoch without"
    ):
        proof_of(tmp_path, Repeating(natural, [1], [2]), natural)
