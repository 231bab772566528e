"""The batches of the timed part: each is checked as it arrives, and a few are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedbench.bench.measured.batches.batch_checks import check_form
from feedbench.bench.measured.batches.batch_forms import Array, pair
from feedbench.bench.measured.batches.kept_batches import KeptBatches
from feedbench.bench.measured.batches.page_reads import page_values
from feedbench.pipelines.errors import WrongWorkError

if TYPE_CHECKING:
    from feedbench.pipelines.contract import Workload


class TimedBatches:
    """Checks the form of every batch, reads a value of each of its pages, and keeps a few batches.

    Every pipeline pays the same for it. A batch of the same form as the one before it, which is the
    rule, costs three comparisons.
    """

    def __init__(self, workload: Workload) -> None:
        self.kept = KeptBatches(workload.images)
        self._workload = workload
        self._images = 0
        self._form: tuple[object, ...] = ()

    def take(self, delivered: object) -> int:
        """Check a batch, and return its number of images. Raises WrongWorkError."""
        images, labels = pair(delivered)
        form = (images.shape, images.strides, images.dtype, labels.shape, labels.dtype)
        if form != self._form:
            self._check(images, labels)
            self._form = form
        values = page_values(images)
        self._images += len(images)
        self.kept.take(images, labels, values)
        return len(images)

    def _check(self, images: Array, labels: Array) -> None:
        try:
            check_form(images, labels, self._workload)
        except WrongWorkError as error:
            epoch = self._images // self._workload.images + 1
            raise WrongWorkError(
                f"in epoch {epoch} of its timed part, {error.sentence}", hint=error.hint
            ) from None
